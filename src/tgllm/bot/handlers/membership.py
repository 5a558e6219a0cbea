"""The bot is added to a group: an admin approves the group by adding it, other users request it."""

from functools import partial

from aiogram.types import ChatMemberUpdated

from tgllm.bot.delivery.rows import message_rows
from tgllm.bot.handlers.strangers import forget_update, group_state
from tgllm.bot.scope import Scope, is_admin_chat
from tgllm.db.engine.unit import Connection
from tgllm.db.tables import groups, outbox
from tgllm.db.tables.outbox import NOTICE
from tgllm.db.tables.plugins import unreachable
from tgllm.observe.logs import get_logger
from tgllm.services.messaging.rows import with_priority

__all__ = ["handle_membership"]

log = get_logger(__name__)

# Bot API: ChatMember. A restricted member may be in the group or not; a bot is never restricted by joining.
_OUTSIDE = frozenset({"left", "kicked"})
_INSIDE = frozenset({"member", "administrator"})


async def handle_membership(event: ChatMemberUpdated, scope: Scope) -> None:
    """Approve or request a group to which the bot was added; note where it may not write any more, or may again."""
    reach = partial(_note_reach, event=event, scope=scope)
    added = event.old_chat_member.status in _OUTSIDE and event.new_chat_member.status in _INSIDE
    user, access = scope.user, scope.core.access
    if not added or scope.chat.kind not in {"group", "supergroup"}:
        await forget_update(scope, reach)
    elif user.is_admin:
        approve_by, chat = access.groups.approve_by, scope.chat
        await forget_update(scope, reach, lambda conn: approve_by(conn, chat.id, chat.title, scope.actor))
        log.info("group.approved", chat=scope.chat.id, by=user.id)
    elif await is_admin_chat(scope):
        await forget_update(scope, reach)
    else:
        may_answer = access.limits.may_answer(("group", scope.chat.id))
        await forget_update(scope, reach, lambda conn: _request(conn, scope, user.id, is_told=may_answer))


def _note_reach(conn: Connection, event: ChatMemberUpdated, scope: Scope) -> None:
    if event.new_chat_member.status in _OUTSIDE:
        unreachable.note(conn, scope.chat.id, scope.now)
    elif event.old_chat_member.status in _OUTSIDE:
        unreachable.reached(conn, scope.chat.id)


def _request(conn: Connection, scope: Scope, user_id: int, *, is_told: bool) -> None:
    """Request the group, unless it is approved already, and tell the group that it waits."""
    known = groups.get(conn, scope.chat.id)
    if known is not None and known.status == "active":
        return
    asked = scope.core.access.groups.request_in(conn, scope.chat.id, scope.chat.title, user_id)
    if is_told:
        rows = message_rows(scope.lane, group_state(scope, asked))
        outbox.add(conn, with_priority(rows, NOTICE), scope.now)
