"""Storage of documents' texts in passages, in small pieces so that other work is not delayed."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final
from weakref import WeakValueDictionary

from tgllm.db.database import Database
from tgllm.db.engine.rows import clean
from tgllm.db.engine.unit import Connection
from tgllm.db.tables import passages
from tgllm.services.files.passages import cut_passages

__all__ = ["PassageStore", "StoredText"]

MOST_TOGETHER: Final = 24
"""Passages that are stored or deleted in one transaction: about ten milliseconds."""
MERGE_PAGES: Final = 64
"""Pages of an index that are written in one transaction when it is merged."""


@dataclass(frozen=True, slots=True)
class StoredText:
    """Size of a stored text."""

    chars: int
    passages: int
    tokens: int
    """Estimate, not calibrated."""


class PassageStore:
    """Texts of files in passages, by the SHA-256 of the file's content.

    A text is kept as long as a row of ``files`` has its content: that row must be committed first. What a crash leaves
    half stored counts as not stored.
    """

    def __init__(self, database: Database) -> None:
        """Use a database."""
        self._database = database
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def put(self, sha256: str, text: str) -> StoredText | None:
        """Store a text in place of an earlier one of the same content.

        Returns:
            Its size; None if the last file with that content was deleted meanwhile.
        """
        text = clean(text)
        cut = await asyncio.to_thread(cut_passages, text)
        lock = self._locks.setdefault(sha256, asyncio.Lock())
        async with lock:
            await self._repeat(lambda conn: passages.abandon(conn, sha256, MOST_TOGETHER))
            document = await self._database.write(lambda conn: passages.begin(conn, sha256, len(cut), len(text)))
            for start in range(0, len(cut), MOST_TOGETHER):
                piece = cut[start : start + MOST_TOGETHER]
                if not await self._database.write(
                    lambda conn, start=start, piece=piece: passages.add(conn, document, start, piece)
                ):
                    return None
        return StoredText(len(text), len(cut), sum(passage.tokens for passage in cut))

    async def has(self, sha256: str) -> bool:
        """Return whether the text of a content is stored."""
        return bool(await self._database.read(lambda conn: passages.complete(conn, [sha256])))

    async def text(self, sha256: str) -> str | None:
        """Return the text of a content as it was stored; None if it is not."""
        return await self._database.read(lambda conn: passages.text_of(conn, sha256))

    async def purge(self) -> int:
        """Delete the texts of contents that no file has any more, without a trace in the indexes.

        Call it after each commit that deletes files, and at startup: after a crash it goes on.

        Returns:
            The number of deleted documents.
        """
        if not await self._database.read(passages.has_orphans):
            return 0
        await self._repeat(lambda conn: passages.delete_orphans(conn, MOST_TOGETHER))
        await self._repeat(lambda conn: passages.merge_indexes(conn, MERGE_PAGES))
        return await self._database.write(passages.drop_orphans)

    async def _repeat(self, piece: Callable[[Connection], bool]) -> None:
        """Run a unit of work in transactions of its own until it returns True."""
        while not await self._database.write(piece):
            pass
