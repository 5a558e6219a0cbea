"""Settings of tracing."""

from typing import Annotated

from pydantic import AfterValidator, Field

from tgllm.config.sections.base import Section

__all__ = ["TracingSection"]


def _http(value: str | None) -> str | None:
    if value is not None and not value.startswith(("http://", "https://")):
        raise ValueError("must begin with http:// or https://, such as http://127.0.0.1:4318")
    return value


class TracingSection(Section):
    """Settings of OpenTelemetry traces."""

    enabled: bool = Field(
        default=False, description="Whether turns are traced with OpenTelemetry; needs tgllm[tracing]."
    )
    endpoint: Annotated[str | None, AfterValidator(_http)] = Field(
        default=None,
        description="Base URL of the OTLP/HTTP receiver; without it, the OTEL_EXPORTER_OTLP_ variables apply.",
    )
