"""Record of the webhook that the bot has set, which distinguishes it from a webhook of another program."""

from typing import Final

from tgllm.db.engine.unit import Connection
from tgllm.db.tables import kv

__all__ = ["forget_own", "note_own", "own_url"]

_SCOPE: Final = "intake"
_KEY: Final = "webhook"


def own_url(conn: Connection) -> str:
    """Return the address of the webhook that the bot has set last; empty if there is none."""
    match kv.get(conn, _SCOPE, _KEY):
        case {"url": str(url)}:
            return url
        case _:
            return ""


def note_own(conn: Connection, url: str, now: int) -> None:
    """Record the address before the webhook is set."""
    kv.set_value(conn, _SCOPE, _KEY, {"url": url}, now)


def forget_own(conn: Connection) -> None:
    """Record that the webhook is removed."""
    kv.delete(conn, _SCOPE, _KEY)
