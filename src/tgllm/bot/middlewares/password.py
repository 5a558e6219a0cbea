"""Takes messages that are or may be the admin password, so that no later code sees one.

It precedes the access check, plugins and handlers. The contents of such messages are only in memory (see
``tgllm.bot.intake.hiding``). A correct answer to the prompt is passed on as the admin command that asked for the
password; a message that turns out to be something else is stored and passed on; all others end here.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from aiogram import BaseMiddleware
from aiogram.types import TelegramObject, Update

from tgllm.bot.admin.password_answer import (
    Answer,
    answer_question,
    close_question,
    delete_late,
    delete_unasked,
    drop_edit,
)
from tgllm.bot.scope import UpdateScope
from tgllm.bot.updates.parsing import parse_update
from tgllm.bot.updates.raw import content_of
from tgllm.bot.updates.typed import guess_of
from tgllm.bot.updates.values import as_id
from tgllm.db.queries import scrub
from tgllm.observe.logs import get_logger
from tgllm.services.admin_password.guesses import Guess, is_single, typed_texts
from tgllm.services.admin_password.questions import Kind
from tgllm.services.admin_password.service import AdminPassword
from tgllm.services.admin_password.tries import tries_of
from tgllm.services.common.update_notes import HIDDEN, notes_of

__all__ = ["PasswordMiddleware"]

log = get_logger(__name__)

Handler = Callable[[TelegramObject, dict[str, Any]], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class _Sent:
    """A message of an admin that may be the password."""

    user_id: int
    scope: UpdateScope
    content: Mapping[str, Any]
    guess: Guess
    kind: Kind | None
    locked_until: int
    is_stored: bool
    """Whether the database holds its content."""

    @property
    def is_private(self) -> bool:
        """Whether it is in the private chat with its sender."""
        return self.scope.chat.id == self.user_id and self.scope.lane.business_connection_id is None

    @property
    def answer(self) -> Answer:
        """The message as an answer."""
        return Answer(self.scope.chat.id, as_id(self.content.get("message_id")) or 0, self.guess, self.is_stored)


class PasswordMiddleware(BaseMiddleware):
    """Handles messages that may be the password; other updates are passed on."""

    def __init__(self, password: AdminPassword) -> None:
        self._password = password

    async def __call__(self, handler: Handler, event: TelegramObject, data: dict[str, Any]) -> object:
        """Handle a possible password; pass on everything else."""
        scope: UpdateScope = data["scope"]
        payload = self._password.vault.get(scope.row.update_id)
        if payload is None and HIDDEN in notes_of(scope.row.payload):
            # Its content was in the memory of an earlier process; recovery has notified the sender.
            return await scope.end(lambda conn: scrub.scrub(conn, scope.row.update_id))
        if payload is None and not self._concerns(scope):
            return await handler(event, data)
        async with self._password.turn:
            passed_on = await self._settle(payload, data)
        if passed_on is not None and isinstance(event, Update):
            event = passed_on
        return None if scope.ended else await handler(event, data)

    def _concerns(self, scope: UpdateScope) -> bool:
        """Return whether a message that is stored with its content concerns the prompt."""
        person = scope.person
        is_message = scope.row.kind in {"message", "edited_message"}
        if not self._password.is_set or person is None or not is_message or scope.chat.id != person.id:
            return False
        content, questions = content_of(scope.row), self._password.questions
        if questions.of(person.id) is not None:
            return True
        if questions.was_answer(person.id, as_id(content.get("message_id")) or 0):
            return True
        return str(content.get("text", "")).lower().startswith("/cancel")

    async def _settle(self, payload: str | None, data: dict[str, Any]) -> Update | None:
        """Finish the update, or return what is to be handled; None if the event is to be handled as it is."""
        scope: UpdateScope = data["scope"]
        sent = await self._sent(scope, payload)
        if sent is None:
            return None if payload is None else await _restored(scope, payload, data)
        # For the user's chosen language.
        data["scope"] = sent.scope
        if sent.guess.command == "cancel" and sent.is_private and sent.kind is not None:
            await self._cancel(sent)
        elif sent.kind == "answer" and sent.is_private and sent.guess.text and not sent.guess.command:
            command = await answer_question(sent.answer, sent.scope)
            return None if command is None else _take_the_place(command, data)
        elif _is_swallowed(sent):
            await delete_late(sent.answer, sent.scope)
        elif sent.is_private and self._password.questions.was_answer(sent.user_id, sent.answer.message_id):
            await drop_edit(sent.scope)
        elif payload is None:
            return None
        elif await self._is_password(sent):
            await delete_unasked(sent.answer, sent.scope)
        else:
            return await _restored(sent.scope, payload, data)
        return None

    async def _sent(self, scope: UpdateScope, payload: str | None) -> _Sent | None:
        """Return the message; None if its sender is no admin now, or has typed nothing."""
        if scope.person is None:
            return None
        content = content_of(scope.row if payload is None else replace(scope.row, payload=payload))
        user = await scope.core.users.identify(scope.person)
        if not user.is_admin:
            await self._end_for(user.id, scope)
            return None
        guess = guess_of(content, scope.parts.bot_id, scope.parts.username)
        if guess is None:
            return None
        tries = await scope.read(lambda conn: tries_of(conn, user.id))
        kind = self._password.questions.kind_of_answer(
            user.id,
            scope.row.update_id,
            received_at=scope.row.received_at,
            # Bot API: dates of messages are in seconds.
            sent_at=1000 * int(content.get("edit_date") or content.get("date") or 0),
            locked_until=tries.locked_until,
        )
        scope = replace(scope, user=user)
        return _Sent(user.id, scope, content, guess, kind, tries.locked_until, is_stored=payload is None)

    async def _end_for(self, user_id: int, scope: UpdateScope) -> None:
        """End the prompt and the session of somebody who is no admin any more."""
        self._password.close(user_id)
        if self._password.questions.of(user_id) is not None:
            await scope.write(lambda conn: self._password.questions.close(conn, user_id))

    async def _cancel(self, sent: _Sent) -> None:
        """Close the prompt. After a late answer, the command is passed on as well."""
        if sent.kind == "after" and not sent.guess.text:
            await sent.scope.write(lambda conn: self._password.questions.go_on(conn, sent.user_id, sent.locked_until))
        else:
            await close_question(sent.answer, sent.scope, sent.locked_until)

    async def _is_password(self, sent: _Sent) -> bool:
        """Return whether the password was sent though it was not asked for here."""
        if self._password.is_repeated(sent.user_id, typed_texts(sent.content)):
            return True
        of_any_form = sent.kind is not None or self._password.may_be_known(sent.user_id, sent.guess.candidates)
        candidates = sent.guess.candidates if of_any_form else sent.guess.singles
        return bool(candidates) and await self._password.is_unasked(sent.user_id, candidates)


def _is_swallowed(sent: _Sent) -> bool:
    """Return whether a message is deleted without a check: a late answer, or a guess in a group meanwhile."""
    guess = sent.guess
    if guess.command or sent.kind is None or not guess.text:
        return False
    if sent.kind == "after":
        return guess.is_addressed and is_single(guess.text)
    return sent.is_private or (guess.is_addressed and guess.is_short)


async def _restored(scope: UpdateScope, payload: str, data: dict[str, Any]) -> Update | None:
    """Store the content of an update that is no password, and return it."""
    await scope.write(lambda conn: scrub.replace_payload(conn, scope.row.update_id, payload))
    data["scope"] = replace(scope, row=replace(scope.row, payload=payload))
    try:
        return parse_update(payload, scope.parts.bot)
    except Exception as error:  # noqa: BLE001  aiogram's models run code of their own, which may fail in any way
        log.warning("update.quarantined", kind=scope.row.kind, reason=type(error).__name__)
        await scope.end(lambda conn: scrub.scrub(conn, scope.row.update_id), state="failed", error=lambda: "unreadable")
        return None


def _take_the_place(command: UpdateScope, data: dict[str, Any]) -> Update:
    """Let the rest of the chain handle another update."""
    data["scope"] = command
    return parse_update(command.row.payload, command.parts.bot)
