"""Joins a text with the messages that were forwarded with it.

Telegram's apps send the comment of a forward as a message of its own, directly before the forwarded ones. What waits in
the inbox is joined without a delay; a forwarded message that arrives after its comment is being answered is a question
of its own.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from aiogram.types import Message

from tgllm.bot.scope import Scope
from tgllm.bot.turns.addressing import is_own, question_of
from tgllm.bot.turns.attachments import attachments_in
from tgllm.bot.turns.merging import merge_rows
from tgllm.bot.turns.prompt import told
from tgllm.bot.turns.readable import readable
from tgllm.bot.turns.split_texts import may_be_full
from tgllm.bot.updates.formats.markdown import markdown_of
from tgllm.bot.updates.parsing import parse_update
from tgllm.bot.updates.raw import message_of
from tgllm.bot.updates.values import as_id, is_set
from tgllm.db.engine.unit import Connection
from tgllm.db.tables import inbox
from tgllm.db.tables.inbox import InboxRow
from tgllm.observe.logs import get_logger
from tgllm.services.files.attachment import Attachment

__all__ = ["Forwards", "forwards_with"]

log = get_logger(__name__)

MOST_MESSAGES = 100
"""Most messages that are forwarded together. Bot API: forwardMessages."""
MOST_SECONDS = 2
"""Most seconds between a comment and its forwards, by Telegram's dates."""


@dataclass(frozen=True, slots=True)
class Forwards:
    """Messages that were forwarded with a text."""

    texts: Sequence[str] = ()
    """As the model reads them."""
    message_ids: Sequence[int] = ()
    attachments: tuple[Attachment, ...] = ()


async def forwards_with(message: Message, scope: Scope) -> Forwards:
    """Return the messages that were forwarded directly after a text, and merge their updates into its update.

    Only in private chats: in groups, forwarded messages are not for the bot.
    """
    # A full text may have waited for its next part, and so for what was forwarded with it.
    is_alone = scope.first_look.is_alone and not may_be_full(message.text or "")
    if is_alone or not scope.chat.is_private or not is_own(message):
        return Forwards()
    merged, waiting = await scope.read(lambda conn: _rows(conn, scope))
    rows = [row for row in merged if is_set(message_of(row.payload).get("forward_origin"))]
    rows += await merge_rows(scope, _following(message, waiting, len(rows)))
    found = [each for row in rows if (each := _parsed(row, scope)) is not None]
    most_bytes = scope.parts.downloads.most_bytes
    return Forwards(
        [_told(each, scope) for each in found],
        [each.message_id for each in found],
        tuple(file for row in rows for file in attachments_in(message_of(row.payload), most_bytes)),
    )


def _rows(conn: Connection, scope: Scope) -> tuple[list[InboxRow], list[InboxRow]]:
    """Return the updates that an earlier attempt has merged, and those that wait."""
    return inbox.followers(conn, scope.row.update_id), inbox.queued(conn, scope.lane.key, MOST_MESSAGES)


def _following(message: Message, waiting: Sequence[InboxRow], known: int) -> list[InboxRow]:
    """Return the waiting updates of forwarded messages whose ids continue that of the text."""
    found: list[InboxRow] = []
    for row in waiting:
        raw = message_of(row.payload)
        date = as_id(raw.get("date")) or 0
        is_next = as_id(raw.get("message_id")) == message.message_id + known + len(found) + 1
        is_soon = abs(date - int(message.date.timestamp())) <= MOST_SECONDS
        if not (is_next and is_soon and is_set(raw.get("forward_origin"))):
            break
        found.append(row)
    return found


def _parsed(row: InboxRow, scope: Scope) -> Message | None:
    try:
        return parse_update(row.payload, scope.parts.bot).message
    except Exception as error:  # noqa: BLE001  aiogram's models run code of their own, which may fail in any way
        log.warning("update.quarantined", kind=row.kind, reason=type(error).__name__)
        return None


def _told(message: Message, scope: Scope) -> str:
    words = markdown_of(question_of(message, scope))
    content = "" if words else readable(message, scope)
    return told(message, scope, words or (content and f"[{content}]"))
