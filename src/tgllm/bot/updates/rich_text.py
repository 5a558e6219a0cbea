"""Converts rich messages in updates to text with entities before aiogram parses them.

aiogram 3.31 tries every kind of rich text at every level: five nested formats take 7 seconds to parse, and each further
level 15 times longer. Any user could block the bot with one message.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, cast

from tgllm.bot.updates.formats.entities import Entity, raw_entities
from tgllm.bot.updates.formats.written import Cut, Written, ordered, without
from tgllm.bot.updates.values import as_id, as_mapping

__all__ = ["without_rich_messages"]

_TEXTS: Final = ("label", "summary", "text", "expression", "alternative_text", "caption", "credit")
_BLOCKS: Final = ("blocks", "items")
_ENTITIES: Final[Mapping[str, str]] = {
    **{
        kind: kind
        for kind in (
            "bold", "italic", "underline", "strikethrough", "spoiler", "code", "pre", "marked", "subscript",
            "superscript", "mathematical_expression", "mention", "text_mention", "hashtag", "cashtag", "bot_command",
            "phone_number", "bank_card_number", "date_time", "blockquote", "expandable_blockquote",
        )
    },
    "url": "text_link",
    "email_address": "email",
    "pullquote": "blockquote",
}  # fmt: skip
"""Entities for the types of rich texts and blocks (Bot API: RichText, RichBlock). Headings have one for each size."""

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class _End:
    """The end of an entity."""

    node: Json
    kind: str
    start: int


def without_rich_messages(update: Json) -> Json:
    """Replace every rich message in the update, in place, by its text, and return the update. Bot API: RichMessage."""
    waiting: list[object] = [update]
    while waiting:
        value = waiting.pop()
        if isinstance(value, list):
            waiting.extend(cast("list[object]", value))
        elif isinstance(value, dict):
            node = cast("Json", value)
            if "rich_message" in node:
                written = _lines(_written(node.pop("rich_message")))
                if node.setdefault("text", written.text) is written.text and written.entities:
                    node["entities"] = raw_entities(written.text, written.entities)
            waiting.extend(node.values())
    return update


def _written(rich: object) -> Written:
    """Return the visible text, each block on its own line; without recursion, since the depth is unbounded."""
    pieces: list[str] = []
    entities: list[Entity] = []
    waiting: list[object] = [rich]
    at = 0
    while waiting:
        value = waiting.pop()
        if isinstance(value, str):
            pieces.append(value)
            at += len(value)
        elif isinstance(value, list):
            waiting.extend(reversed(cast("list[object]", value)))
        elif isinstance(value, dict):
            node = cast("Json", value)
            kind = _kind(node)
            if kind is not None:
                waiting.append(_End(node, kind, at))
            waiting.extend(reversed(list(_parts(node))))
        elif isinstance(value, _End) and value.start < at:
            entities.append(_entity(value, at))
    return Written("".join(pieces), ordered(entities))


def _kind(node: Json) -> str | None:
    kind, size = node.get("type"), node.get("size")
    if kind == "heading":
        return f"heading{size}" if size in range(1, 7) else "bold"
    return _ENTITIES.get(kind) if isinstance(kind, str) else None


def _entity(end: _End, at: int) -> Entity:
    url, language, seconds = (end.node.get(name) for name in ("url", "language", "unix_time"))
    return Entity(
        end.kind,
        end.start,
        at,
        url if isinstance(url, str) and end.kind == "text_link" else "",
        language if isinstance(language, str) and end.kind == "pre" else "",
        as_id(as_mapping(end.node.get("user")).get("id")),
        as_id(seconds),
    )


def _parts(node: Json) -> Iterator[object]:
    for name in _TEXTS:
        if name in node:
            yield node[name]
            yield " " if name == "label" else "\n" if name == "summary" else ""
    if node.get("has_checkbox") is True:
        yield "[x] " if node.get("is_checked") is True else "[ ] "
    for name in _BLOCKS:
        for block in _list(node.get(name)):
            yield block
            yield "\n"
    for number, row in enumerate(_list(node.get("cells"))):
        yield from _row(_list(row))
        if number == 0:
            yield "|---" * len(_list(row)) + "|\n"


def _list(value: object) -> list[object]:
    return cast("list[object]", value) if isinstance(value, list) else []


def _row(cells: list[object]) -> Iterator[object]:
    for cell in cells:
        yield "| "
        yield cell
        yield " "
    yield "|\n"


def _lines(written: Written) -> Written:
    """Return the text without empty lines and without white space around lines, but with all of it in code."""
    cuts: list[Cut] = []
    fences = [entity for entity in written.entities if entity.kind == "pre"]
    start = number = 0
    for line in written.text.split("\n"):
        end = start + len(line)
        while number < len(fences) and fences[number].end <= start:
            number += 1
        is_code = number < len(fences) and fences[number].start <= end
        if not is_code:
            cuts += _around(line, start)
        start = end + 1
    kept = without(written, cuts)
    return kept.part(0, len(kept.text.rstrip("\n")))


def _around(line: str, start: int) -> Iterator[Cut]:
    """Yield the white space around a line; all of a line that has nothing else, with its line break."""
    if not line.strip():
        yield Cut(start, start + len(line) + 1)
        return
    left, right = len(line) - len(line.lstrip()), len(line.rstrip())
    if left:
        yield Cut(start, start + left)
    if right < len(line):
        yield Cut(start + right, start + len(line))
