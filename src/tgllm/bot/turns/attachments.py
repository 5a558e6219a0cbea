"""Files of messages as attachments of a question. The messages are raw, like the items of an album in the inbox."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, cast

from tgllm.bot.updates.values import as_id, as_mapping
from tgllm.services.files.attachment import Attachment, AttachmentKind

__all__ = ["attachments_in", "without_repeats"]

Json = Mapping[str, Any]


def attachments_in(message: Json, most_bytes: int, *, is_elsewhere: bool = False) -> tuple[Attachment, ...]:
    """Return the files of a message. Bot API: Message, ExternalReplyInfo.

    Args:
        message: a raw message, or the raw information on one of another chat.
        most_bytes: the largest file that can be downloaded: of several sizes, the best one up to it is chosen.
        is_elsewhere: whether the message belongs to another chat, where ids of messages mean others.
    """
    message_id = None if is_elsewhere else as_id(message.get("message_id"))
    # Bot API: PollMedia.
    holders = (message, as_mapping(as_mapping(message.get("poll")).get("media")))
    found = (_file_of(holder, most_bytes) for holder in holders)
    is_forwarded = any(message.get(field) is not None for field in ("forward_origin", "forward_date"))
    return without_repeats(
        replace(each, message_id=message_id, is_forwarded=is_forwarded) for each in found if each is not None
    )


def without_repeats(attachments: Iterable[Attachment]) -> tuple[Attachment, ...]:
    """Return each file once, where it first occurs."""
    return tuple({each.key: each for each in reversed(list(attachments))}.values())[::-1]


def _file_of(holder: Json, most_bytes: int) -> Attachment | None:
    """Return the file of an object; an animation is a document, too, and a live photo is a photo."""
    for kind, find in _KINDS.items():
        found = find(holder.get(kind), most_bytes)
        if found is not None:
            return found
    return None


def _plain(kind: AttachmentKind) -> Callable[[object, int], Attachment | None]:
    return lambda value, _most: _attachment(kind, as_mapping(value))


def _video(value: object, most_bytes: int) -> Attachment | None:
    """Return a video; one that is too large in a lower quality, if there is one. Bot API: VideoQuality."""
    video = as_mapping(value)
    whole = _attachment("video", video)
    if whole is None or whole.size is None or whole.size <= most_bytes:
        return whole
    better = _largest(_list(video.get("qualities")), most_bytes)
    smaller = None if better is None else _attachment("video", {**video, **better})
    return smaller if smaller is not None and (smaller.size or 0) <= most_bytes else whole


def _photo(value: object, most_bytes: int) -> Attachment | None:
    """Return the largest size of a photo that can be downloaded. Bot API: PhotoSize."""
    size = _largest(_list(value), most_bytes)
    return None if size is None else _attachment("photo", {"mime_type": "image/jpeg", **size})


def _live_photo(value: object, most_bytes: int) -> Attachment | None:
    """Return the picture of a live photo, or its video if there is no picture."""
    live = as_mapping(value)
    return _photo(live.get("photo"), most_bytes) or _attachment("video", live)


def _sticker(value: object, _most_bytes: int) -> Attachment | None:
    """Return the picture of a sticker: of an animated one, its thumbnail. Bot API: Sticker."""
    sticker = as_mapping(value)
    if sticker.get("is_animated") is True or sticker.get("is_video") is True:
        return _attachment("sticker", as_mapping(sticker.get("thumbnail")))
    return _attachment("sticker", {"mime_type": "image/webp", **sticker})


_KINDS: Final[Mapping[str, Callable[[object, int], Attachment | None]]] = {
    "sticker": _sticker,
    "animation": _plain("animation"),
    "video_note": _plain("video_note"),
    "voice": _plain("voice"),
    "audio": _plain("audio"),
    "video": _video,
    "photo": _photo,
    "live_photo": _live_photo,
    "document": _plain("document"),
}
"""Fields of a message in the order in which they count."""


def _attachment(kind: AttachmentKind, file: Json) -> Attachment | None:
    source, key = file.get("file_id"), file.get("file_unique_id")
    if not isinstance(source, str) or not source:
        return None
    size, seconds = as_id(file.get("file_size")), file.get("duration")
    return Attachment(
        source=source,
        key=key if isinstance(key, str) and key else source,
        kind=kind,
        size=size if size is not None and size >= 0 else None,
        mime=_text(file.get("mime_type")),
        name=_text(file.get("file_name")),
        seconds=float(seconds) if isinstance(seconds, int | float) and seconds >= 0 else None,
    )


def _largest(sizes: Sequence[Json], most_bytes: int) -> Json | None:
    """Return the size with the most pixels among those that can be downloaded; if none can, among all."""
    fitting = [size for size in sizes if (as_id(size.get("file_size")) or 0) <= most_bytes]
    return max(fitting or sizes, key=_pixels, default=None)


def _pixels(size: Json) -> int:
    return (as_id(size.get("width")) or 0) * (as_id(size.get("height")) or 0)


def _list(value: object) -> Sequence[Json]:
    return [as_mapping(each) for each in cast("list[object]", value)] if isinstance(value, list) else []


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None
