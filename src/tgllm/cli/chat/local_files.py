"""Files of this machine as attachments of a question."""

import asyncio
import uuid
from pathlib import Path
from typing import Final

from tgllm.api import FileUnreadable
from tgllm.services.files.attachment import Attachment, Download

__all__ = ["LocalFiles"]

CHUNK: Final = 1 << 18


class LocalFiles:
    """Source of attachments: paths, and what was piped into the command."""

    def __init__(self) -> None:
        """Begin without anything piped."""
        self._piped: dict[str, bytes] = {}

    @property
    def most_bytes(self) -> int:
        """Largest file: as large as the settings allow."""
        return 1 << 62

    def attach(self, path: Path) -> Attachment:
        """Return a file as an attachment."""
        whole = path.expanduser().absolute()
        is_regular = whole.is_file()
        return Attachment(
            source=str(whole),
            key=_key(),
            kind="document",
            size=whole.stat().st_size if is_regular else None,
            name=path.name if is_regular else "input",
        )

    def attach_piped(self, content: bytes, name: str) -> Attachment:
        """Return what was piped as an attachment."""
        key = _key()
        self._piped[key] = content
        return Attachment(source="stdin", key=key, kind="document", size=len(content), name=name)

    async def download(self, attachment: Attachment, target: Download) -> None:
        """Copy a file.

        Raises:
            FileUnreadable: it can't be read.
        """
        content = self._piped.get(attachment.key)
        if content is not None:
            await target.write(content)
            return
        name = attachment.name or "input"
        try:
            stream = await asyncio.to_thread(Path(attachment.source).open, "rb")
            try:
                while chunk := await asyncio.to_thread(stream.read, CHUNK):
                    await target.write(chunk)
            finally:
                await asyncio.to_thread(stream.close)
        except FileNotFoundError as error:
            raise FileUnreadable("no such file", code="file_missing", name=name) from error
        except OSError as error:
            raise FileUnreadable(f"can't be opened: {error.strerror}", code="file_not_opened", name=name) from error


def _key() -> str:
    # The content of a path may change, so nothing that was received before counts as the same.
    return f"local:{uuid.uuid4().hex}"
