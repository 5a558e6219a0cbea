"""Outbox rows of replies: texts of any length, plain or Markdown, and files."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from tgllm.api import Reply
from tgllm.api.clock import Clock
from tgllm.bot.delivery.files import has_file, remove_document
from tgllm.bot.delivery.given_files import GivenFiles
from tgllm.bot.delivery.rows import answer_rows, document_row, message_rows
from tgllm.bot.delivery.text_files import TextFiles, is_too_long
from tgllm.bot.renderer.renderer import Renderer
from tgllm.bot.rendering.split import MESSAGE_LIMIT
from tgllm.config.model import Config
from tgllm.db.database import Database
from tgllm.db.engine.unit import Connection
from tgllm.db.tables import conversations
from tgllm.db.tables.outbox import NewOutbox
from tgllm.i18n import Catalogue
from tgllm.services.chats.settings import ChatSettings, settings_of
from tgllm.services.common.lane import Lane
from tgllm.services.files.made import MOST_FILE_BYTES, MOST_FILES
from tgllm.services.files.storage.store import FileStorage

__all__ = ["Composer", "in_turn"]

_NO_TURN: Final = ""


@dataclass(frozen=True, slots=True)
class Composer:
    """Composes replies."""

    database: Database
    config: Config
    clock: Clock
    texts: Catalogue
    renderer: Renderer
    storage: FileStorage

    async def compose(self, lane: Lane, reply: Reply, language: str) -> list[NewOutbox]:
        """Return the rows of a reply, without their turn: first its texts, then its files, which are copied at once.

        Files that can't be sent are named in a text at the end. Nothing is returned for a reply without a visible text
        and without files.

        Args:
            lane: where it is sent.
            reply: a checked reply.
            language: of the bot's own words in it.
        """
        rows = await self._texts(lane, reply, language)
        files, left_out = await GivenFiles(self.storage, self.clock).payloads(reply.files)
        rows += [document_row(lane, file) for file in files]
        if left_out:
            limit = f"{MOST_FILE_BYTES // 2**20} MB"
            names = ", ".join(left_out)
            words = self.texts("send.files_not_sent", language, names=names, most=MOST_FILES, limit=limit)
            rows += message_rows(lane, words)
        return rows

    async def discard(self, rows: Sequence[NewOutbox]) -> None:
        """Remove the files of rows that are not sent."""
        for row in rows:
            if has_file(row.payload):
                await remove_document(row.payload, self.storage)

    async def _texts(self, lane: Lane, reply: Reply, language: str) -> list[NewOutbox]:
        text = reply.text
        if not text.strip():
            return []
        if not reply.markdown and len(text.strip()) <= MESSAGE_LIMIT:
            return message_rows(lane, text)
        chosen = await self.database.read(lambda conn: _settings(conn, lane))
        over = self.config.rendering.file_over if chosen.file_over is None else chosen.file_over
        if len(text.strip()) > MESSAGE_LIMIT and is_too_long(text, over):
            name, note = "reply.md" if reply.markdown else "reply.txt", self.texts("turn.reply_in_file", language)
            return await TextFiles(self.storage, self.clock).rows(lane, text, name, note, _NO_TURN)
        if not reply.markdown:
            return message_rows(lane, text)
        payloads = await self.renderer.render(text, rich=chosen.rich or self.config.rendering.rich)
        return answer_rows(lane, payloads)


def in_turn(rows: Sequence[NewOutbox], turn_id: str) -> Sequence[NewOutbox]:
    """Return the rows as those of a turn, so that a person can stop what is not sent yet; one text needs no turn."""
    if len(rows) == 1 and not has_file(rows[0].payload):
        return rows
    return [replace(row, turn_id=turn_id, part=part) for part, row in enumerate(rows)]


def _settings(conn: Connection, lane: Lane) -> ChatSettings:
    return settings_of(conversations.active_in(conn, lane.key))
