"""Runs single calls of tools, isolated like other code of plugins."""

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import wraps
from typing import TYPE_CHECKING, Final, Protocol

from tgllm.api import Ask, JsonObject, ToolFailed, ToolOutput, ToolUse
from tgllm.api.clock import Clock
from tgllm.db.tables.tools.calls import Ended, StoredCall
from tgllm.i18n import Catalogue
from tgllm.observe.logs import get_logger
from tgllm.observe.metrics import table
from tgllm.observe.tracing.spans import span
from tgllm.plugins.calls.call_watch import Callee
from tgllm.plugins.calls.outcome import Breach, Outcome, Raised, Returned, TimedOut, contract_error, explain, words_of
from tgllm.plugins.calls.pausable import Allowance, PausableRunner
from tgllm.plugins.calls.places import place_of_function
from tgllm.plugins.calls.strays import Strays
from tgllm.plugins.host import PluginHost
from tgllm.services.conversations.turn import Turn
from tgllm.services.errors.reports import Reporter
from tgllm.services.files.storage.store import FileStorage
from tgllm.services.tools.call_book import Begun
from tgllm.services.tools.kept_files import keep_files
from tgllm.services.tools.results import cut, ended_by

if TYPE_CHECKING:
    from tgllm.plugins.owned import OwnedTool

__all__ = ["OnProgress", "ToolRunner", "use_id"]

log = get_logger(__name__)

GRACE_SECONDS: Final = 2.0
"""Time for the clean-up of a cancelled call."""
_LONGEST_NOTE: Final = 200
_LONGEST_ERROR: Final = 4_000


class OnProgress(Protocol):
    """Takes the state of a call."""

    def __call__(self, note: str, done: int | None, total: int | None) -> None: ...


def use_id(call: StoredCall) -> str:
    """Return ``ToolUse.id`` of a call, which is the same after a crash."""
    return f"{call.turn_id}.{call.round}.{call.place}"


@dataclass(slots=True, eq=False)
class _Progress:
    """The function that a handler tells its progress; it does nothing once the call has ended."""

    on_progress: OnProgress
    is_over: bool = False

    def __call__(self, text: str = "", done: int | None = None, total: int | None = None) -> None:
        if not self.is_over:
            # A plugin may pass a value of any type.
            counts = [each if isinstance(each, int) and not isinstance(each, bool) else None for each in (done, total)]
            self.on_progress(words_of(text)[:_LONGEST_NOTE], *counts)


@dataclass(slots=True, eq=False)
class _Asking:
    """Asks a person; the time of the call stands still meanwhile. No one is asked once the call has ended."""

    allowance: Allowance
    ask: Ask
    is_over: bool = False

    async def __call__(self, question: str, choices: Sequence[str] = (), *, url: str = "") -> str | None:
        if self.is_over:
            return None
        with self.allowance.standing_still():
            return await self.ask(question, choices, url=url)


