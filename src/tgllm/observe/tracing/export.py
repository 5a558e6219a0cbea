"""Export of spans by OpenTelemetry's SDK, in its own thread, over OTLP/HTTP."""

import asyncio
import threading
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from importlib import import_module
from typing import Any, Final

import tgllm
from tgllm.observe.installation import install_command
from tgllm.observe.logs import get_logger
from tgllm.observe.redaction import redact
from tgllm.observe.tracing.spans import Attributes, OpenSpan, SpanKind, tracing
from tgllm.observe.visible import visible_line

__all__ = ["exported_traces"]

log = get_logger(__name__)

_STOP_SECONDS: Final = 5.0
"""How long the end of the program waits for the last spans to be exported."""
_EXPORT_SECONDS: Final = 5
_MOST_CHARS: Final = 200
_ERROR_TYPE: Final = "error.type"
_MODULES: Final = (
    "opentelemetry.sdk.resources",
    "opentelemetry.sdk.trace",
    "opentelemetry.sdk.trace.export",
    "opentelemetry.exporter.otlp.proto.http.trace_exporter",
)


@asynccontextmanager
async def exported_traces(endpoint: str | None) -> AsyncGenerator[None]:
    """Export spans while the block runs, if OpenTelemetry is installed.

    Args:
        endpoint: base URL of the receiver; None: as the variables of OpenTelemetry say.
    """
    provider = _provider(endpoint)
    if provider is None:
        yield
        return
    log.info("tracing.ready", endpoint=endpoint)
    try:
        with tracing(_Tracer(provider)):
            yield
    finally:
        await _shut_down(provider)


async def _shut_down(provider: Any) -> None:  # noqa: ANN401  OpenTelemetry is an extra, without its types here
    """Export the last spans; what a receiver that does not answer has not taken in time is lost."""
    loop, ended = asyncio.get_running_loop(), asyncio.Event()

    def shut_down() -> None:
        try:
            provider.shutdown()
        except Exception as error:  # noqa: BLE001  no reason to end the program otherwise
            log.warning("tracing.not_ended", error=type(error).__name__)
        with suppress(RuntimeError):  # the loop is closed
            loop.call_soon_threadsafe(ended.set)

    # A daemon: the end of the loop and that of the program wait for threads of an executor, without a time limit.
    threading.Thread(target=shut_down, name="tracing-end", daemon=True).start()
    with suppress(TimeoutError):
        async with asyncio.timeout(_STOP_SECONDS):
            await ended.wait()


def _provider(endpoint: str | None) -> Any:  # noqa: ANN401  OpenTelemetry is an extra, without its types here
    """Return the SDK's tracer provider; None if it is not installed."""
    try:
        resources, sdk, export, otlp = map(import_module, _MODULES)
    except ImportError:
        resources = sdk = export = otlp = None
    if resources is None or sdk is None or export is None or otlp is None:
        log.warning("tracing.not_installed", hint=f"Install it with: {install_command('tgllm[tracing]')}")
        return None
    resource = resources.Resource.create({"service.name": "tgllm", "service.version": tgllm.__version__})
    # The service's name of the environment (OTEL_SERVICE_NAME) has precedence.
    resource = resource.merge(resources.OTELResourceDetector().detect())
    provider = sdk.TracerProvider(resource=resource, shutdown_on_exit=False)
    url = None if endpoint is None else f"{endpoint.rstrip('/')}/v1/traces"
    exporter = otlp.OTLPSpanExporter(endpoint=url, timeout=_EXPORT_SECONDS)
    provider.add_span_processor(export.BatchSpanProcessor(exporter))
    return provider


class _Tracer:
    """Tracer of OpenTelemetry."""

    def __init__(self, provider: Any) -> None:  # noqa: ANN401  OpenTelemetry has no types here
        self._trace = import_module("opentelemetry.trace")
        self._tracer = provider.get_tracer("tgllm", tgllm.__version__)

    def start(self, name: str, kind: SpanKind, attributes: Attributes, parent: OpenSpan | None) -> OpenSpan:
        """Start a span below its parent; without a parent it begins a trace."""
        context = None if not isinstance(parent, _Span) else self._trace.set_span_in_context(parent.span)
        started = self._tracer.start_span(
            _clean(name),
            # An empty context, so that spans of libraries never become parents.
            context=context if context is not None else self._trace.set_span_in_context(self._trace.INVALID_SPAN),
            kind=getattr(self._trace.SpanKind, kind.upper()),
            attributes={key: _clean_value(value) for key, value in attributes.items()},
        )
        return _Span(started, self._trace)


class _Span:
    """Span of OpenTelemetry."""

    def __init__(self, span: Any, trace: Any) -> None:  # noqa: ANN401  OpenTelemetry has no types here
        self.span = span
        self._trace = trace

    def set(self, **attributes: str | float | bool | None) -> None:
        """Add attributes."""
        for key, value in attributes.items():
            if value is not None:
                self.span.set_attribute(key.replace("__", "."), _clean_value(value))

    def fail(self, kind: str) -> None:
        """Mark the span as failed."""
        self.span.set_attribute(_ERROR_TYPE, _clean(kind))
        self.span.set_status(self._trace.StatusCode.ERROR)

    def end(self) -> None:
        """End the span."""
        self.span.end()


def _clean(text: str) -> str:
    return visible_line(redact(text))[:_MOST_CHARS]


def _clean_value(value: str | float | bool) -> str | float | bool:  # noqa: FBT001  the value of an attribute
    return _clean(value) if isinstance(value, str) else value
