"""Attachments for tests, and a source that delivers them."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

from tgllm.services.files.attachment import Attachment, AttachmentKind, Download

__all__ = ["FakeDownloader", "attach"]


def attach(
    key: str, *, kind: AttachmentKind = "document", size: int | None = None, name: str | None = None
) -> Attachment:
    """An attachment whose content the downloader knows by its key."""
    return Attachment(source=f"file-{key}", key=key, kind=kind, size=size, name=name, message_id=70)


@dataclass
class FakeDownloader:
    """Delivers contents by key, in chunks."""

    contents: Mapping[str, bytes] = field(default_factory=dict)
    most_bytes: int = 20 * 2**20
    chunk: int = 2**16
    errors: Mapping[str, BaseException] = field(default_factory=dict)
    """Raised after the content, by key."""
    asked: list[str] = field(default_factory=list)
    """Keys of the downloads that began."""
    at_once: int = 0
    most_at_once: int = 0
    hold: asyncio.Event | None = None
    """Downloads wait for it before their last chunk."""
    begun: asyncio.Event = field(default_factory=asyncio.Event)

    async def download(self, attachment: Attachment, target: Download) -> None:
        self.asked.append(attachment.key)
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            content = self.contents.get(attachment.key, b"")
            for start in range(0, len(content), self.chunk):
                await target.write(content[start : start + self.chunk])
                await asyncio.sleep(0)
            self.begun.set()
            if self.hold is not None:
                await self.hold.wait()
            if attachment.key in self.errors:
                raise self.errors[attachment.key]
        finally:
            self.at_once -= 1
