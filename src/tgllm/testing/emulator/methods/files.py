"""Files in both directions: sendDocument and similar methods, sendMediaGroup, editMessageMedia, getFile."""

from collections.abc import Mapping
from itertools import count
from typing import Any, cast

from tgllm.testing.emulator.markup.formatting import format_text
from tgllm.testing.emulator.markup.text import MAX_CAPTION, Text
from tgllm.testing.emulator.methods.call import MethodCall, Upload
from tgllm.testing.emulator.methods.messages import deliver, own_message, replace_content
from tgllm.testing.emulator.methods.registry import handles
from tgllm.testing.emulator.protocol.errors import BotApiError, bad_request
from tgllm.testing.emulator.state.files import MAX_DOWNLOAD_BYTES, MAX_PHOTO_BYTES, MAX_UPLOAD_BYTES
from tgllm.testing.emulator.state.records import StoredFile
from tgllm.testing.emulator.world.media import FOLDERS, media_fields
from tgllm.testing.emulator.world.wire import file_json, message_json

__all__ = ["get_file", "send_file", "send_media_group"]

_ALBUM = range(2, 11)
_albums = count(13_000_000_000_000_001)


def _stored(call: MethodCall, kind: str, value: object) -> StoredFile:
    """Return the file of a parameter: an upload, ``attach://NAME`` or a file_id."""
    upload = value if isinstance(value, Upload) else call.uploads.get(str(value).removeprefix("attach://"))
    if upload is not None:
        return _keep(call, kind, upload)
    if str(value).startswith(("http://", "https://")):
        raise bad_request("wrong type of the web page content")
    file = call.world.files.by_id(str(value))
    if file is None:
        raise bad_request("wrong remote file identifier specified: can't unserialize it")
    return file


def _keep(call: MethodCall, kind: str, upload: Upload) -> StoredFile:
    size = len(upload.content)
    if size == 0:
        raise bad_request("file must be non-empty")
    if size > MAX_UPLOAD_BYTES:
        raise BotApiError(413, "Request Entity Too Large")
    if kind == "photo" and size > MAX_PHOTO_BYTES:
        raise bad_request("file is too big")
    return call.world.files.add(upload.content, FOLDERS[kind], upload.name, upload.mime)


_SENDERS = {
    "sendDocument": "document",
    "sendPhoto": "photo",
    "sendVoice": "voice",
    "sendAudio": "audio",
    "sendVideo": "video",
    "sendAnimation": "animation",
    "sendVideoNote": "video_note",
    "sendSticker": "sticker",
}


@handles(*_SENDERS)
def send_file(call: MethodCall) -> object:
    """Bot API: sendDocument, sendPhoto, sendVoice, sendAudio, sendVideo, sendAnimation..."""
    call.chat()
    kind = _SENDERS[call.spec.name]
    caption = call.caption()
    file = _stored(call, kind, call.get(kind))
    fields = media_fields(kind, file, dict(call.params))
    return message_json(deliver(call, caption, fields, is_caption=True, file=file))


@handles("sendMediaGroup")
def send_media_group(call: MethodCall) -> object:
    """Bot API: sendMediaGroup; the album is sent completely or not at all."""
    call.chat()
    media = cast("list[dict[str, Any]]", call.get("media") or [])
    if len(media) not in _ALBUM:
        raise bad_request("wrong number of items in the media group: 2-10 are allowed")
    parts = [_album_part(call, item) for item in media]
    group_id = str(next(_albums))
    sent = [
        deliver(call, caption, {**fields, "media_group_id": group_id}, is_caption=True, file=file)
        for caption, fields, file in parts
    ]
    return [message_json(message) for message in sent]


def _album_part(call: MethodCall, item: Mapping[str, Any]) -> tuple[Text, dict[str, Any], StoredFile]:
    kind = str(item.get("type"))
    if kind not in FOLDERS:
        raise bad_request("can't parse InputMedia: media type is not supported")
    file = _stored(call, kind, item.get("media"))
    return call.with_mentions(_item_caption(item)), media_fields(kind, file, dict(item)), file


def _item_caption(item: Mapping[str, Any]) -> Text:
    entities, words = item.get("caption_entities"), "message caption is too long"
    return format_text(item.get("caption") or "", item.get("parse_mode"), entities, MAX_CAPTION, words)


@handles("editMessageMedia")
def edit_message_media(call: MethodCall) -> object:
    """Bot API: editMessageMedia."""
    message = own_message(call, call.chat())
    caption, fields, file = _album_part(call, cast("dict[str, Any]", call.get("media")))
    return replace_content(call, message, caption, fields, file)


@handles("getFile")
def get_file(call: MethodCall) -> object:
    """Bot API: getFile; files above 20 MB can't be downloaded but from a local server, which returns absolute paths."""
    file = call.world.files.by_id(str(call.get("file_id")))
    if file is None:
        raise bad_request("invalid file_id")
    if call.world.files.folder is not None:
        return {**file_json(file), "file_path": call.world.files.local_path(file, call.bot.token)}
    if file.size > MAX_DOWNLOAD_BYTES:
        raise bad_request("file is too big")
    return file_json(file, with_path=True)
