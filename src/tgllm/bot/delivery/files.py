"""Files in the outbox: a row's payload is JSON, so it holds the path of the file."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from aiogram.types import FSInputFile

from tgllm.bot.delivery.fallbacks import FALLBACK
from tgllm.observe.logs import get_logger
from tgllm.services.files.picture_size import Picture, picture_of
from tgllm.services.files.storage.store import FileStorage
from tgllm.services.personal_data.export_files import remove_export

__all__ = [
    "DOCUMENT",
    "PHOTO",
    "StoredUpload",
    "document_payload",
    "has_file",
    "located",
    "media_payload",
    "opened",
    "remove_document",
    "upload_size",
]

DOCUMENT = "document"
"""Key in the payload of sendDocument: the file's path and its name in the chat."""
PHOTO = "photo"
"""The same for sendPhoto."""
_KEPT = "kept"
"""Key beside the path: the file belongs to a conversation and is not removed once it is sent."""

MOST_PHOTO_BYTES: Final = 10 * 2**20
MOST_PHOTO_SIDES: Final = 10_000
"""Most pixels of width and height together."""
MOST_PHOTO_RATIO: Final = 20
"""Limits of pictures that are not sent as files. Bot API: sendPhoto."""

log = get_logger(__name__)


class StoredUpload(FSInputFile):
    """A file to upload, with its size."""

    def __init__(self, path: Path, filename: str) -> None:
        """Refer to a file, which is read when it is sent."""
        super().__init__(path, filename=filename)
        self.size = path.stat().st_size


def document_payload(path: Path, name: str, caption: str = "", *, kept: bool = False) -> dict[str, Any]:
    """Return the part of a row's payload that sends a file.

    Args:
        path: of the file.
        name: name of the file in the chat.
        caption: text below it, at most 1024 characters (Bot API: sendDocument).
        kept: whether the file stays where it is; otherwise it is removed once it is sent.
    """
    payload: dict[str, Any] = {DOCUMENT: {"path": str(path.absolute()), "name": name}}
    if kept:
        payload[DOCUMENT][_KEPT] = True
    return {**payload, "caption": caption} if caption else payload


async def media_payload(path: Path, name: str, caption: str = "", *, kept: bool = False) -> dict[str, Any]:
    """Return the same for a file that is shown as a picture if Telegram takes it as one, and else sent as a file.

    Pictures with transparent parts are sent as files: Telegram would store them as JPEG.
    """
    document = document_payload(path, name, caption, kept=kept)
    try:
        is_photo = await asyncio.to_thread(_is_photo, path)
    except OSError:
        is_photo = False
    if not is_photo:
        return document
    photo = {PHOTO: document[DOCUMENT], FALLBACK: [document]}
    return {**photo, "caption": caption} if caption else photo


def has_file(payload: Mapping[str, Any]) -> bool:
    """Return whether a row sends a file."""
    return DOCUMENT in payload or PHOTO in payload


def opened(payload: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the payload with the file in place of its path; a payload without a file is unchanged.

    Raises:
        ValueError: the file does not exist any more.
    """
    key = _key(payload)
    if key is None:
        return payload
    path = _path(payload[key])
    if not path.is_file():
        raise ValueError("the file to be sent is gone")
    return {**payload, key: StoredUpload(path, str(payload[key]["name"]))}


def upload_size(payload: Mapping[str, Any]) -> int:
    """Return the bytes of the file that a payload sends; 0 without a file, or if it does not exist any more."""
    key = _key(payload)
    try:
        return 0 if key is None else _path(payload[key]).stat().st_size
    except OSError:
        return 0


async def located(payload: Mapping[str, Any], storage: FileStorage | None) -> Mapping[str, Any]:
    """Return the payload with the path that its file has on this machine, fetched if necessary.

    A payload without a file, or with one that is gone, is unchanged.

    Raises:
        StorageUnavailable: the file can't be fetched now.
    """
    key = _key(payload)
    if key is None or storage is None:
        return payload
    path = await storage.fetch(_path(payload[key]))
    return payload if path is None else {**payload, key: {**payload[key], "path": str(path)}}


async def remove_document(payload: Mapping[str, Any], storage: FileStorage | None = None) -> None:
    """Remove the file of a finished row, if it has one that nothing else needs."""
    key = _key(payload)
    if key is None or payload[key].get(_KEPT):
        return
    try:
        if storage is None:
            await asyncio.to_thread(remove_export, _path(payload[key]))
        else:
            await storage.remove([_path(payload[key])])
    except OSError as error:
        # The retention job removes it later, with the old exports.
        log.warning("export.not_removed", error=type(error).__name__)


def _key(payload: Mapping[str, Any]) -> str | None:
    return next((key for key in (DOCUMENT, PHOTO) if key in payload), None)


def _path(file: Mapping[str, Any]) -> Path:
    return Path(str(file["path"]))


def _is_photo(path: Path) -> bool:
    with path.open("rb") as file:
        picture = picture_of(file)
    return picture is not None and path.stat().st_size <= MOST_PHOTO_BYTES and _fits(picture)


def _fits(picture: Picture) -> bool:
    short, long = sorted((picture.width, picture.height))
    shape = short + long <= MOST_PHOTO_SIDES and long <= short * MOST_PHOTO_RATIO
    return shape and not picture.transparent and not picture.animated
