"""Log of failing calls: at once, at each change of the cause, and then rarely."""

from typing import Final

from tgllm.api.clock import Clock
from tgllm.api.context import Log
from tgllm.bot.telegram.failures import CallFailure

__all__ = ["Outage"]

REPEAT_SECONDS: Final = 600.0
"""Seconds after which the same cause is logged again."""


class Outage:
    """Episode of failures of one kind of call."""

    def __init__(self, log: Log, clock: Clock, event: str) -> None:
        """Begin without a failure; failures are logged as ``event``, the end as ``telegram.reached_again``."""
        self._log = log
        self._clock = clock
        self._event = event
        self._cause = ""
        self._failures = 0
        self._began_at = 0.0
        self._logged_at = 0.0

    def failed(self, failure: CallFailure, **fields: object) -> None:
        """Log a failure, or count it if its cause was logged lately."""
        now = self._clock.monotonic()
        cause = failure.connection.cause if failure.connection else failure.reason
        if not self._failures:
            self._began_at = now
        self._failures += 1
        if cause == self._cause and now - self._logged_at < REPEAT_SECONDS:
            self._log.debug(self._event, reason=cause, failures=self._failures, **fields)
            return
        self._cause, self._logged_at = cause, now
        self._log.warning(self._event, **_fields(failure), failures=self._failures, **fields)

    def over(self) -> None:
        """Note that a call has succeeded; the end of an episode is logged."""
        if self._failures:
            seconds = round(self._clock.monotonic() - self._began_at, 1)
            self._log.info("telegram.reached_again", after=self._event, failures=self._failures, seconds=seconds)
            self._failures, self._cause = 0, ""


def _fields(failure: CallFailure) -> dict[str, object]:
    """Return the fields of a log line: the reason, and parts of it that are easier to search for."""
    connection = failure.connection
    if connection is None:
        return {"reason": failure.reason}
    parts = {"reason": connection.cause, "host": connection.target, "cause": connection.kind, "hint": connection.advice}
    return {**parts, **({"proxy": connection.proxy} if connection.proxy else {})}
