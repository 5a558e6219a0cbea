"""Whether a plugin may write to a chat."""

from tgllm.api.errors import ChatUnavailable, Unavailability
from tgllm.db.engine.unit import Connection
from tgllm.db.tables import groups, users
from tgllm.db.tables.plugins import unreachable
from tgllm.services.chats.moved_chats import present_id
from tgllm.services.common.lane import SHELL_CHAT_ID, Lane

__all__ = ["check_reachable"]


def check_reachable(
    conn: Connection, lane: Lane, now: int, *, recipient_id: int | None, admin_chat_id: int | None, is_open: bool
) -> None:
    """Check that a plugin may write to a lane.

    Args:
        conn: an open transaction; only reads.
        lane: of the chat.
        now: UTC, in milliseconds.
        recipient_id: the person for whom the message is in a group or in the direct messages of a channel.
        admin_chat_id: the admin chat of the config.
        is_open: whether a command or a press from there, whose access was checked, is being handled.

    Raises:
        ChatUnavailable: it may not.
    """
    reason = _obstacle(conn, lane, now, recipient_id, admin_chat_id, is_open=is_open)
    if reason is not None:
        raise ChatUnavailable(reason=reason, chat=lane.chat_id)


def _obstacle(
    conn: Connection, lane: Lane, now: int, recipient_id: int | None, admin_chat_id: int | None, *, is_open: bool
) -> Unavailability | None:
    if lane.chat_id == SHELL_CHAT_ID:
        return "unknown"
    reason: Unavailability | None = None
    if not is_open:
        if lane.direct_topic_id is not None:
            # There only the person counts, not the approval of a group.
            reason = "no_access" if recipient_id is None else _of_person(conn, recipient_id, now)
        elif lane.chat_id > 0:
            # Bot API: Chat. A private chat has the id of its person.
            reason = _of_person(conn, lane.chat_id, now)
        else:
            reason = _of_group(conn, lane.chat_id, admin_chat_id)
    if reason is None and unreachable.is_unreachable(conn, lane.chat_id):
        return "blocked"
    return reason


def _of_person(conn: Connection, user_id: int, now: int) -> Unavailability | None:
    user = users.get(conn, user_id)
    if user is None:
        return "unknown"
    return None if user.may_use(now) else "no_access"


def _of_group(conn: Connection, chat_id: int, admin_chat_id: int | None) -> Unavailability | None:
    if admin_chat_id is not None and present_id(conn, admin_chat_id) == chat_id:
        return None
    group = groups.get(conn, chat_id)
    if group is None:
        return "unknown"
    return None if group.status == "active" else "no_access"
