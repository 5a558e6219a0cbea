"""Attachments of a question before they are received, and how they are downloaded."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal, Protocol

__all__ = ["Attachment", "AttachmentKind", "Download", "Downloader", "attachments_of", "parts_of"]

AttachmentKind = Literal["document", "photo", "voice", "audio", "video", "video_note", "animation", "sticker"]
"""How it was sent. Bot API: Message."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """A file that a person has sent, as its message describes it."""

    source: str
    """Id by which it is downloaded. Telegram: file_id."""
    key: str
    """Id of its content, the same wherever it is sent. Telegram: file_unique_id."""
    kind: AttachmentKind
    message_id: int | None = None
    """Telegram id of its message."""
    size: int | None = None
    """In bytes, as claimed; None if unknown."""
    mime: str | None = None
    """MIME type, as claimed by the sender: only a hint."""
    name: str | None = None
    """File name from the sender; never used as a path."""
    seconds: float | None = None
    """Duration of a recording or video, as claimed."""
    is_forwarded: bool = False
    """Whether its message was forwarded: what is said in it are not the words of its sender."""


_FIELDS = frozenset(field.name for field in fields(Attachment))


def parts_of(attachments: Iterable[Attachment]) -> list[dict[str, Any]]:
    """Return attachments as they are stored with their question, in ``messages.parts``."""
    return [{name: value for name, value in asdict(each).items() if value is not None} for each in attachments]


def attachments_of(parts: Iterable[Mapping[str, Any]]) -> tuple[Attachment, ...]:
    """Return the attachments of a stored question, by which it is asked again."""
    kept = [{name: value for name, value in part.items() if name in _FIELDS} for part in parts]
    return tuple(Attachment(**part) for part in kept if {"source", "key", "kind"} <= part.keys())


class Download(Protocol):
    """Target of a download."""

    @property
    def size(self) -> int:
        """Bytes that were written so far, from which a broken download resumes."""
        ...

    async def write(self, chunk: bytes) -> None:
        """Append a chunk.

        Raises:
            FileUnreadable: the file is larger than allowed, or the disk is full.
        """
        ...

    async def restart(self) -> None:
        """Drop what was written: the source can't resume."""
        ...


class Downloader(Protocol):
    """Source of files, such as the Bot API."""

    @property
    def most_bytes(self) -> int:
        """Largest file that the source delivers, in bytes."""
        ...

    async def download(self, attachment: Attachment, target: Download) -> None:
        """Download a file; broken downloads are resumed or repeated.

        Raises:
            FileUnreadable: the file is too large for the source, or no longer available there.
            Unavailable: the source can't be reached, or all tries failed.
        """
        ...
