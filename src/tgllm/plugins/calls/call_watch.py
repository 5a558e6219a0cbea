"""Watch over single calls of plugins: the trace of all of them, and warnings of those that are slow or block."""

import inspect
from collections.abc import Awaitable, Callable, Generator
from dataclasses import dataclass
from functools import partial
from typing import Final, TypeVar, cast

from tgllm.api.clock import Clock
from tgllm.api.context import Log
from tgllm.plugins.calls.outcome import Outcome, Raised, Returned, TimedOut
from tgllm.plugins.calls.runner import HookRunner
from tgllm.plugins.calls.tracing import TraceWriter

__all__ = ["BLOCKING_SECONDS", "QUIET_SECONDS", "SLOW_SECONDS", "CallWatch", "Callee", "result_of"]

SLOW_SECONDS: Final = 2.0
"""Time of a call that people wait for from which on there is a warning."""
BLOCKING_SECONDS: Final = 0.25
"""Time from which on there is a warning of a call that lets nothing else run meanwhile."""
QUIET_SECONDS: Final = 600.0
"""Least time between two warnings of one hook of a plugin."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Callee:
    """A function of a plugin that is called."""

    plugin_id: str
    hook: str
    """Name of the hook, or what else is called, such as ``/weather``."""
    function: Callable[..., object]
    is_waited_for: bool = False
    """Whether a person waits for its end: in a turn, at a button, or for the start of the bot."""


class CallWatch:
    """Calls functions of plugins by a runner, and notes how that went."""

    def __init__(self, clock: Clock, log: Log, trace: TraceWriter | None = None) -> None:
        """Create a watch.

        Args:
            clock: measures the calls.
            log: gets the warnings.
            trace: gets every call.
        """
        self._clock = clock
        self._log = log
        self._trace = trace
        self._warned: dict[tuple[str, str], tuple[float, int]] = {}
        """When there was the last warning of a hook, and how many calls were slow since."""

    async def call(self, runner: HookRunner, callee: Callee, *arguments: object) -> Outcome[object]:
        """Call a function on the event loop."""
        blocked = _Longest(self._clock)

        def timed(*given: object) -> object:
            result = blocked.timed(lambda: callee.function(*given))
            if isinstance(result, Awaitable):
                return _Steps(cast("Awaitable[object]", result), blocked)
            return result

        return await self._watched(callee, lambda: runner.call(timed, *arguments), blocked)

    async def call_aside(self, runner: HookRunner, callee: Callee, *arguments: object) -> Outcome[object]:
        """Call a function as ``HookRunner.call_aside`` does: a plain one runs in a thread."""
        if inspect.iscoroutinefunction(callee.function):
            return await self.call(runner, callee, *arguments)
        return await self._watched(
            callee, lambda: runner.call_aside(callee.function, *arguments), _Longest(self._clock)
        )

    async def note(self, callee: Callee, call: Callable[[], Awaitable[Outcome[T]]]) -> Outcome[T]:
        """Await a call that is made elsewhere, such as in a thread."""
        return await self._watched(callee, call, _Longest(self._clock))

    async def _watched(
        self, callee: Callee, call: Callable[[], Awaitable[Outcome[T]]], blocked: "_Longest"
    ) -> Outcome[T]:
        began = self._clock.monotonic()
        result = "cancelled"
        try:
            outcome = await call()
            result = result_of(outcome)
        finally:
            self._note(callee, self._clock.monotonic() - began, blocked.seconds, result)
        return outcome

    def _note(self, callee: Callee, seconds: float, blocked: float, result: str) -> None:
        if self._trace is not None:
            self._trace.write(
                {
                    "at": self._clock.now(),
                    "plugin": callee.plugin_id,
                    "hook": callee.hook,
                    "seconds": round(seconds, 6),
                    "blocked": round(blocked, 6),
                    "result": result,
                }
            )
        if blocked >= BLOCKING_SECONDS or (callee.is_waited_for and seconds >= SLOW_SECONDS):
            self._warn(callee, seconds, blocked)

    def _warn(self, callee: Callee, seconds: float, blocked: float) -> None:
        key, now = (callee.plugin_id, callee.hook), self._clock.monotonic()
        last, count = self._warned.get(key, (None, 0))
        if last is not None and now - last < QUIET_SECONDS:
            self._warned[key] = (last, count + 1)
            return
        from tgllm.plugins.calls.places import place_of_function  # noqa: PLC0415  few calls are slow

        self._warned[key] = (now, 0)
        self._log.warning(
            "plugin.slow",
            plugin=callee.plugin_id,
            hook=callee.hook,
            seconds=round(seconds, 2),
            blocked=round(blocked, 2),
            at=place_of_function(callee.function),
            since_last=count,
        )


def result_of(outcome: Outcome[T]) -> str:
    """Return the kind of an outcome, without anything of the value: it may hold what people wrote."""
    match outcome:
        case Returned(None):
            return "None"
        case Returned(value):
            return _kind_of(value)
        case Raised(error):
            return f"raised {type(error if error.__cause__ is None else error.__cause__).__name__}"
        case TimedOut(seconds):
            return f"timed out after {seconds:g} s"


def _kind_of(value: object) -> str:
    kind = type(value)
    # The length of a subclass is computed by the plugin.
    is_plain = kind is list or kind is tuple
    return f"{kind.__name__} of {len(cast('list[object]', value))}" if is_plain else kind.__name__


class _Longest:
    """The longest time for which a call has let nothing else run."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.seconds = 0.0

    def timed(self, step: Callable[[], T]) -> T:
        """Run a part of the call."""
        began = self._clock.monotonic()
        try:
            return step()
        finally:
            self.seconds = max(self.seconds, self._clock.monotonic() - began)


class _Steps:
    """An awaitable whose steps between two suspensions are timed."""

    def __init__(self, awaitable: Awaitable[object], longest: _Longest) -> None:
        self._awaitable = awaitable
        self._longest = longest

    def __await__(self) -> Generator[object, object, object]:
        steps = self._awaitable.__await__()
        resume: Callable[[], object] = partial(next, steps)
        while True:
            try:
                awaited = self._longest.timed(resume)
            except StopIteration as end:
                return end.value
            try:
                yield awaited
                resume = partial(next, steps)
            except GeneratorExit:
                # An iterator of an awaitable's own class may be no generator.
                if isinstance(cast("object", steps), Generator):
                    steps.close()
                raise
            except BaseException as error:  # noqa: BLE001  passed on to the plugin's code
                resume = partial(_throw, steps, error)


def _throw(steps: Generator[object, object, object], error: BaseException) -> object:
    # An iterator of an awaitable's own class may lack the method.
    if not hasattr(steps, "throw"):
        raise error
    return steps.throw(error)
