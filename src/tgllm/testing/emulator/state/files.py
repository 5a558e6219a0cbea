"""Storage of files."""

import hashlib
import re
from itertools import count
from typing import TYPE_CHECKING

from tgllm.testing.emulator.state.image_size import image_size
from tgllm.testing.emulator.state.records import StoredFile

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["MAX_DOWNLOAD_BYTES", "MAX_PHOTO_BYTES", "MAX_UPLOAD_BYTES", "FileStore"]

# Bot API: getFile and "Sending files", in bytes.
MAX_DOWNLOAD_BYTES = 20 * 1024 * 1024
MAX_UPLOAD_BYTES = 50 * 1024 * 1024
MAX_PHOTO_BYTES = 10 * 1024 * 1024

# Suffixes that need no escaping in a URL.
_SUFFIX = re.compile(r"(?a)\.\w{1,15}$")


class FileStore:
    """Files by file_id and by download path."""

    def __init__(self) -> None:
        self._by_id: dict[str, StoredFile] = {}
        self._by_path: dict[str, StoredFile] = {}
        self._numbers = count(1)
        self.folder: Path | None = None
        """Folder of a local Bot API server; None for Telegram's own."""

    def add(self, content: bytes, folder: str, name: str | None, mime: str | None) -> StoredFile:
        """Store a file; ``folder`` is its kind in the download path ("documents", "photos"...)."""
        number = next(self._numbers)
        suffix = _SUFFIX.search(name or "")
        digest = hashlib.sha256(content).hexdigest()[:16]
        file = StoredFile(
            file_id=f"EMU-{folder}-{number}-{digest}",
            unique_id=f"EMU{digest}",
            path=f"{folder}/file_{number}{suffix.group() if suffix else ''}",
            content=content,
            name=name,
            mime=mime,
            dimensions=image_size(content),
        )
        self._by_id[file.file_id] = file
        self._by_path[file.path] = file
        return file

    def local_path(self, file: StoredFile, token: str) -> str:
        """Return the absolute path of a file in the folder, where it is written at the first request.

        Raises ValueError without a folder.
        """
        if self.folder is None:
            raise ValueError("this is no local server")
        path = self.folder.absolute() / token / file.path
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(file.content)
        return str(path)

    def by_id(self, file_id: str) -> StoredFile | None:
        """Return the file with this file_id, or None."""
        return self._by_id.get(file_id)

    def by_path(self, path: str) -> StoredFile | None:
        """Return the file with this download path, or None."""
        return self._by_path.get(path)
