"""Entities of a text, with ranges in characters. Bot API: MessageEntity counts in UTF-16 units."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any, Final, cast

from tgllm.bot.updates.values import as_id, as_mapping

__all__ = ["Entity", "is_readable", "raw_entities", "read_entities"]

_STYLES: Final = frozenset(
    {
        "bold",
        "italic",
        "underline",
        "strikethrough",
        "spoiler",
        "blockquote",
        "expandable_blockquote",
        "custom_emoji",
        "marked",
        "subscript",
        "superscript",
        *(f"heading{size}" for size in range(1, 7)),
    }
)
"""The last ones are of rich messages: see ``updates.rich_text``."""
_MEANINGS: Final = frozenset(
    {
        "mention",
        "text_mention",
        "hashtag",
        "cashtag",
        "bot_command",
        "url",
        "text_link",
        "email",
        "phone_number",
        "bank_card_number",
        "date_time",
        "code",
        "pre",
        "mathematical_expression",
    }
)
_TEXTS: Final = ("url", "language", "custom_emoji_id", "date_time_format")


@dataclass(frozen=True, slots=True)
class Entity:
    """A range of a text with a meaning or a format."""

    kind: str
    """Its type as Telegram names it, also one that this version does not know."""
    start: int
    end: int
    """Indices of characters; the end is exclusive."""
    url: str = ""
    """Address of a ``text_link``."""
    language: str = ""
    """Programming language of a ``pre``."""
    user_id: int | None = None
    """User of a ``text_mention``."""
    unix_time: int | None = None
    """Time of a ``date_time``, in seconds."""

    @property
    def is_style(self) -> bool:
        """Whether it says only how the text looks: mentions and commands in it are marked as elsewhere."""
        return self.kind in _STYLES

    @property
    def is_known(self) -> bool:
        """Whether this version knows its kind."""
        return self.is_style or self.kind in _MEANINGS

    @property
    def key(self) -> tuple[str, str, str]:
        """What has to be equal for two adjacent entities to be one."""
        return self.kind, self.url, self.language


def read_entities(text: str, raw: object) -> tuple[Entity, ...]:
    """Return the entities of a text in the order of their starts, the longer first.

    A range that exceeds the text is truncated, and one that begins or ends within a surrogate pair includes the whole
    character. What is no entity, or covers no character, is left out.

    Args:
        text: the text or caption.
        raw: the value of ``entities`` or ``caption_entities``, of any type.
    """
    items = cast("list[object]", raw) if isinstance(raw, list) else []
    if not items or not text:
        return ()
    indices = _indices(text)
    found = [entity for item in items if (entity := _entity(as_mapping(item), indices)) is not None]
    return tuple(sorted(found, key=lambda entity: (entity.start, -entity.end)))


def raw_entities(text: str, entities: Iterable[Entity]) -> list[dict[str, Any]]:
    """Return the entities of a text in the form in which they are read; see ``read_entities``."""
    offsets = _offsets(text)
    return [_raw(entity, offsets) for entity in entities]


def _raw(entity: Entity, offsets: Sequence[int]) -> dict[str, Any]:
    start, end = offsets[entity.start], offsets[entity.end]
    values = {
        "url": entity.url or None,
        "language": entity.language or None,
        "user": None if entity.user_id is None else {"id": entity.user_id},
        "unix_time": entity.unix_time,
    }
    present = {name: value for name, value in values.items() if value is not None}
    return {"type": entity.kind, "offset": start, "length": end - start, **present}


def _offsets(text: str) -> Sequence[int]:
    """Return for each character, and for the end, the number of UTF-16 units before it."""
    return [0, *accumulate(2 if char > "\uffff" else 1 for char in text)]


def is_readable(item: object) -> bool:
    """Return whether an item of ``entities`` has the fields that every entity has, and values of their types."""
    raw = as_mapping(item)
    has_numbers = all(_is_number(raw.get(name)) for name in ("offset", "length"))
    user = raw.get("user")
    return (
        has_numbers
        and isinstance(raw.get("type"), str)
        and all(isinstance(raw.get(name), str | None) for name in _TEXTS)
        and (raw.get("unix_time") is None or _is_number(raw["unix_time"]))
        and (user is None or as_id(as_mapping(user).get("id")) is not None)
    )


def _entity(raw: Mapping[str, Any], indices: Sequence[int]) -> Entity | None:
    if not is_readable(raw):
        return None
    offset = int(raw["offset"])
    end = min(offset + int(raw["length"]), len(indices))
    if not 0 <= offset < end:
        return None
    return Entity(
        raw["type"],
        indices[offset],
        indices[end - 1] + 1,
        raw.get("url") or "",
        raw.get("language") or "",
        as_id(as_mapping(raw.get("user")).get("id")),
        raw.get("unix_time"),
    )


def _is_number(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _indices(text: str) -> Sequence[int]:
    """Return for each UTF-16 unit the index of its character."""
    if text.isascii() or max(text) <= "\uffff":
        return range(len(text))
    return [index for index, char in enumerate(text) for _ in range(2 if char > "\uffff" else 1)]
