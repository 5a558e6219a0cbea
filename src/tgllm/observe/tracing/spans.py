"""Spans of the standard library, which do nothing until a tracer is set.

A span belongs to the one that is open in the same task, or in the task that started this one. What is sent for a turn
after its end belongs to the turn, whose span is remembered by the turn's id.
"""

from collections import OrderedDict
from collections.abc import Generator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from typing import Final, Literal, Protocol, TypeAlias

__all__ = ["NO_SPAN", "Attributes", "Span", "SpanKind", "Tracer", "span", "tracing"]

SpanKind = Literal["internal", "client", "consumer", "producer"]
Attributes: TypeAlias = Mapping[str, str | int | float | bool]

_MOST_TURNS: Final = 1000
"""Turns whose spans are remembered."""


class Span(Protocol):
    """An open span."""

    def set(self, **attributes: str | float | bool | None) -> None:
        """Add attributes; two underscores in a name are a dot, and a value of None is left out."""
        ...

    def fail(self, kind: str) -> None:
        """Mark the span as failed, with the code of an error or the name of its class."""
        ...


class OpenSpan(Span, Protocol):
    """Span of a tracer."""

    def end(self) -> None:
        """End the span."""
        ...


class Tracer(Protocol):
    """Creates spans."""

    def start(self, name: str, kind: SpanKind, attributes: Attributes, parent: OpenSpan | None) -> OpenSpan:
        """Start a span below its parent; without a parent it begins a trace."""
        ...


class _NoSpan:
    """Span that is not recorded."""

    def set(self, **_attributes: object) -> None:
        return

    def fail(self, kind: str) -> None:
        del kind


NO_SPAN: Final[Span] = _NoSpan()
_NOTHING: Final = nullcontext(NO_SPAN)


class _State:
    tracer: Tracer | None = None
    turns: Final = OrderedDict[str, OpenSpan]()


_current: ContextVar[OpenSpan | None] = ContextVar("current_span", default=None)


def span(
    name: str,
    kind: SpanKind = "internal",
    attributes: Attributes | None = None,
    *,
    turn: str | None = None,
    after: str | None = None,
    begins: bool = False,
    harmless: tuple[type[BaseException], ...] = (),
) -> AbstractContextManager[Span]:
    """Open a span for the block; an exception that leaves the block marks it as failed.

    Args:
        name: of the span.
        kind: as in OpenTelemetry.
        attributes: by their names in OpenTelemetry, without contents.
        turn: id of the turn, if the span is that of a turn.
        after: id of the turn that the span belongs to, if it is not open in this task.
        begins: whether the span begins a trace if it belongs to no other; otherwise it is then left out.
        harmless: exceptions that are no failure of the block, such as that of a person's stop.
    """
    tracer = _State.tracer
    if tracer is None:
        return _NOTHING
    parent = _current.get() if after is None else _State.turns.get(after)
    if parent is None and not begins:
        return _NOTHING
    return _open(tracer.start(name, kind, attributes or {}, parent), turn, harmless)


@contextmanager
def _open(opened: OpenSpan, turn: str | None, harmless: tuple[type[BaseException], ...]) -> Generator[Span]:
    if turn is not None:
        _State.turns[turn] = opened
        while len(_State.turns) > _MOST_TURNS:
            _State.turns.popitem(last=False)
    token = _current.set(opened)
    try:
        yield opened
    except BaseException as error:
        if not isinstance(error, harmless):
            opened.fail(getattr(error, "code", None) or type(error).__name__)
        raise
    finally:
        _current.reset(token)
        opened.end()


@contextmanager
def tracing(tracer: Tracer) -> Generator[None]:
    """Pass spans to a tracer inside the block."""
    _State.tracer = tracer
    try:
        yield
    finally:
        _State.tracer = None
        _State.turns.clear()
