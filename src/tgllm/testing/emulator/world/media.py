"""Message fields for files. Source: Bot API, Document, PhotoSize, Voice..."""

from collections.abc import Mapping
from typing import Any

from tgllm.testing.emulator.state.records import StoredFile

__all__ = ["FOLDERS", "described", "media_fields"]

# Kind (name of the message field and of the parameter) -> folder in the download path.
FOLDERS = {
    "document": "documents",
    "photo": "photos",
    "voice": "voice",
    "audio": "music",
    "video": "videos",
    "animation": "animations",
    "video_note": "video_notes",
    "sticker": "stickers",
}

# Sizes and durations if the request has none; only the sizes of images are read from the files.
_DEFAULTS: dict[str, dict[str, Any]] = {
    "photo": {"width": 1280, "height": 720},
    "voice": {"duration": 1},
    "audio": {"duration": 1},
    "video": {"width": 1280, "height": 720, "duration": 1},
    "animation": {"width": 320, "height": 240, "duration": 1},
    "video_note": {"length": 240, "duration": 1},
    "sticker": {
        "type": "regular",
        "width": 512,
        "height": 512,
        "is_animated": False,
        "is_video": False,
    },
}
_NAMED = frozenset({"document", "audio", "video", "animation"})
_TYPED = frozenset({"document", "audio", "video", "animation", "voice"})
_EXTRA = ("duration", "width", "height", "length", "performer", "title")


def media_fields(kind: str, file: StoredFile, given: dict[str, Any] | None = None) -> dict[str, Any]:
    """Return the message field for a file of this kind; ``given`` are sizes and durations if known."""
    extra = {name: value for name, value in (given or {}).items() if name in _EXTRA}
    if kind == "photo" and file.dimensions is not None:
        extra["width"], extra["height"] = file.dimensions
    body: dict[str, Any] = {
        "file_id": file.file_id,
        "file_unique_id": file.unique_id,
        "file_size": file.size,
        **_DEFAULTS.get(kind, {}),
        **{name: value for name, value in extra.items() if name in _DEFAULTS.get(kind, {}) or kind == "audio"},
    }
    if kind in _NAMED and file.name:
        body["file_name"] = file.name
    if kind in _TYPED and file.mime:
        body["mime_type"] = file.mime
    if kind == "animation":
        return {"animation": body, "document": body}
    return {kind: [body] if kind == "photo" else body}


def described(fields: Mapping[str, Any], about: Mapping[str, Any]) -> dict[str, Any]:
    """Return the message fields of a file with other values in its description; None removes one."""

    def changed(body: Mapping[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in {**body, **about}.items() if value is not None}

    # A photo is an array of sizes; there is one here.
    return {name: [changed(body[0])] if name == "photo" else changed(body) for name, body in fields.items()}
