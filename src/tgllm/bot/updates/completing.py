"""Completes updates that aiogram refuses: other Bot API servers leave out fields, or use values unknown to it."""

from collections.abc import Iterable, Sequence
from typing import Any, Final, cast

from pydantic_core import ErrorDetails

__all__ = ["complete"]

Json = dict[str, Any]
_DEFAULTS: Final[Json] = {
    "is_bot": False,
    "first_name": "",
    "chat_instance": "",
    "date": 0,
    "message_id": 0,
    "width": 0,
    "height": 0,
    "duration": 0,
    "file_unique_id": "",
}
"""Values of required fields without which an update can be handled all the same."""
_NEEDED: Final = {
    *("update_id", "message", "edited_message", "channel_post", "edited_channel_post", "callback_query"),
    *("my_chat_member", "old_chat_member", "new_chat_member", "chat", "from", "id", "message_id", "text", "caption"),
    *("data", "photo", "document", "voice", "audio", "video", "video_note", "animation", "sticker", "paid_media"),
}
"""Fields that are what an update is about: without them it would mean something else."""


def complete(update: Json, errors: Iterable[ErrorDetails]) -> bool:
    """Add default values and remove what can't be read, in place; return False if that is impossible.

    Args:
        update: an update as its JSON says.
        errors: of pydantic, about it.
    """
    mended = [_mend(update, error["loc"], is_missing=error["type"] == "missing") for error in errors]
    return any(mended)


def _mend(update: Json, location: Sequence[int | str], *, is_missing: bool) -> bool:
    path = _path(update, location)
    name = location[-1]
    if is_missing:
        inner = path[-1][0][path[-1][1]] if path else update
        if isinstance(inner, dict) and name in inner:
            # Another member of a union wanted it as well.
            return True
        if isinstance(inner, dict) and (default := _default(cast("Json", inner), str(name))) is not None:
            inner[str(name)] = default
            return True
    # The innermost value that the update can do without.
    for depth in range(len(path) - 1, -1, -1):
        container, key = path[depth]
        if isinstance(container, dict):
            # Objects of an unknown kind only: a number in place of one is no new kind, but a mistake.
            fields = cast("Json", container)
            is_kind = isinstance(fields[str(key)], dict | list)
            return is_kind and key not in _NEEDED and fields.pop(str(key)) is not None
        if depth and path[depth - 1][1] not in _NEEDED:
            container.pop(key)
            return True
    return False


def _default(holder: Json, name: str) -> object:
    if name == "type" and isinstance(holder.get("id"), int):
        # Bot API: ids of people are positive, those of groups negative.
        return "private" if holder["id"] > 0 else "supergroup"
    if name == "file_unique_id" and isinstance(holder.get("file_id"), str):
        return holder["file_id"]
    return _DEFAULTS.get(name)


def _path(update: Json, location: Sequence[int | str]) -> list[tuple[Any, int | str]]:
    """Return containers and keys on the way to a location, without pydantic's names of the members of unions."""
    path: list[tuple[Any, int | str]] = []
    value: Any = update
    for step in location:
        is_key = isinstance(value, dict) and step in value
        is_index = isinstance(value, list) and isinstance(step, int) and step < len(cast("list[object]", value))
        if is_key or is_index:
            path.append((cast("Any", value), step))
            value = cast("Any", value)[step]
    return path
