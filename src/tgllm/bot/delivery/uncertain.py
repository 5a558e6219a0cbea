"""Notices about messages that may or may not have arrived."""

from collections.abc import Iterable
from dataclasses import replace

from tgllm.bot.delivery.rows import EDIT_OF_PART, PLACEHOLDER, REPEATABLE, buttons, message_rows
from tgllm.db.engine.unit import Connection
from tgllm.db.tables import outbox
from tgllm.db.tables.outbox import NewOutbox, OutboxRow
from tgllm.i18n import Catalogue
from tgllm.services.common.lane import Lane
from tgllm.services.messaging.people import language_in

__all__ = ["KEEP", "RESEND", "edited_message", "is_repeatable", "uncertain_notices"]

RESEND = "resend"
"""First word of the callback data of the button that resends a message; the outbox row's id follows a colon."""
KEEP = "keep"
"""The same for the button that confirms that it has arrived."""


def uncertain_notices(conn: Connection, rows: Iterable[OutboxRow], texts: Catalogue) -> list[NewOutbox]:
    """Return notices that offer to resend these rows; in a group in the bot's language, since the user is unknown.

    A placeholder needs no notice: the answer replaces it or is a new message. A notice is ``REPEATABLE``, so it is
    retried until it arrives: without its buttons the message could not be resent.
    """
    return [_notice(conn, row, texts) for row in rows if PLACEHOLDER not in row.payload]


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


def _notice(conn: Connection, row: OutboxRow, texts: Catalogue) -> NewOutbox:
    lane = Lane.parse(row.lane)
    language = language_in(conn, lane.chat_id)
    resend, keep = texts("send.button_resend", language), texts("send.button_drop", language)
    markup = buttons([[(resend, f"{RESEND}:{row.id}"), (keep, f"{KEEP}:{row.id}")]])
    notice = message_rows(lane, texts("send.uncertain", language), reply_markup=markup)[0]
    return replace(notice, payload={**notice.payload, REPEATABLE: True}, priority=row.priority)
