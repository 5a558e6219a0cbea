"""Name and type of an attachment, as they are shown and used."""

import mimetypes
from pathlib import Path

from tgllm.services.files.attachment import Attachment

__all__ = ["shown_name", "true_mime"]

_UNNAMED = {
    "document": "file",
    "photo": "photo.jpg",
    "voice": "voice.ogg",
    "audio": "audio",
    "video": "video.mp4",
    "video_note": "video.mp4",
    "animation": "animation.mp4",
    "sticker": "sticker.webp",
}
"""Names by kind for attachments that Telegram gives none."""


def shown_name(name: str | None, kind: str) -> str:
    """Return the name of an attachment for chats and models."""
    return name or _UNNAMED.get(kind, "file")


def true_mime(path: Path, attachment: Attachment) -> str:  # noqa: ARG001
    """Return the MIME type of a content. Blocks: it reads the file."""
    return attachment.mime or mimetypes.guess_type(attachment.name or "")[0] or "application/octet-stream"
