"""Files that a user sends through the HTTP control API."""

from collections.abc import Iterator, Sequence
from itertools import count, groupby
from typing import Any

from tgllm.testing.emulator.control.request import ControlRequest
from tgllm.testing.emulator.control.views import message_view
from tgllm.testing.emulator.methods.call import Upload

__all__ = ["kind_of", "send_file", "send_files"]

# Kinds of uploaded files by MIME type; all others are documents.
_KINDS = {
    "image/jpeg": "photo",
    "image/png": "photo",
    "image/webp": "photo",
    "video/mp4": "video",
    "audio/ogg": "voice",
    "audio/mpeg": "audio",
    "audio/mp4": "audio",
}
# Telegram: photos and videos share an album, documents and audio files have albums of their own, and a voice note none.
_ALBUMS = {"photo": "pictures", "video": "pictures", "document": "documents", "audio": "sounds"}
# Telegram's clients: files of one album.
_LARGEST_ALBUM = 10
_album_ids = count(15_000_000_000_000_001)


def kind_of(mime: str) -> str:
    """Return as what a client sends a file."""
    return _KINDS.get(mime.partition(";")[0].strip().lower(), "document")


async def send_file(request: ControlRequest) -> dict[str, Any]:
    """Send the file of the form."""
    if not request.files:
        raise ValueError("a file is missing: send a form with a file field")
    return await _send(request, request.files[0], caption=request.text("caption", ""))


async def send_files(request: ControlRequest) -> dict[str, Any]:
    """Send all files of the form, in albums where Telegram has them; the first message has the caption."""
    if not request.files:
        raise ValueError("files are missing: send a form with a field for each file")
    sent: list[dict[str, Any]] = []
    for files in _albums(request.files):
        fields = {"media_group_id": str(next(_album_ids))} if len(files) > 1 else {}
        for file in files:
            caption = "" if sent else request.text("caption", "")
            sent.append(await _send(request, file, caption=caption, fields=fields))
    return {"messages": sent}


def _albums(files: Sequence[Upload]) -> Iterator[Sequence[Upload]]:
    """Yield what is sent together: files in a row that may share an album, ten at most."""
    numbered = enumerate(files)
    for _, run in groupby(numbered, lambda one: _ALBUMS.get(kind_of(one[1].mime), one[0])):
        together = [file for _, file in run]
        for start in range(0, len(together), _LARGEST_ALBUM):
            yield together[start : start + _LARGEST_ALBUM]


async def _send(
    request: ControlRequest, file: Upload, *, caption: str, fields: dict[str, str] | None = None
) -> dict[str, Any]:
    chat = request.chat_or_private()
    message = await request.user().upload(
        file.content,
        name=file.name,
        mime=file.mime,
        kind=request.text("kind", kind_of(file.mime)),
        caption=caption,
        entities=request.entities() if caption else (),
        chat=chat,
        topic=request.topic(chat),
        reply_to=request.reply_to(),
        fields=fields,
    )
    return message_view(message)
