"""Names of files that the bot sends."""

import mimetypes
import re
import unicodedata

__all__ = ["mime_of", "outgoing_name"]

MOST_NAME = 100
"""Most characters of a name, with its ending."""
_MOST_ENDING = 12
# Linux: 255 bytes, of which an archive or a download may need some.
_MOST_BYTES = 240

_MIME = re.compile(r"[a-z0-9][a-z0-9.+-]*/[a-z0-9][a-z0-9.+-]*")
_ENDINGS = {
    "image/jpeg": ".jpg",
    "image/png": ".png",
    "image/webp": ".webp",
    "image/gif": ".gif",
    "audio/mpeg": ".mp3",
    "audio/ogg": ".ogg",
    "audio/wav": ".wav",
    "video/mp4": ".mp4",
    "application/octet-stream": ".bin",
    "text/plain": ".txt",
    "text/markdown": ".md",
}
_STEMS = {"image": "picture", "audio": "recording", "video": "video"}
# Windows: names of devices, with any ending.
_DEVICE = re.compile(r"(?:con|prn|aux|nul|com[0-9]|lpt[0-9])(?=\.|$)", re.IGNORECASE)
_NOT_IN_NAMES = frozenset('/\\:*?"<>|')


def mime_of(claimed: str) -> str:
    """Return a MIME type without parameters, in lower case; ``application/octet-stream`` for what is none."""
    mime = claimed.partition(";")[0].strip().lower()
    return mime if len(mime) <= MOST_NAME and _MIME.fullmatch(mime) else "application/octet-stream"


def outgoing_name(name: str | None, mime: str, number: int = 1) -> str:
    """Return a name for a file in a chat that any system can store, and that shows its true ending.

    Folders, control characters and marks that change the direction of the text are left out.

    Args:
        name: as a model, a plugin or a person named it; None or without any usable character: made from the type.
        mime: MIME type of the file.
        number: position of the file, for names that are made; the first one has no number.
    """
    base = (name or "").replace("\\", "/").rpartition("/")[2]
    kept = "".join(
        character
        for character in unicodedata.normalize("NFC", base)
        if character not in _NOT_IN_NAMES and unicodedata.category(character)[0] != "C"
    )
    kept = " ".join(kept.split()).strip(". ")
    if not kept:
        stem = _STEMS.get(mime.partition("/")[0], "file")
        return f"{stem}{'' if number == 1 else f'-{number}'}{_ending_of(mime)}"
    if _DEVICE.match(kept):
        kept = f"_{kept}"
    stem, dot, ending = kept.rpartition(".")
    if not dot or len(ending) > _MOST_ENDING:
        return _cut(kept, MOST_NAME - _MOST_ENDING - 1, _ending_of(mime))
    return _cut(stem, MOST_NAME - len(ending) - 1, f".{ending}")


def _cut(stem: str, most: int, ending: str) -> str:
    """Return a name with at most so many characters before its ending, and as many bytes as a file system takes."""
    room = _MOST_BYTES - len(ending.encode())
    return stem[:most].encode()[:room].decode(errors="ignore") + ending


def _ending_of(mime: str) -> str:
    return _ENDINGS.get(mime) or mimetypes.guess_extension(mime) or ".bin"
