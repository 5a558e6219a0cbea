"""Recovery at startup: deletes messages that may be answers to a password prompt, or whose contents are lost."""

import json
from collections.abc import Callable, Collection, Iterable
from typing import Any, cast

from tgllm.api.clock import Clock, milliseconds
from tgllm.db.database import Database
from tgllm.db.engine.unit import Connection
from tgllm.db.queries import scrub
from tgllm.db.tables import inbox, outbox, users
from tgllm.db.tables.inbox import UPDATE_LIFE, InboxRow
from tgllm.db.tables.outbox import NewOutbox
from tgllm.i18n import Catalogue
from tgllm.observe.logs import get_logger
from tgllm.services.admin_password.questions import (
    LATE,
    Question,
    forget_question,
    has_questions,
    stored_questions,
    updates_after,
)
from tgllm.services.admin_password.service import AdminPassword
from tgllm.services.chats.language import chosen_language
from tgllm.services.common.lane import Lane
from tgllm.services.common.update_notes import HIDDEN, notes_of
from tgllm.services.messaging.rows import deletion_row, plain_message

__all__ = ["delete_lost", "recover_questions"]

log = get_logger(__name__)


async def recover_questions(database: Database, password: AdminPassword, texts: Catalogue, clock: Clock) -> None:
    """Delete unprocessed answers without a check, notify their senders, and restore the other prompts.

    Messages that were kept out of the database, since they might have been the password, are answers too.

    Call this before any update is handled: otherwise an answer could reach the model.

    Raises:
        DatabaseError: the database can't be used.
    """
    now = milliseconds(clock)
    if not await database.read(lambda conn: has_questions(conn) or bool(scrub.hidden_updates(conn))):
        return
    password.questions.restore(await database.write(lambda conn: _recover(conn, texts, now)))
    await database.checkpoint()
    log.info("password.recovered")


def _recover(conn: Connection, texts: Catalogue, now: int) -> dict[int, Question]:
    found, over = stored_questions(conn), set[int]()
    for user_id, question in found.items():
        rows = updates_after(conn, user_id, question)
        rows = [row for row in rows if HIDDEN not in notes_of(row.payload)]
        answers = [(row, message) for row in rows if (message := _answer(row, question)) is not None]
        for row, message in answers:
            scrub.scrub(conn, row.update_id)
            if inbox.finish(conn, row.update_id, "done", now):
                outbox.add(conn, [deletion_row(Lane.parse(row.lane), message["message_id"])], now)
        if answers:
            outbox.add(conn, [_notice(conn, user_id, lambda language: texts("password.restarted", language))], now)
        # Updates that are older than this expire unhandled, so no answer to the prompt can follow.
        if answers or question.until < now - UPDATE_LIFE:
            forget_question(conn, user_id)
            over.add(user_id)
    _delete_hidden(conn, texts, now)
    return {user_id: question for user_id, question in found.items() if user_id not in over}


def delete_lost(conn: Connection, texts: Catalogue, now: int, live: Collection[int]) -> None:
    """Finish the updates whose contents were in the memory of replicas that have ended; before the recovery of others.

    Args:
        conn: a write transaction.
        texts: the text catalogue.
        now: UTC in milliseconds.
        live: the replicas that have not ended.
    """
    hidden = scrub.hidden_updates(conn)
    _delete(conn, [row for row in hidden if row.holder is not None and row.holder not in live], texts, now)


def _delete_hidden(conn: Connection, texts: Catalogue, now: int) -> None:
    _delete(conn, scrub.hidden_updates(conn), texts, now)


def _delete(conn: Connection, hidden: Iterable[InboxRow], texts: Catalogue, now: int) -> None:
    """Finish the updates whose contents are lost, delete their messages, and notify each sender once."""
    senders = dict[int, None]()
    for row in hidden:
        message = cast("dict[str, Any]", json.loads(row.payload).get(row.kind) or {})
        scrub.scrub(conn, row.update_id)
        if not inbox.finish(conn, row.update_id, "done", now):
            continue
        senders[int(message["from"]["id"])] = None
        outbox.add(conn, [deletion_row(Lane.parse(row.lane), message["message_id"])], now)
    outbox.add(
        conn, [_notice(conn, sender, lambda language: texts("password.lost", language)) for sender in senders], now
    )


def _answer(row: InboxRow, question: Question) -> dict[str, Any] | None:
    """Return the message of an update, if it may be an answer: not a command, and sent before the prompt's expiry."""
    message: Any = json.loads(row.payload).get(row.kind)
    if not isinstance(message, dict):
        return None
    plain = cast("dict[str, Any]", message)
    sent_at = 1000 * int(plain.get("edit_date") or plain.get("date") or 0)
    in_time = min(sent_at, row.received_at) <= question.until + LATE
    says = "rich_message" in plain or "caption" in plain or not str(plain.get("text", "/")).startswith("/")
    return plain if in_time and says and isinstance(plain.get("message_id"), int) else None


def _notice(conn: Connection, user_id: int, text: Callable[[str], str]) -> NewOutbox:
    known = users.get(conn, user_id)
    language = chosen_language(conn, user_id) or (known and known.language_code) or ""
    return plain_message(Lane(user_id), text(language))
