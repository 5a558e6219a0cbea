"""Handles answers to the prompt for the admin password.

An answer is verified and erased: it is deleted from the chat and the database, and is part of no text, log line or
error.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, cast

from aiogram.exceptions import AiogramError

from tgllm.bot.admin.screen import WORD
from tgllm.bot.delivery.rows import message_rows
from tgllm.bot.scope import UpdateScope
from tgllm.db.checkpoint import empty_log
from tgllm.db.engine.unit import Connection, Unit
from tgllm.db.queries import scrub
from tgllm.db.tables import audit, outbox
from tgllm.observe.logs import get_logger
from tgllm.services.admin_password.guesses import Guess
from tgllm.services.admin_password.questions import Question
from tgllm.services.admin_password.service import AdminPassword
from tgllm.services.admin_password.tries import Tries, count_try, forgive, tries_of
from tgllm.services.common.lane import Lane
from tgllm.services.common.text import one_line

__all__ = [
    "Answer",
    "answer_question",
    "close_question",
    "delete_late",
    "delete_unasked",
    "drop_edit",
    "locked_text",
]

log = get_logger(__name__)

_KEPT = ("message_id", "date", "chat", "from", "message_thread_id", "is_topic_message")


@dataclass(frozen=True, slots=True)
class Answer:
    """A message that may be the password."""

    chat_id: int
    message_id: int
    guess: Guess
    is_stored: bool
    """Whether the database holds its content: only of updates that an earlier version has stored."""


async def close_question(answer: Answer, scope: UpdateScope, locked_until: int) -> None:
    """Finish the update and close the prompt; during a lockout, treat further messages as ordinary ones.

    The message is /cancel. With arguments, which may be the password, it is deleted.
    """
    questions = scope.core.password.questions
    complaints = await _complaints(answer, scope) if answer.guess.text else []
    text = "\n\n".join([scope.text("password.cancelled"), *complaints])
    await scope.reply(text, lambda conn: questions.go_on(conn, _user_id(scope), locked_until))


async def drop_edit(scope: UpdateScope) -> None:
    """Finish the update of an edited answer that has been handled before."""
    await scope.end(lambda conn: scrub.scrub(conn, scope.row.update_id))
    await empty_log(scope.core.database, scope.clock)


async def delete_late(answer: Answer, scope: UpdateScope) -> None:
    """Finish the update of a late answer, or of one in a group, without verifying it."""
    is_private = answer.chat_id == _user_id(scope)
    questions = scope.core.password.questions
    tries = await scope.read(lambda conn: tries_of(conn, _user_id(scope)))
    deleted = await _deletion(answer, scope)
    if not is_private:
        text = _elsewhere_text(scope, deleted)
    elif tries.is_locked(scope.now):
        text = f"{locked_text(scope, tries)} {scope.text('password.locked_late', deleted=deleted)}"
    else:
        text = scope.text("password.late", deleted=deleted)

    def unit(conn: Connection) -> None:
        if is_private and not tries.is_locked(scope.now):
            questions.warn(conn, _user_id(scope))

    await _swallow(answer, scope, text, unit)


async def delete_unasked(answer: Answer, scope: UpdateScope) -> None:
    """Finish the update of a message with the password that was not asked for there."""
    is_private = answer.chat_id == _user_id(scope)
    deleted = await _deletion(answer, scope)
    text = scope.text("password.unasked", deleted=deleted) if is_private else _elsewhere_text(scope, deleted)
    log.info("password.unasked", user=_user_id(scope))
    await _swallow(answer, scope, text, lambda _conn: None)


async def _swallow(answer: Answer, scope: UpdateScope, text: str, effect: Unit) -> None:
    """Empty the update of a message. The sender is notified in private, where nobody else reads it."""
    lane = scope.lane if answer.chat_id == _user_id(scope) else Lane(_user_id(scope))
    await scope.end(effect, lambda conn: scrub.scrub(conn, scope.row.update_id), replies=message_rows(lane, text))
    if answer.is_stored:
        await empty_log(scope.core.database, scope.clock)


async def _deletion(answer: Answer, scope: UpdateScope) -> str:
    """Delete a message that is no answer, and return whether that succeeded, for the sender."""
    scope.core.password.questions.note_answer(_user_id(scope), answer.message_id)
    is_deleted = await _is_deleted(answer, scope)
    return scope.text("password.deleted" if is_deleted else "password.not_deleted")


def _elsewhere_text(scope: UpdateScope, deleted: str) -> str:
    return scope.text("password.elsewhere", chat=one_line(scope.chat.title, 60), deleted=deleted)


def _user_id(scope: UpdateScope) -> int:
    return scope.chat.id if scope.person is None else scope.person.id


async def answer_question(answer: Answer, scope: UpdateScope) -> UpdateScope | None:
    """Verify an answer.

    Before anything else, the try is counted and the answer is erased from the database, in one transaction.

    Returns:
        If it is right, the scope of the update to be handled in its place: the command that was to be run, sent by the
        same person. Otherwise None, and the update has ended.
    """
    password, user_id = scope.core.password, scope.chat.id
    question = password.questions.of(user_id)
    assert question is not None  # noqa: S101  the caller has looked
    password.questions.note_answer(user_id, answer.message_id)
    command = _as_command(scope, question)
    tries = await scope.write(lambda conn: _take(conn, scope, command))
    if answer.is_stored:
        await empty_log(scope.core.database, scope.clock)
    complaints = await _complaints(answer, scope)
    if not await password.is_right(answer.guess.answers):
        await _refuse(scope, tries, complaints)
        return None
    await _accept(scope, complaints)
    return replace(scope, row=replace(scope.row, payload=command, kind="message"))


def _as_command(scope: UpdateScope, question: Question) -> str:
    """Return the update as JSON, with the command that asked for the password in place of the answer."""
    raw: dict[str, Any] = json.loads(scope.row.payload)
    message = cast("dict[str, Any]", raw[scope.row.kind])
    kept = {key: message[key] for key in _KEPT if key in message}
    return json.dumps({"update_id": scope.row.update_id, "message": kept | {"text": f"/{WORD} {question.line}"}})


def _take(conn: Connection, scope: UpdateScope, command: str) -> Tries:
    scrub.replace_payload(conn, scope.row.update_id, command)
    return count_try(conn, scope.chat.id, scope.core.password.first_lockout, scope.now)


async def _accept(scope: UpdateScope, complaints: Iterable[str]) -> None:
    def unit(conn: Connection) -> None:
        forgive(conn, scope.chat.id)
        _close(conn, scope)
        for text in complaints:
            outbox.add(conn, message_rows(scope.lane, text), scope.now)

    scope.core.password.open(scope.chat.id)
    await scope.write(unit)
    log.info("password.right", user=scope.chat.id)


async def _refuse(scope: UpdateScope, tries: Tries, complaints: Iterable[str]) -> None:
    password, now, user_id = scope.core.password, scope.now, scope.chat.id
    locked = tries.is_locked(now)

    def unit(conn: Connection) -> None:
        until = now if locked else now + password.question_life
        password.questions.wait_until(conn, user_id, until, now, again=not locked)
        if locked:
            details = {"lockouts": tries.lockouts}
            entry = audit.NewEntry(actor_id=user_id, source="telegram", action="password.lockout", details=details)
            audit.add(conn, entry, now)

    log.warning("password.wrong", user=user_id, locked=locked)
    said = locked_text(scope, tries) if locked else _again_text(scope, tries, password)
    await scope.reply("\n\n".join([said, *complaints]), unit)


def locked_text(scope: UpdateScope, tries: Tries) -> str:
    """Return the text of a lockout, with the time until its end, in minutes or more."""
    minutes = max(1, -(-(tries.locked_until - scope.now) // 60_000))
    time = scope.text("duration.minutes", count=1) if minutes == 1 else scope.duration(minutes * 60)
    return scope.text("password.locked", time=time)


def _again_text(scope: UpdateScope, tries: Tries, password: AdminPassword) -> str:
    return scope.text("password.wrong", count=tries.left, time=scope.duration(password.question_life / 1000))


def _close(conn: Connection, scope: UpdateScope) -> None:
    scope.core.password.questions.close(conn, scope.chat.id)


async def _complaints(answer: Answer, scope: UpdateScope) -> list[str]:
    """Delete an answer from the chat; return a warning for the user if that failed."""
    return [] if await _is_deleted(answer, scope) else [scope.text("password.answer_not_deleted")]


async def _is_deleted(answer: Answer, scope: UpdateScope) -> bool:
    """Delete the message from the chat; return whether that succeeded."""
    try:
        await scope.parts.bot.delete_message(answer.chat_id, answer.message_id)
    except AiogramError as error:
        log.warning("password.not_deleted", user=scope.chat.id, error=type(error).__name__)
        return False
    return True
