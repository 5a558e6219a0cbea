"""Name and type of an attachment, as they are shown and used."""

from pathlib import Path

from tgllm.services.files.attachment import Attachment
from tgllm.services.files.names import display_name
from tgllm.services.files.types import true_type

__all__ = ["shown_name", "true_mime"]

_UNNAMED = {
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
    return display_name(name or _UNNAMED.get(kind))


def true_mime(path: Path, attachment: Attachment) -> str:
    """Return the MIME type of a content. Blocks: it reads the file."""
    return true_type(path, attachment.mime, attachment.name).mime
