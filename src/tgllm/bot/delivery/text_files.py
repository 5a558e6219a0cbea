"""Long texts as files, written off the event loop."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tgllm.api.clock import Clock
from tgllm.bot.delivery.fallbacks import with_fallback
from tgllm.bot.delivery.files import document_payload
from tgllm.bot.delivery.rows import MOST_MESSAGES, document_row, message_rows
from tgllm.bot.rendering.payloads import EntityText, Payload
from tgllm.bot.rendering.split import MESSAGE_LIMIT, is_visible, split_text, utf16_length
from tgllm.db.tables.outbox import NewOutbox
from tgllm.observe.logs import get_logger
from tgllm.services.common.lane import Lane
from tgllm.services.common.text import clip, mend_surrogates
from tgllm.services.files.storage.store import FileStorage
from tgllm.services.personal_data.export_files import write_exports

__all__ = ["BEGINNING_UNITS", "TextFiles", "first_messages", "is_too_long"]

BEGINNING_UNITS = 1000
"""UTF-16 units of a text that are shown in the chat if the whole text is a file."""
MOST_UNITS = MOST_MESSAGES * MESSAGE_LIMIT
"""Longest reply that is sent as messages where files are turned off."""

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class TextFiles:
    """Writes long texts as files."""

    storage: FileStorage
    clock: Clock

    async def document(self, text: str, name: str, instead: Sequence[Payload]) -> dict[str, Any] | None:
        """Write a file.

        Args:
            text: content of the file, without lone surrogates.
            name: its name in the chat.
            instead: messages that are sent if Telegram refuses the file.

        Returns:
            The part of an outbox row's payload that sends it; None if it can't be written.
        """
        now = self.clock.now()
        try:
            (path,) = await asyncio.to_thread(lambda: write_exports(self.storage.data_dir, [text], now))
            await self.storage.put_or_remove(path)
        except OSError as error:
            log.error("text.no_file", error=type(error).__name__)
            return None
        return with_fallback(document_payload(path, name), instead)

    async def rows(self, lane: Lane, text: str, name: str, note: str, turn_id: str) -> list[NewOutbox]:
        """Return the rows that send the beginning of a text with a note, and the whole text as a file.

        If the file can't be written, they send as many messages as are allowed.

        Args:
            lane: lane of the chat.
            text: plain text, or Markdown.
            name: name of the file in the chat.
            note: text below the beginning.
            turn_id: of the update.
        """
        text = mend_surrogates(text).strip()
        document = await self.document(text, name, first_messages(text))
        if document is None:
            return message_rows(lane, text, turn_id=turn_id)
        beginning = message_rows(lane, f"{clip(text[:MESSAGE_LIMIT], BEGINNING_UNITS)}\n\n{note}", turn_id=turn_id)
        return [*beginning, document_row(lane, document, turn_id=turn_id, part=len(beginning))]


def first_messages(text: str) -> list[Payload]:
    """Return the beginning of a text as plain messages, as many as are allowed."""
    return [EntityText(part) for part in split_text(text[:MOST_UNITS])[:MOST_MESSAGES] if is_visible(part)]


def is_too_long(text: str, over: int) -> bool:
    """Return whether a reply is sent as a file: above ``over`` UTF-16 units, or if that is 0, above 20 messages."""
    return utf16_length(text) > (over or MOST_UNITS)
