"""Takes answers to the prompt for the admin password, so that no later code sees one.

It precedes the access check, plugins and handlers. A correct answer is passed on as the admin command that asked for
the password; every other answer ends here.
"""

import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any, Literal

from aiogram import BaseMiddleware
from aiogram.types import Message, TelegramObject, Update

from tgllm.bot.admin.password_answer import answer_question, close_question, delete_late, drop_edit, text_of
from tgllm.bot.scope import UpdateScope
from tgllm.bot.turns.addressing import command_in
from tgllm.services.admin_password.service import AdminPassword

__all__ = ["PasswordMiddleware"]

Handler = Callable[[TelegramObject, dict[str, Any]], Awaitable[object]]

Meaning = Literal["answer", "late", "cancel", "edit", "other"]


class PasswordMiddleware(BaseMiddleware):
    """Handles answers to the password prompt; other updates are passed on."""

    def __init__(self, password: AdminPassword) -> None:
        self._password = password

    async def __call__(self, handler: Handler, event: TelegramObject, data: dict[str, Any]) -> object:
        """Handle an answer; pass on everything else."""
        scope: UpdateScope = data["scope"]
        message = event.event if isinstance(event, Update) else None
        if not isinstance(message, Message) or not self._may_answer(message, scope):
            return await handler(event, data)
        async with self._password.turn:
            event = await self._settle(message, data) or event
        return None if scope.ended else await handler(event, data)

    def _may_answer(self, message: Message, scope: UpdateScope) -> bool:
        """Return whether it is a text of a user who was asked, in their private chat."""
        person = scope.person
        if person is None or scope.chat.id != person.id or scope.lane.business_connection_id is not None:
            return False
        questions = self._password.questions
        asked = questions.of(person.id) is not None or questions.was_answer(person.id, message.message_id)
        return asked and bool(text_of(message))

    async def _settle(self, message: Message, data: dict[str, Any]) -> Update | None:
        """Finish the update of an answer; return the update of the command that a correct answer runs, else None."""
        scope: UpdateScope = data["scope"]
        meaning = self._meaning(message, scope)
        if meaning != "other" and scope.person is not None:
            # For the user's chosen language.
            scope = data["scope"] = replace(scope, user=await scope.core.users.identify(scope.person))
        match meaning:
            case "answer":
                command = await answer_question(message, scope)
                return None if command is None else _take_the_place(command, data)
            case "late":
                await delete_late(message, scope)
            case "cancel":
                await close_question(scope)
            case "edit":
                await drop_edit(scope)
            case "other":
                pass
        return None

    def _meaning(self, message: Message, scope: UpdateScope) -> Meaning:
        questions, user_id, row = self._password.questions, scope.chat.id, scope.row
        # Bot API: dates of messages are in seconds.
        sent_at = 1000 * (message.edit_date or int(message.date.timestamp()))
        kind = questions.kind_of_answer(user_id, row.update_id, received_at=row.received_at, sent_at=sent_at)
        command = command_in(message, scope.parts.username)
        if command is not None:
            return "cancel" if command.name == "cancel" and kind == "answer" else "other"
        if kind is not None:
            return kind
        return "edit" if questions.was_answer(user_id, message.message_id) else "other"


def _take_the_place(command: UpdateScope, data: dict[str, Any]) -> Update:
    """Let the rest of the chain handle another update."""
    data["scope"] = command
    return Update.model_validate(json.loads(command.row.payload), context={"bot": command.parts.bot})
