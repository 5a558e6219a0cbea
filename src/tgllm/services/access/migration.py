"""Migration of groups to supergroups: moves the data of a group to its new id."""

from tgllm.db.engine.unit import Connection
from tgllm.db.queries import chat_moves
from tgllm.db.tables import audit, groups, outbox
from tgllm.db.tables.plugins import jobs, unreachable, values
from tgllm.observe.logs import get_logger
from tgllm.services.access.cards import CARD
from tgllm.services.chats.group_mode import move_group_mode
from tgllm.services.chats.moved_chats import note_move
from tgllm.services.common.lane import Lane

__all__ = ["move_chat"]

log = get_logger(__name__)


def move_chat(conn: Connection, old: int, new: int, now: int) -> None:
    """Move the data of a group to its supergroup, within a larger transaction; idempotent.

    Args:
        conn: an open write transaction.
        old: Telegram id of the group.
        new: Telegram id of the supergroup.
        now: UTC, in milliseconds.
    """
    chat_moves.move(conn, old, new, Lane(old).key, Lane(new).key)
    groups.move(conn, old, new)
    outbox.rename_turns(conn, f"{CARD}:{old}:", f"{CARD}:{new}:")
    move_group_mode(conn, old, new, now)
    values.move(conn, old, new)
    jobs.move(conn, old, new)
    unreachable.move(conn, old, new)
    if not note_move(conn, old, new, now):
        return
    jobs.notify(conn, "chat_moved", old, {"old": old, "new": new}, now)
    entry = audit.NewEntry(
        actor_id=None, source="telegram", action="group.moved", target=str(old), details={"from": old, "to": new}
    )
    audit.add(conn, entry, now)
    log.info("group.moved", old=old, new=new)
