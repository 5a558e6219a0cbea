"""Settings of the web server, for monitoring."""

from pydantic import Field

from tgllm.config.sections.base import Section

__all__ = ["WebSection"]


class WebSection(Section):
    """Settings of the web server, which answers /healthz, /readyz and /metrics."""

    host: str = Field(
        default="127.0.0.1",
        min_length=1,
        description="Address on which the web server listens; 127.0.0.1 is reached from this machine only.",
    )
    port: int | None = Field(
        default=None,
        ge=0,
        le=65_535,
        description="Port of the web server; without it, there is none. 0: a free port, which the log names.",
    )
    metrics: bool = Field(
        default=False,
        description="Whether the bot collects metrics for Prometheus, at /metrics; needs tgllm[metrics] and web.port.",
    )