class ToolRunner:
    """Runs calls. Closing it cancels again those that ignored their cancellation."""

    def __init__(
        self,
        host: PluginHost,
        clock: Clock,
        errors: Reporter,
        texts: Catalogue,
        most_chars: int,
        storage: FileStorage | None,
    ) -> None:
        """Create the runner.

        Args:
            host: notes the calls of plugins.
            clock: measures them.
            errors: where faults of plugins are reported.
            texts: words for the model.
            most_chars: maximum characters of a result.
            storage: for files of results; None: they are dropped.
        """
        self._host = host
        self._clock = clock
        self._errors = errors
        self._texts = texts
        self._most_chars = most_chars
        self._storage = storage
        self._strays = Strays(GRACE_SECONDS)

    async def aclose(self) -> None:
        """Cancel again the calls that ignored their cancellation."""
        await self._strays.aclose()

    async def run(
        self,
        begun: Begun,
        turn: Turn,
        arguments: JsonObject,
        on_progress: OnProgress,
        ask: Ask | None,
    ) -> Ended:
        """Run a call; return how it ended. A failure of the plugin is a result, too.

        Args:
            begun: the call, its tool and its person.
            turn: its turn.
            arguments: they are valid for the tool.
            on_progress: takes the state of the call.
            ask: asks the person; None: no one can be asked.
        """
        began, owned = self._clock.monotonic(), begun.tool
        state = "stopped"
        names = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": owned.tool.name}
        try:
            with span(f"execute_tool {owned.tool.name}", attributes=names) as opened:
                ended = await self._ended(begun, turn, arguments, on_progress, ask)
                state = ended.state
                if state != "done":
                    opened.fail(state)
        finally:
            seconds = self._clock.monotonic() - began
            table.TOOL_CALLS.add(owned.plugin_id, owned.tool.name, state)
            table.TOOL_SECONDS.observe(seconds, owned.plugin_id)
            log.info(
                "tool.ended",
                turn=turn.id,
                plugin=owned.plugin_id,
                tool=owned.tool.name,
                outcome=state,
                duration_ms=round(seconds * 1000),
            )
        return ended

    async def _ended(
        self, begun: Begun, turn: Turn, arguments: JsonObject, on_progress: OnProgress, ask: Ask | None
    ) -> Ended:
        owned, tool = begun.tool, begun.tool.tool
        allowance, progress = Allowance(tool.timeout), _Progress(on_progress)
        asking = None if ask is None else _Asking(allowance, ask)
        use = ToolUse(
            id=use_id(begun.call),
            tool=tool.name,
            arguments=arguments,
            user=begun.user,
            chat=turn.chat,
            turn=turn.id,
            context=owned.context,
            progress=progress,
            ask=asking,
        )
        runner = PausableRunner(tool.timeout, allowance, self._strays)
        callee = Callee(owned.plugin_id, f"tool {tool.name}", _checked(tool.handler))
        try:
            outcome = await self._host.watch.call(runner, callee, use)
        finally:
            progress.is_over = True
            if asking is not None:
                asking.is_over = True
        return await self._judged(owned, turn, outcome)

    async def _judged(self, owned: "OwnedTool", turn: Turn, outcome: Outcome[object]) -> Ended:
        """Return how a call has ended by what its handler did."""
        name = owned.tool.name
        match outcome:
            case Returned(str(text)):
                return ended_by(ToolOutput(text), self._most_chars, self._texts)
            case Returned(ToolOutput() as output) if isinstance(output.text, str):  # pyright: ignore[reportUnnecessaryIsInstance]  from a plugin
                files = await keep_files(output.files, self._storage)
                return ended_by(output, self._most_chars, self._texts, files)
            case Returned(other):
                fault: BaseException = Breach(f"tool {name} returned a {type(other).__name__} instead of a ToolOutput")
            case TimedOut(seconds):
                words = self._texts("prompt.tool_slow", name=name)
                return Ended(state="failed", result=words, error=f"no end within {seconds:g} s")
            case Raised(error):
                failed = contract_error(error)
                if isinstance(failed, ToolFailed):
                    text = cut(words_of(failed), min(self._most_chars, _LONGEST_ERROR), self._texts)
                    return Ended(
                        state="failed", result=text or self._texts("prompt.tool_failed", name=name), error=text
                    )
                fault = error
        code = self._errors.report(
            fault,
            event="tool.crashed",
            plugin=owned.plugin_id,
            tool=name,
            turn=turn.id,
            user=turn.user.id,
            at=place_of_function(owned.tool.handler),
        )
        words = self._texts("prompt.tool_failed", name=name)
        return Ended(state="failed", result=words, error=f"{explain(fault)} ({code})")


def _checked(handler: Callable[[ToolUse], object]) -> Callable[[ToolUse], object]:
    """Return a handler whose result is checked to be awaitable, since a plugin may not be type-checked."""

    @wraps(handler)
    async def call(use: ToolUse) -> object:
        found = handler(use)
        return await found if inspect.isawaitable(found) else found

    return call
