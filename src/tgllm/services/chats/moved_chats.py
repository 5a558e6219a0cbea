"""Remembers the new ids of groups that have become supergroups, for ids that were written down before."""

from tgllm.db.engine.unit import Connection
from tgllm.db.tables import kv

__all__ = ["note_move", "present_id"]

_SCOPE = "moved_to"
"""In it, the key is the id of a group that is none any more, the value that of the supergroup."""


def note_move(conn: Connection, old: int, new: int, now: int) -> bool:
    """Remember that a group has become a supergroup; False if that was known.

    Args:
        conn: an open write transaction.
        old: Telegram's id of the group.
        new: Telegram's id of the supergroup.
        now: UTC, in milliseconds.
    """
    if present_id(conn, old) == new:
        return False
    kv.set_value(conn, _SCOPE, str(old), new, now)
    return True


def present_id(conn: Connection, chat_id: int) -> int:
    """The id that a chat has now, for one that was written down earlier, such as in a button or in the config."""
    new = kv.get(conn, _SCOPE, str(chat_id))
    return new if isinstance(new, int) else chat_id
