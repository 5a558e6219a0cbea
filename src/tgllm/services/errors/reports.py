"""Reports of unexpected errors: logged at once; stored, announced to the admins and sent to Sentry beside the work."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Final, Literal, Protocol

from tgllm.api import TgllmError
from tgllm.api.clock import Clock, milliseconds
from tgllm.db.database import Database
from tgllm.db.engine.unit import Connection
from tgllm.db.tables import errors
from tgllm.db.tables.errors import ErrorPlace, NewError, PlaceKind
from tgllm.observe.content import handling
from tgllm.observe.errors import ErrorFacts, code_of, facts_of, mark_logged, raw_text, with_kind
from tgllm.observe.logs import get_logger
from tgllm.plugins.calls.outcome import Breach
from tgllm.services.common.recent_keys import RecentKeys
from tgllm.services.common.wakeup import Wakeup
from tgllm.services.errors.notices import Notices
from tgllm.services.errors.origins import Origins
from tgllm.services.errors.pending import Pending

__all__ = ["ErrorReports", "ErrorSink", "LoggedOnly", "Reporter"]

log = get_logger(__name__)

RETRY_SECONDS: Final = 60.0
"""Seconds after which errors are stored again that could not be stored."""
TRACE_SECONDS: Final = 60.0
"""Seconds within which log lines about one kind of error have one trace."""
LAST_SECONDS: Final = 5.0
"""Time limit for storing errors at the shutdown."""
MOST_STORED: Final = 5_000
"""Kinds that the database keeps."""
_MOST_TRACED: Final = 2_000

_PLACES: Final[tuple[PlaceKind, ...]] = ("turn", "update_id")

Level = Literal["error", "warning"]

PluginOf = Callable[[str], str | None]
"""Returns the plugin that a module belongs to."""


class ErrorSink(Protocol):
    """Receiver of errors outside of the program, such as Sentry. It must not block, and not raise."""

    def send(self, facts: ErrorFacts, version: str, level: Level = "error") -> None: ...

    async def aclose(self) -> None: ...


class Reporter(Protocol):
    """Where unexpected errors are reported."""

    def report(self, error: BaseException, *, event: str, plugin: str | None = None, **fields: object) -> str: ...

    def warn(self, error: BaseException, *, event: str, plugin: str | None = None) -> None: ...

    async def settle(self) -> None: ...


class LoggedOnly:
    """Reporter that only writes the log, for parts of the program that run without the bot."""

    def report(self, error: BaseException, *, event: str, plugin: str | None = None, **fields: object) -> str:
        """Log an error and return its code."""
        facts = facts_of(error, event, plugin)
        _log(facts, fields, has_trace=True)
        return facts.code

    def warn(self, error: BaseException, *, event: str, plugin: str | None = None) -> None:
        """Do nothing."""

    async def settle(self) -> None:
        """Do nothing."""


class ErrorReports:
    """Reports of the running bot. ``run`` stores them; ``aclose`` stores the last ones."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        origins: Origins,
        plugin_of: PluginOf,
        *,
        notices: Notices | None = None,
        sink: ErrorSink | None = None,
    ) -> None:
        """Create the service.

        Args:
            database: stores the errors.
            clock: source of time.
            origins: versions of the program and of plugins.
            plugin_of: attributes the frames of a traceback to plugins.
            notices: notices to the admins; None: none are sent.
            sink: also receives the errors.
        """
        self._database = database
        self._clock = clock
        self._origins = origins
        self._plugin_of = plugin_of
        self._notices = notices
        self._sink = sink
        self._pending = Pending()
        self._wakeup = Wakeup()
        self._storing = asyncio.Lock()
        self._wait: float | None = None
        """Seconds until notices may be due, or until errors are stored again."""
        self._traced: RecentKeys[str] = RecentKeys(clock, TRACE_SECONDS, _MOST_TRACED)
        self._is_reporting = False

    def report(self, error: BaseException, *, event: str, plugin: str | None = None, **fields: object) -> str:
        """Report an unexpected error. This never raises and never blocks.

        Args:
            error: the exception, with its traceback.
            event: name of the log line, such as ``update.failed``.
            plugin: id of the plugin whose code failed; by default the one whose code is in the traceback.
            fields: further fields of the log line. ``update_id``, ``turn`` and ``user`` (Telegram's id) also link the
                error to the update or turn and to the person.

        Returns:
            The code of this kind of error, such as ``E7K2-9QXM``.
        """
        try:
            if self._is_reporting:
                # An error of the reporter itself, such as in a method of a field's class.
                return code_of(event, plugin or "", type(error).__name__)
            self._is_reporting = True
            try:
                return self._report(error, event, plugin, fields)
            finally:
                self._is_reporting = False
        except Exception as failed:  # noqa: BLE001  a report must not make another error
            with suppress(Exception):
                log.error("errors.report_failed", of=event, error=type(failed).__name__)
            return code_of(event, plugin or "", type(error).__name__)

    def warn(self, error: BaseException, *, event: str, plugin: str | None = None) -> None:
        """Pass an expected error on to Sentry, as a warning. It is no report: the caller logs it. This never raises."""
        if self._sink is None:
            return
        try:
            self._sink.send(facts_of(error, event, plugin), self._origins.of(plugin).version, "warning")
        except Exception as failed:  # noqa: BLE001  a report must not make another error
            with suppress(Exception):
                log.error("errors.report_failed", of=event, error=type(failed).__name__)

    def report_quarantine(self, plugin: str, reason: str, failure: BaseException) -> None:
        """Report that a plugin was quarantined; the exception that a breach of the contract stands for counts."""
        shown, at = _shown(failure)
        self.report(shown, event="plugin.quarantined", plugin=plugin, reason=reason, at=at)

    def report_failure(self, plugin: str, hook: str, failure: BaseException) -> None:
        """Report a failed call of a hook that does not quarantine its plugin."""
        shown, at = _shown(failure)
        if hook == "tgllm_shutdown":
            self.report(shown, event="plugin.shutdown_failed", plugin=plugin, reason=str(failure), at=at)
        else:
            self.report(shown, event="plugin.call_failed", plugin=plugin, hook=hook, reason=str(failure), at=at)

    def report_stray(self, error: BaseException, task: object) -> None:
        """Report an error that nothing waits for.

        What people have written is known in the context of its task; without that, the message is left out, since it
        may quote them.
        """
        # Since Python 3.12.
        context_of = getattr(task, "get_context", None)
        if context_of is not None:
            context_of().copy().run(lambda: self.report(error, event="task.failed"))
            return
        with handling(lambda: [raw_text(error)]):
            self.report(error, event="task.failed")

    def report_crash(
        self, _kind: type[BaseException] | None, error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        """Report an error that ends the bot, as the exit of a context; expected ones are left to the caller."""
        if isinstance(error, Exception) and not isinstance(error, TgllmError):
            self.report(error, event="bot.crashed")
            mark_logged(error)

    async def settle(self) -> None:
        """Store what was reported. Failures are logged, and the errors are stored later."""
        async with self._storing:
            if self._pending:
                await self._store()

    async def run(self) -> None:
        """Store errors and add notices as they are due, until cancelled."""
        self._wakeup.set()
        while True:
            await self._wakeup.wait_for(self._wait, self._clock)
            async with self._storing:
                await self._store()

    async def aclose(self) -> None:
        """Store what is left and close the sink."""
        with suppress(TimeoutError):
            async with asyncio.timeout(LAST_SECONDS):
                await self.settle()
        if self._sink is not None:
            await self._sink.aclose()

    def _report(self, error: BaseException, event: str, plugin: str | None, fields: dict[str, object]) -> str:
        owner = plugin or self._owner(error)
        at = fields.pop("at", "")
        facts = facts_of(error, event, owner, self._is_own(owner), at if isinstance(at, str) else "")
        _log(facts, fields, has_trace=self._is_trace_due(facts.code))
        version = self._origins.of(owner).version
        self._pending.add(_new(facts, version, fields, milliseconds(self._clock)))
        self._wakeup.set()
        if self._sink is not None:
            self._sink.send(facts, version)
        return facts.code

    def _owner(self, error: BaseException) -> str | None:
        """Return the plugin whose code is in the traceback, nearest to the error."""
        owner, traceback = None, error.__traceback__
        while traceback is not None:
            module = str(traceback.tb_frame.f_globals.get("__name__"))
            owner, traceback = self._plugin_of(module) or owner, traceback.tb_next
        return owner

    def _is_own(self, owner: str | None) -> Callable[[str], bool] | None:
        return None if owner is None else lambda module: self._plugin_of(module) == owner

    def _is_trace_due(self, code: str) -> bool:
        if code in self._traced:
            return False
        self._traced.note(code)
        return True

    async def _store(self) -> None:
        taken = self._pending.take()

        def unit(conn: Connection) -> float | None:
            for each in taken:
                errors.put(conn, each)
            if taken:
                errors.keep(conn, MOST_STORED)
            return None if self._notices is None else self._notices.add(conn)

        def stored(_: object) -> None:
            if self._notices is not None:
                self._notices.stored()

        try:
            self._wait = await self._database.write(unit, then=stored)
        except Exception as error:  # noqa: BLE001  a full disk must not end the bot here; others notice it
            self._pending.give_back(taken)
            self._wait = RETRY_SECONDS
            log.warning("errors.not_stored", error=type(error).__name__, kinds=len(taken))


def _log(facts: ErrorFacts, fields: dict[str, object], *, has_trace: bool) -> None:
    values: dict[str, object] = {name: _plain(value) for name, value in fields.items()}
    if facts.plugin is not None:
        values["plugin"] = facts.plugin
    if facts.causes:
        values["causes"] = " <- ".join(facts.causes)
    if has_trace and facts.frames:
        # The console format shows this key as several lines.
        values["stack"] = "\n".join(str(frame) for frame in facts.frames)
    text = with_kind(facts.kind, facts.message)
    if facts.place:
        values["at"] = facts.place
    log.error(facts.event, error_id=facts.code, error=text, **values)


def _plain(value: object) -> object:
    """Return a value that the log can show without calling code of others."""
    return value if value is None or isinstance(value, str | int | float | bool) else type(value).__name__


def _new(facts: ErrorFacts, version: str, fields: dict[str, object], now: int) -> NewError:
    user = fields.get("user")
    user_id = user if isinstance(user, int) else None
    return NewError(
        id=facts.code,
        event=facts.event,
        kind=facts.kind,
        message=facts.message,
        place=facts.place,
        trace=[str(frame) for frame in facts.frames],
        plugin=facts.plugin,
        version=version,
        times=1,
        first_at=now,
        last_at=now,
        places=[ErrorPlace(kind, str(fields[kind]), user_id, now) for kind in _PLACES if fields.get(kind) is not None],
    )


def _shown(failure: BaseException) -> tuple[BaseException, str]:
    """Return the exception that a breach of the contract stands for, and the place of what is to blame, if known."""
    if not isinstance(failure, Breach):
        return failure.__cause__ or failure, ""
    if failure.__cause__ is not None:
        return failure.__cause__, failure.at
    # It was raised by a check: its own traceback says nothing about the plugin.
    return failure.with_traceback(None), failure.at
