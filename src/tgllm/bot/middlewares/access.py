"""Access control of updates, before any handler. Fails closed."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

from aiogram import BaseMiddleware
from aiogram.types import CallbackQuery, ChatMemberUpdated, Message, MessageGenerationStopped, TelegramObject, Update

from tgllm.bot.delivery.rows import message_rows
from tgllm.bot.handlers.strangers import answer_press, forget_update, receive_stranger
from tgllm.bot.scope import Scope, UpdateScope
from tgllm.bot.turns.addressing import command_in, is_addressed, is_heard
from tgllm.bot.turns.albums import is_album_heard
from tgllm.db.tables import outbox
from tgllm.services.people.standing import Standing

__all__ = ["AuthMiddleware"]

Handler = Callable[[TelegramObject, dict[str, Any]], Awaitable[object]]


class AuthMiddleware(BaseMiddleware):
    """Passes on updates of approved users, unless a plugin vetoes them. Fails closed."""

    async def __call__(self, handler: Handler, event: TelegramObject, data: dict[str, Any]) -> object:
        """Pass on, refuse or drop an update."""
        scope: UpdateScope = data["scope"]
        content = event.event if isinstance(event, Update) else None
        person = scope.person
        if content is None or person is None or not _may_concern_the_bot(content):
            return await forget_update(scope)
        standing = await scope.core.users.standing(person, scope.lane.access_id, scope.first_look.access)
        mode = "always" if scope.chat.is_private else standing.mode
        identified = data["scope"] = Scope.of(scope, person, standing.user, mode)
        if isinstance(content, ChatMemberUpdated):
            if standing.closed in {"denied", "blocked"}:
                return await forget_update(identified)
            data["scope"] = await self._without_role_if_vetoed(identified)
            return await handler(event, data)
        if isinstance(content, Message) and scope.lane.ephemeral_user_id is not None:
            return await self._answer_ephemeral(content, identified, standing)
        if isinstance(content, Message) and not await _is_for_the_bot(content, identified, standing):
            return await forget_update(identified)
        if standing.closed is not None:
            return await self._refuse(content, identified, standing)
        decision = await scope.core.host.authorize(standing.user, scope.chat, _action(content, identified))
        if not decision.allowed:
            return await self._say_no(content, identified, decision.reason or identified.text("access.vetoed"))
        await scope.core.users.remember(standing)
        if not isinstance(content, CallbackQuery):
            # The place of a press may be refused, and buttons follow messages, which have requested the group.
            await self._ask_for_group(identified, standing)
        return await handler(event, data)

    async def _without_role_if_vetoed(self, scope: Scope) -> Scope:
        """Remove the role of a user vetoed by a plugin: any user may add the bot to a group, but only as a request."""
        if scope.user.role is None:
            return scope
        decision = await scope.core.host.authorize(scope.user, scope.chat, "membership")
        return scope if decision.allowed else replace(scope, user=replace(scope.user, role=None))

    async def _answer_ephemeral(self, content: Message, scope: Scope, standing: Standing) -> None:
        """Tell an approved user, in an ephemeral message too, to ask elsewhere; nothing of theirs is kept."""
        is_answered = standing.closed is None and not _is_edit(scope)
        if is_answered:
            is_answered = (await scope.core.host.authorize(scope.user, scope.chat, _action(content, scope))).allowed
        text = scope.text("access.ephemeral", username=scope.parts.username)
        rows = message_rows(scope.lane, text) if is_answered else []
        await forget_update(scope, lambda conn: outbox.add(conn, rows, scope.now))

    async def _refuse(self, content: TelegramObject, scope: Scope, standing: Standing) -> None:
        """Refuse an update of a user without access; the running turns of a denied or blocked user are stopped."""
        if standing.closed in {"denied", "blocked"}:
            scope.core.running.stop_user(scope.user.id)
        if _is_spoken_to(content, scope):
            await receive_stranger(content, scope, standing)
        else:
            await forget_update(scope)

    async def _say_no(self, content: TelegramObject, scope: Scope, text: str) -> None:
        """Tell a user of a plugin's veto; a veto of a message also stops their running turns."""
        if _action(content, scope) == "message":
            scope.core.running.stop_user(scope.user.id)
        if isinstance(content, CallbackQuery):
            await answer_press(scope.parts.bot, content, text)
        elif isinstance(content, Message) and not _is_edit(scope) and _is_spoken_to(content, scope):
            await scope.reply(text)

    async def _ask_for_group(self, scope: Scope, standing: Standing) -> None:
        """Send the admins a request for an unknown group in which an approved user talks to the bot."""
        core, user = scope.core, scope.user
        if user.is_admin or not scope.chat.is_group or standing.group is not None:
            return
        await core.access.groups.request(core.database, scope.chat.id, scope.chat.title, user.id)


async def _is_for_the_bot(message: Message, scope: Scope, standing: Standing) -> bool:
    """Return whether the bot answers a message; the albums of people without access are not gathered."""
    if is_heard(message, scope, standing.mode):
        return True
    return standing.closed is None and await is_album_heard(message, scope)


def _is_edit(scope: Scope) -> bool:
    """Return whether the update is an edit; most edits do not concern the bot."""
    return scope.row.kind == "edited_message"


def _may_concern_the_bot(content: TelegramObject) -> bool:
    """Return whether the content is of a kind that the bot handles, and from a user.

    Messages of bots and messages on behalf of a chat, such as a channel or anonymous group admins, are not: the sender
    of the latter is not their author (Bot API: Message, sender_chat).
    """
    if not isinstance(content, Message):
        return isinstance(content, CallbackQuery | MessageGenerationStopped | ChatMemberUpdated)
    return content.sender_chat is None and content.from_user is not None and not content.from_user.is_bot


def _is_spoken_to(content: TelegramObject, scope: Scope) -> bool:
    """Return whether the sender expects an answer, if only a refusal; not in group messages that are for others."""
    return not isinstance(content, Message) or is_addressed(content, scope)


def _action(content: TelegramObject, scope: Scope) -> str:
    """Return the action as the ``tgllm_authorize`` hook names it."""
    if not isinstance(content, Message):
        return "button"
    command = command_in(content, scope.parts.username)
    return f"command:{_own_name(command.name, scope)}" if command is not None else "message"


def _own_name(name: str, scope: Scope) -> str:
    """Return the name of a command for its alias, so that a veto of a command holds for its aliases."""
    offered = (owned.command for owned in scope.core.host.commands)
    return next((command.name for command in offered if name in command.aliases), name)
