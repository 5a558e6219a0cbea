"""Pictures as models take them: within their limits, and without metadata."""

import asyncio
import hashlib
from collections.abc import Collection, Hashable
from pathlib import Path
from typing import Protocol

from tgllm.api import FilePart, FileUnreadable
from tgllm.db.tables.files import File
from tgllm.services.files.blobs import BlobStore, file_digest
from tgllm.services.files.true_names import shown_name
from tgllm.services.reading.values import PictureLimits, Prepared

__all__ = ["PictureDesk", "PicturePool"]

_KNOWN = frozenset({"image/gif", "image/jpeg", "image/png", "image/webp"})
"""Types that a model which sees pictures takes, unless it names its own."""
_MOST_REMEMBERED = 1000


class PicturePool(Protocol):
    """Prepares pictures in another process; see ``ReaderPool``."""

    async def picture(
        self, path: Path, target: Path, limits: PictureLimits, name: str = "", *, owner: Hashable = None
    ) -> Prepared:
        """Prepare a picture.

        Raises:
            FileUnreadable: it can't be read.
        """
        ...


class PictureDesk:
    """Prepares pictures, each once for models that take the same types."""

    def __init__(self, store: BlobStore, pool: PicturePool | None) -> None:
        """Use a pool; None: pictures are sent as they came."""
        self._store = store
        self._pool = pool
        self._ready: dict[tuple[str, frozenset[str]], FilePart] = {}

    async def part(self, file: File, taken: Collection[str], owner: Hashable) -> FilePart:
        """Return a picture for a model that takes these types.

        Raises:
            FileUnreadable: it can't be read.
        """
        name = shown_name(file.original_name, file.kind)
        types = frozenset(mime for mime in _KNOWN if mime in taken) or _KNOWN
        known = self._ready.get((file.path, types))
        if known is not None and await self._store.has(known.path, known.size, name):
            return known
        path = self._store.path(file.path)
        if not await self._store.has(file.path, file.size, name):
            raise FileUnreadable("its content is not on disk", code="file_gone", name=name)
        if self._pool is None:
            return FilePart(path, file.mime, file.size, file.sha256, name)
        variant = hashlib.sha256(",".join(sorted(types)).encode()).hexdigest()[:8]
        target = path.with_name(f"{path.name}.view-{variant}")
        made = await self._pool.picture(path, target, PictureLimits(mime_types=types), name, owner=owner)
        digest = file.sha256 if made.path == path else await asyncio.to_thread(file_digest, made.path)
        part = FilePart(made.path, made.mime, made.size, digest, name, pixels=made.width * made.height)
        if len(self._ready) >= _MOST_REMEMBERED:
            self._ready.clear()
        self._ready[file.path, types] = part
        return part
