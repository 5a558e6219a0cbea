"""Lets people in or not, before any handler sees their update. Whatever is not clearly a yes is a no."""

from collections.abc import Awaitable, Callable
from typing import Any

from aiogram import BaseMiddleware, Bot
from aiogram.exceptions import AiogramError
from aiogram.types import CallbackQuery, Message, MessageGenerationStopped, TelegramObject, Update

from tgllm.bot.addressing import is_addressed, is_heard
from tgllm.bot.commands import parse_command
from tgllm.bot.messages import message_rows
from tgllm.bot.scope import UpdateScope
from tgllm.observe.logs import get_logger
from tgllm.services.group_mode import GroupMode, group_mode

__all__ = ["AuthMiddleware"]

log = get_logger(__name__)

Handler = Callable[[TelegramObject, dict[str, Any]], Awaitable[object]]


class AuthMiddleware(BaseMiddleware):
    """Passes on updates of people who have been let in, if no plugin objects. Fails closed."""

    async def __call__(self, handler: Handler, event: TelegramObject, data: dict[str, Any]) -> object:
        """Decide about one update."""
        scope: UpdateScope = data["scope"]
        content = event.event if isinstance(event, Update) else None
        if content is None or not await _concerns_the_bot(content, scope):
            return None
        if scope.person is None:
            return None
        scope.user = await scope.parts.core.users.identify(scope.person)
        if scope.user.role is None:
            if _is_spoken_to(content, scope):
                await self._refuse(content, scope)
            return None
        decision = await scope.parts.core.host.authorize(scope.user, scope.chat, _action(content, scope))
        if not decision.allowed:
            if _is_spoken_to(content, scope):
                await self._say_no(content, scope, decision.reason or scope.text("access.vetoed"))
            return None
        return await handler(event, data)

    async def _refuse(self, content: TelegramObject, scope: UpdateScope) -> None:
        """Register the request of somebody unknown, and say so; nothing else. An edit is no request."""
        person = scope.person
        assert person is not None  # noqa: S101  the caller has looked
        if _is_edit(scope):
            return
        users = scope.parts.core.users
        text = scope.text("access.pending")
        if isinstance(content, CallbackQuery):
            await _answer_press(scope.parts.bot, content, text)
            return
        replies = message_rows(scope.lane, text) if isinstance(content, Message) else []
        await scope.end(lambda conn: users.register_request(conn, person), replies=replies)
        log.info("access.requested", user=person.id)

    async def _say_no(self, content: TelegramObject, scope: UpdateScope, text: str) -> None:
        if isinstance(content, CallbackQuery):
            await _answer_press(scope.parts.bot, content, text)
        elif isinstance(content, Message) and not _is_edit(scope):
            await scope.reply(text)


def _is_edit(scope: UpdateScope) -> bool:
    """Whether it is about a message that has been seen before; most edits mean nothing to the bot."""
    return scope.row.kind == "edited_message"


async def _concerns_the_bot(content: TelegramObject, scope: UpdateScope) -> bool:
    """Whether the bot has to react at all: not to other bots, and in groups only to what their mode says."""
    if not isinstance(content, Message):
        return isinstance(content, CallbackQuery | MessageGenerationStopped)
    sender = content.from_user
    if sender is None or sender.is_bot:
        return False
    if scope.chat.is_private:
        return True
    mode: GroupMode = await scope.parts.core.database.read(lambda conn: group_mode(conn, scope.chat.id))
    return is_heard(content, scope, mode)


def _is_spoken_to(content: TelegramObject, scope: UpdateScope) -> bool:
    """Whether somebody expects an answer, if only a refusal: not those whose talk the bot overhears in a group."""
    return not isinstance(content, Message) or is_addressed(content, scope)


def _action(content: TelegramObject, scope: UpdateScope) -> str:
    """What the person is about to do, in the words of the ``tgllm_authorize`` hook."""
    if not isinstance(content, Message):
        return "button"
    command = parse_command(content.text or "", scope.parts.username)
    return f"command:{command.name}" if command is not None else "message"


async def _answer_press(bot: Bot, press: CallbackQuery, text: str) -> None:
    """Show a text at the pressed button. Telegram forgets presses after a while; then there is nobody to answer."""
    try:
        await bot.answer_callback_query(press.id, text=text[:200], show_alert=True)
    except AiogramError as error:
        log.info("press.not_answered", error=type(error).__name__)
