"""What becomes of an answer to the question for the admin password.

What was typed is compared and forgotten: it leaves the chat and the database, and is put into no text, no log line and
no error.
"""

import json
from collections.abc import Iterable
from dataclasses import replace
from typing import Any, cast

from aiogram.exceptions import AiogramError
from aiogram.types import Message

from tgllm.bot.admin.screen import WORD
from tgllm.bot.delivery.rows import message_rows
from tgllm.bot.scope import UpdateScope
from tgllm.db.checkpoint import empty_log
from tgllm.db.engine.unit import Connection
from tgllm.db.queries import scrub
from tgllm.db.tables import audit, outbox
from tgllm.observe.logs import get_logger
from tgllm.services.admin_password.questions import Question
from tgllm.services.admin_password.service import AdminPassword
from tgllm.services.admin_password.tries import Tries, count_try, forgive

__all__ = ["answer_question", "close_question", "delete_late", "drop_edit", "locked_text", "text_of"]

log = get_logger(__name__)

_KEPT = ("message_id", "date", "chat", "from", "message_thread_id", "is_topic_message")


def text_of(message: Message) -> str:
    """What a message says, below a file too."""
    return message.text or message.caption or ""


async def close_question(scope: UpdateScope) -> None:
    """End the update, and the question with it."""
    await scope.reply(scope.text("password.cancelled"), lambda conn: _close(conn, scope))
    await empty_log(scope.core.database, scope.clock)


async def drop_edit(scope: UpdateScope) -> None:
    """End the update, the edit of an answer that has been dealt with."""
    await scope.end(lambda conn: scrub.scrub(conn, scope.row.update_id))
    await empty_log(scope.core.database, scope.clock)


async def delete_late(message: Message, scope: UpdateScope) -> None:
    """End the update, an answer that came too late, without a look at it."""

    def unit(conn: Connection) -> None:
        scrub.scrub(conn, scope.row.update_id)
        _close(conn, scope)

    said = [scope.text("password.late"), *await _complaints(message, scope)]
    await scope.reply("\n\n".join(said), unit)
    await empty_log(scope.core.database, scope.clock)


async def answer_question(message: Message, scope: UpdateScope) -> UpdateScope | None:
    """Look at an answer.

    The try is counted, and the answer out of the database, before anything else is done.

    Returns:
        If it is right, the scope of the update to be handled in its place: the command that was to be run, sent by the
        same person. Otherwise None, and the update has ended.
    """
    password, user_id = scope.core.password, scope.chat.id
    question = password.questions.of(user_id)
    assert question is not None  # noqa: S101  the caller has looked
    password.questions.note_answer(user_id, message.message_id)
    command = _as_command(scope, question)
    tries = await scope.write(lambda conn: _take(conn, scope, command))
    await empty_log(scope.core.database, scope.clock)
    complaints = await _complaints(message, scope)
    if not await password.is_right(text_of(message)):
        await _refuse(scope, tries, complaints)
        return None
    await _accept(scope, complaints)
    return replace(scope, row=replace(scope.row, payload=command, kind="message"))


def _as_command(scope: UpdateScope, question: Question) -> str:
    """The update as JSON, with the command that was to be run in place of the answer."""
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
    # Once more, for what could not be read and has been emptied with the question's end.
    await empty_log(scope.core.database, scope.clock)
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
    """That no password is taken, and for how long."""
    return scope.text("password.locked", count=max(1, -(-(tries.locked_until - scope.now) // 60_000)))


def _again_text(scope: UpdateScope, tries: Tries, password: AdminPassword) -> str:
    return scope.text("password.wrong", count=tries.left, seconds=password.question_life // 1000)


def _close(conn: Connection, scope: UpdateScope) -> None:
    scope.core.password.questions.close(conn, scope.chat.id)


async def _complaints(message: Message, scope: UpdateScope) -> list[str]:
    """Delete the message from the chat; what to say if that did not work."""
    try:
        await scope.parts.bot.delete_message(message.chat.id, message.message_id)
    except AiogramError as error:
        log.warning("password.not_deleted", user=scope.chat.id, error=type(error).__name__)
        return [scope.text("password.not_deleted")]
    return []
