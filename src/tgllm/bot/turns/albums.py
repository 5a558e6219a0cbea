"""Messages with pictures or files, alone or as an album: their captions and files, and which messages belong together.

Telegram sends an album as one message for each item, with a common ``media_group_id`` (Bot API: Message). The updates
of the other items are merged into that of the first one, so that an album is one question. Items that arrive after that
question are a question of their own.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aiogram.types import Message

from tgllm.bot.scope import Scope
from tgllm.bot.turns.addressing import words_in
from tgllm.bot.turns.attachments import attachments_in, without_repeats
from tgllm.bot.turns.merging import merge_rows, merged_rows, wait_for
from tgllm.bot.updates.formats.written import Written, joined, written_in
from tgllm.bot.updates.mentions import is_raw_heard
from tgllm.bot.updates.raw import message_of
from tgllm.bot.updates.values import as_id
from tgllm.db.queries.scrub import scrub
from tgllm.db.tables.inbox import InboxRow
from tgllm.services.files.attachment import Attachment

__all__ = ["Album", "album_of", "is_album_heard"]

WAIT_SECONDS = 1.0
"""How long an album waits for its next item; the items arrive shortly after each other."""
MOST_ITEMS = 10
"""Most items of an album. Bot API: sendMediaGroup."""


@dataclass(frozen=True, slots=True)
class Album:
    """One message with a file, or the messages of an album."""

    written: Written
    """The captions."""
    words: Written
    """The captions, without the mention of the bot."""
    message_ids: Sequence[int]
    """In order."""
    attachments: tuple[Attachment, ...]
    """Their files, in the same order; the same file once."""


async def album_of(message: Message, scope: Scope) -> Album:
    """Return what a message has besides text, with all items of its album."""
    group_id = message.media_group_id
    rows = [scope.row, *await merged_rows(scope)] if group_id is None else await _gather(group_id, scope)
    items = sorted((message_of(row.payload) for row in rows), key=_message_id)
    captions = [written for item in items if (written := written_in(item)).text]
    words = [words for written in captions if (words := _words(written, scope)).text]
    most_bytes = scope.parts.downloads.most_bytes
    return Album(
        joined(captions, "\n"),
        joined(words, "\n"),
        [_message_id(item) for item in items],
        without_repeats(each for item in items for each in attachments_in(item, most_bytes)),
    )


async def is_album_heard(message: Message, scope: Scope) -> bool:
    """Return whether an item of a message's album is for the bot, in a group: then all of them are.

    The mention may stand below any item. If there is none, the items that were waiting are emptied.
    """
    group_id = message.media_group_id
    if group_id is None or scope.row.kind != "message" or scope.group_mode == "never":
        return False
    parts, items = scope.parts, await _gather(group_id, scope)
    raw = (message_of(row.payload) for row in items)
    if any(is_raw_heard(item, parts.bot_id, parts.username, scope.group_mode) for item in raw):
        return True
    await scope.write(lambda conn: [scrub(conn, row.update_id) for row in items])
    return False


async def _gather(group_id: str, scope: Scope) -> list[InboxRow]:
    """Merge the other items of an album into the update, as they arrive, and return all of them."""
    rows = [scope.row, *await merged_rows(scope)]
    while len(rows) < MOST_ITEMS:
        more = await wait_for(scope, lambda waiting: _items_of(group_id, waiting) or None, WAIT_SECONDS)
        if more is None:
            break
        rows += await merge_rows(scope, more)
    return rows


def _items_of(group_id: str, rows: Sequence[InboxRow]) -> list[InboxRow]:
    return [row for row in rows if message_of(row.payload).get("media_group_id") == group_id]


def _words(written: Written, scope: Scope) -> Written:
    return words_in(written, scope.parts.bot_id, scope.parts.username, is_private=scope.chat.is_private)


def _message_id(message: Mapping[str, Any]) -> int:
    """Return the id of a raw message, which may lack it: then the one with which an update is completed."""
    return as_id(message.get("message_id")) or 0
