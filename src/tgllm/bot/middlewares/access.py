"""Lets people in or not, before any handler sees their update. Whatever is not clearly a yes is a no."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

from aiogram import BaseMiddleware
from aiogram.types import CallbackQuery, ChatMemberUpdated, Message, MessageGenerationStopped, TelegramObject, Update

from tgllm.bot.handlers.strangers import answer_press, forget_update, receive_stranger
from tgllm.bot.scope import Scope, UpdateScope
from tgllm.bot.turns.addressing import command_in, is_addressed, is_heard
from tgllm.services.people.standing import Standing

__all__ = ["AuthMiddleware"]

Handler = Callable[[TelegramObject, dict[str, Any]], Awaitable[object]]


class AuthMiddleware(BaseMiddleware):
    """Passes on updates of people who have been let in, if no plugin objects. Fails closed."""

    async def __call__(self, handler: Handler, event: TelegramObject, data: dict[str, Any]) -> object:
        """Decide about one update."""
        scope: UpdateScope = data["scope"]
        content = event.event if isinstance(event, Update) else None
        person = scope.person
        if content is None or person is None or not _may_concern_the_bot(content):
            return await forget_update(scope)
        standing = await scope.core.users.standing(person, scope.chat.id)
        mode = "always" if scope.chat.is_private else standing.mode
        identified = data["scope"] = Scope.of(scope, person, standing.user, mode)
        if isinstance(content, ChatMemberUpdated):
            if standing.closed in {"denied", "blocked"}:
                return await forget_update(identified)
            data["scope"] = await self._without_role_if_vetoed(identified)
            return await handler(event, data)
        if isinstance(content, Message) and not is_heard(content, identified, standing.mode):
            return await forget_update(identified)
        if standing.closed is not None:
            return await self._refuse(content, identified, standing)
        decision = await scope.core.host.authorize(standing.user, scope.chat, _action(content, identified))
        if not decision.allowed:
            return await self._say_no(content, identified, decision.reason or identified.text("access.vetoed"))
        await scope.core.users.remember(standing)
        await self._ask_for_group(identified, standing)
        return await handler(event, data)

    async def _without_role_if_vetoed(self, scope: Scope) -> Scope:
        """Bringing the bot into a group is for everybody, and an admin to whom a plugin objects is like everybody."""
        if scope.user.role is None:
            return scope
        decision = await scope.core.host.authorize(scope.user, scope.chat, "membership")
        return scope if decision.allowed else replace(scope, user=replace(scope.user, role=None))

    async def _refuse(self, content: TelegramObject, scope: Scope, standing: Standing) -> None:
        """Nothing but words for somebody who has not been let in; if they were kept out since, their turns stop."""
        if standing.closed in {"denied", "blocked"}:
            scope.core.running.stop_user(scope.user.id)
        if _is_spoken_to(content, scope):
            await receive_stranger(content, scope, standing)
        else:
            await forget_update(scope)

    async def _say_no(self, content: TelegramObject, scope: Scope, text: str) -> None:
        """Tell somebody of a plugin's veto; one against what they say ends the turn that they have running."""
        if _action(content, scope) == "message":
            scope.core.running.stop_user(scope.user.id)
        if isinstance(content, CallbackQuery):
            await answer_press(scope.parts.bot, content, text)
        elif isinstance(content, Message) and not _is_edit(scope) and _is_spoken_to(content, scope):
            await scope.reply(text)

    async def _ask_for_group(self, scope: Scope, standing: Standing) -> None:
        """Show the admins a group in which somebody whom they have let in talks to the bot."""
        core, user = scope.core, scope.user
        if user.is_admin or scope.chat.is_private or standing.group is not None:
            return
        await core.access.groups.request(core.database, scope.chat.id, scope.chat.title, user.id)


def _is_edit(scope: Scope) -> bool:
    """Whether it is about a message that has been seen before; most edits mean nothing to the bot."""
    return scope.row.kind == "edited_message"


def _may_concern_the_bot(content: TelegramObject) -> bool:
    """Whether it is of a kind that the bot reacts to, and from a person.

    Not from another bot, nor in the name of a chat, as of a channel or of a group whose admins hide: the sender that
    stands in such a message is not the one who wrote it (Bot API: Message, sender_chat).
    """
    if not isinstance(content, Message):
        return isinstance(content, CallbackQuery | MessageGenerationStopped | ChatMemberUpdated)
    return content.sender_chat is None and content.from_user is not None and not content.from_user.is_bot


def _is_spoken_to(content: TelegramObject, scope: Scope) -> bool:
    """Whether somebody expects an answer, if only a refusal: not those whose talk the bot overhears in a group."""
    return not isinstance(content, Message) or is_addressed(content, scope)


def _action(content: TelegramObject, scope: Scope) -> str:
    """What the person is about to do, in the words of the ``tgllm_authorize`` hook."""
    if not isinstance(content, Message):
        return "button"
    command = command_in(content, scope.parts.username)
    return f"command:{_own_name(command.name, scope)}" if command is not None else "message"


def _own_name(name: str, scope: Scope) -> str:
    """The name of a command for an alias of it: who may not use the one may not use the other."""
    offered = (owned.command for owned in scope.core.host.commands)
    return next((command.name for command in offered if name in command.aliases), name)
