"""New ids of groups that were migrated to supergroups, to resolve old ids in buttons, config and database."""

from tgllm.db.engine.unit import Connection
from tgllm.db.tables import kv

__all__ = ["note_move", "present_id"]

_SCOPE = "moved_to"
"""Scope of the key-value store; the key is the old id of the group, the value the id of the supergroup."""


def note_move(conn: Connection, old: int, new: int, now: int) -> bool:
    """Store that a group was migrated to a supergroup; return False if that is stored already.

    Args:
        conn: an open write transaction.
        old: Telegram id of the group.
        new: Telegram id of the supergroup.
        now: UTC, in milliseconds.
    """
    if present_id(conn, old) == new:
        return False
    kv.set_value(conn, _SCOPE, str(old), new, now)
    return True


def present_id(conn: Connection, chat_id: int) -> int:
    """Return the current id of a chat, given its current or a former one, such as from a button or the config."""
    new = kv.get(conn, _SCOPE, str(chat_id))
    return new if isinstance(new, int) else chat_id
