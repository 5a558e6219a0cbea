"""Groups that become supergroups: all that the bot keeps of a group goes on under its new id."""

from tgllm.db import audit, chat_moves, groups, kv, outbox
from tgllm.db.unit import Connection
from tgllm.observe.logs import get_logger
from tgllm.services.access_cards import CARD
from tgllm.services.group_mode import move_group_mode
from tgllm.services.lane import Lane

__all__ = ["move_chat", "present_id"]

log = get_logger(__name__)

_SCOPE = "moved_to"
"""In it, the key is the id of a group that is none any more, the value that of the supergroup."""


def move_chat(conn: Connection, old: int, new: int, now: int) -> None:
    """Take over what is kept of a group; part of a larger transaction, and harmless if it was done before.

    Args:
        conn: an open write transaction.
        old: Telegram's id of the group.
        new: Telegram's id of the supergroup.
        now: UTC, in milliseconds.
    """
    chat_moves.move(conn, old, new, Lane(old).key, Lane(new).key)
    groups.move(conn, old, new)
    outbox.rename_turns(conn, f"{CARD}:{old}:", f"{CARD}:{new}:")
    move_group_mode(conn, old, new, now)
    if kv.get(conn, _SCOPE, str(old)) == new:
        return
    kv.set_value(conn, _SCOPE, str(old), new, now)
    entry = audit.NewEntry(
        actor_id=None, source="telegram", action="group.moved", target=str(old), details={"from": old, "to": new}
    )
    audit.add(conn, entry, now)
    # An id in the configuration is the operator's to change; until then every message takes a call more.
    log.info("group.moved", old=old, new=new)


def present_id(conn: Connection, chat_id: int) -> int:
    """The id that a group has now, for one that was written down earlier, such as in a button."""
    new = kv.get(conn, _SCOPE, str(chat_id))
    return new if isinstance(new, int) else chat_id
