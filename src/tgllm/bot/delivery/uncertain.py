"""Notices about messages that may or may not have arrived."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Literal

from tgllm.bot.delivery.fallbacks import method_of
from tgllm.bot.delivery.repeats import MARKED, marked
from tgllm.bot.delivery.rows import EDIT_OF_PART, PLACEHOLDER, REPEATABLE, buttons, message_rows
from tgllm.db.engine.unit import Connection
from tgllm.db.tables import outbox
from tgllm.db.tables.outbox import NewOutbox, OutboxRow
from tgllm.i18n import Catalogue
from tgllm.services.common.lane import Lane
from tgllm.services.messaging.people import language_in

__all__ = ["KEEP", "RESEND", "OnUnknown", "edited_message", "is_repeatable", "settle"]

RESEND = "resend"
"""First word of the callback data of the button that resends a message; the outbox row's id follows a colon."""
KEEP = "keep"
"""The same for the button that confirms that it has arrived."""


OnUnknown = Literal["ask", "resend"]
"""What happens to a message of unknown delivery."""


def settle(conn: Connection, rows: Iterable[OutboxRow], texts: Catalogue, unknown: OnUnknown) -> list[NewOutbox]:
    """Resend uncertain rows with a mark, or return notices that offer to resend them.

    A marked repeat that is uncertain too is offered. Notices are in a group in the bot's language, since the user is
    unknown. They are ``REPEATABLE``, so they are retried until they arrive: without their buttons the message could not
    be resent. The placeholder of an answer is not offered, since the answer is a new message then; the notice says that
    it may be left behind. Other messages that may be lost have no notice.
    """
    notices: list[NewOutbox] = []
    for row in rows:
        if PLACEHOLDER in row.payload:
            notices += _notices_of_placeholder(conn, row, texts)
        elif unknown == "resend" and MARKED not in row.payload:
            payload = marked(row.payload, texts("send.repeat", language_in(conn, Lane.parse(row.lane).chat_id)))
            method = method_of(payload)
            # The row is the marked repeat from now on, and does not say any more how the first message looks.
            outbox.forget_ids(conn, row)
            outbox.rewrite(conn, row.id, method=method, kind="send", payload=payload, state="uncertain")
        else:
            notices.append(_notice(conn, row, texts))
    return notices


def is_repeatable(conn: Connection, row: OutboxRow) -> bool:
    """Return whether a row may be sent twice without harm.

    That is any call but a message or an edit that would be sent as one, and a message marked ``REPEATABLE``.
    """
    if EDIT_OF_PART in row.payload:
        return edited_message(conn, row) is not None
    return row.kind != "send" or REPEATABLE in row.payload


def edited_message(conn: Connection, row: OutboxRow) -> int | None:
    """Return the id of the message that ``row`` edits; None if it sends a message, or has no message to edit."""
    part = row.payload.get(EDIT_OF_PART)
    if not isinstance(part, int) or row.turn_id is None:
        return None
    placeholder = outbox.find(conn, row.turn_id, part)
    return None if placeholder is None else placeholder.message_id


def _notices_of_placeholder(conn: Connection, row: OutboxRow, texts: Catalogue) -> list[NewOutbox]:
    if row.turn_id is None or "reply_markup" not in row.payload:
        return []
    lane = Lane.parse(row.lane)
    (notice,) = message_rows(lane, texts("send.orphan", language_in(conn, lane.chat_id)))
    return [replace(notice, payload={**notice.payload, PLACEHOLDER: True}, priority=row.priority)]


def _notice(conn: Connection, row: OutboxRow, texts: Catalogue) -> NewOutbox:
    lane = Lane.parse(row.lane)
    language = language_in(conn, lane.chat_id)
    resend, keep = texts("send.button_resend", language), texts("send.button_drop", language)
    markup = buttons([[(resend, f"{RESEND}:{row.id}"), (keep, f"{KEEP}:{row.id}")]])
    notice = message_rows(lane, texts("send.uncertain", language), reply_markup=markup)[0]
    return replace(notice, payload={**notice.payload, REPEATABLE: True}, priority=row.priority)
