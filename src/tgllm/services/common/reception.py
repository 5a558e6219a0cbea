"""Whether the running bot receives updates, stored for shell commands such as ``tgllm ping``."""

from dataclasses import dataclass
from typing import Final

from tgllm.db.engine.unit import Connection
from tgllm.db.tables import kv

__all__ = ["NOT_READY_AFTER", "Failing", "failing", "note_failing", "note_receiving"]

NOT_READY_AFTER: Final = 10_000
"""Age in ms of an episode of failures above which the bot counts as not ready; shorter ones are common."""

_SCOPE: Final = "intake"
_KEY: Final = "failing"


@dataclass(frozen=True, slots=True)
class Failing:
    """An episode in which no request for updates succeeds."""

    since: int
    """First failure, UTC in milliseconds."""
    reason: str


def failing(conn: Connection, now: int) -> Failing | None:
    """Return the present episode of failures, if it has lasted long enough to count."""
    match kv.get(conn, _SCOPE, _KEY):
        case {"since": int(since), "reason": str(reason)} if now - since >= NOT_READY_AFTER:
            return Failing(since, reason)
        case _:
            return None


def note_failing(conn: Connection, since: int, reason: str) -> None:
    """Store that requests for updates have failed since a time."""
    kv.set_value(conn, _SCOPE, _KEY, {"since": since, "reason": reason}, since)


def note_receiving(conn: Connection) -> None:
    """Store that updates are received."""
    kv.delete(conn, _SCOPE, _KEY)
