"""Styles and numbering of a docx file: headings, bullets and the numbers of lists."""

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any, Final

from tgllm.plugins.builtin.files.formats.ooxml import attribute, child

__all__ = ["Numbering", "Style", "read_styles"]

_MOST_LEVELS: Final = 9
_BULLET: Final = "-"


@dataclass(frozen=True, slots=True)
class Style:
    """What a paragraph style says."""

    heading: int = 0
    """Level of the heading from 1; 0 for other paragraphs."""
    list_id: str = ""
    level: int = 0
    """Level of the list from 0."""


def read_styles(root: Any | None) -> dict[str, Style]:  # noqa: ANN401  lxml has no types
    """Return the paragraph styles by id; a style takes what it does not say from the one that it is based on."""
    own: dict[str, tuple[str, Style]] = {}
    for style in () if root is None else root:
        if str(style.tag).endswith("}style"):
            own[attribute(style, "styleId") or ""] = attribute(child(style, "basedOn"), "val") or "", _own(style)
    return {style_id: _resolved(style_id, own) for style_id in own}


def _own(style: Any) -> Style:  # noqa: ANN401  lxml has no types
    name = (attribute(child(style, "name"), "val") or "").lower()
    heading = number(name.removeprefix("heading ")) if name.startswith("heading ") else int(name == "title")
    outline = number(attribute(child(style, "pPr", "outlineLvl"), "val"), -1)
    if not heading and 0 <= outline < _MOST_LEVELS:
        heading = outline + 1
    listing = child(style, "pPr", "numPr")
    list_id = attribute(child(listing, "numId"), "val") or ""
    return Style(heading, list_id, number(attribute(child(listing, "ilvl"), "val")))


def _resolved(style_id: str, own: dict[str, tuple[str, Style]]) -> Style:
    heading, list_id, level = 0, "", 0
    seen = set[str]()
    while style_id in own and style_id not in seen:
        seen.add(style_id)
        parent, style = own[style_id]
        heading = heading or style.heading
        if style.list_id and not list_id:
            list_id, level = style.list_id, style.level
        style_id = parent
    return Style(heading, list_id, level)


@dataclass
class _Level:
    start: int = 1
    number_format: str = "decimal"
    text: str = ""


@dataclass
class _List:
    levels: dict[int, _Level] = field(default_factory=dict[int, _Level])
    counts: dict[int, int] = field(default_factory=dict[int, int])


class Numbering:
    """Labels of list items, counted as Word counts them."""

    def __init__(self, root: Any | None) -> None:  # noqa: ANN401  lxml has no types
        """Read the definitions of lists."""
        self._lists: dict[str, _List] = {}
        self._restarts: dict[str, dict[int, int]] = defaultdict(dict)
        abstract: dict[str, _List] = {}
        for element in () if root is None else root:
            name = str(element.tag).rpartition("}")[2]
            if name == "abstractNum":
                abstract[attribute(element, "abstractNumId") or ""] = _List(dict(_levels(element)))
            elif name == "num":
                list_id = attribute(element, "numId") or ""
                self._lists[list_id] = abstract.get(attribute(child(element, "abstractNumId"), "val") or "", _List())
                for override in element:
                    start = child(override, "startOverride")
                    if start is not None:
                        self._restarts[list_id][number(attribute(override, "ilvl"))] = number(
                            attribute(start, "val"), 1
                        )

    def label(self, list_id: str, level: int) -> str | None:
        """Count an item and return its label, ``-`` for bullets; None if there is no such list."""
        listing = self._lists.get(list_id)
        if listing is None or not 0 <= level < _MOST_LEVELS:
            return None
        definition = listing.levels.get(level, _Level())
        restart = self._restarts[list_id].pop(level, None)
        if restart is not None:
            listing.counts[level] = restart
        else:
            listing.counts[level] = listing.counts.get(level, definition.start - 1) + 1
        for deeper in [each for each in listing.counts if each > level]:
            del listing.counts[deeper]
        if definition.number_format == "bullet":
            return _BULLET
        if definition.number_format == "none":
            return ""
        label = definition.text or f"%{level + 1}."
        for each in range(level + 1):
            there = listing.levels.get(each, _Level())
            label = label.replace(f"%{each + 1}", _written(listing.counts.get(each, there.start), there.number_format))
        return label.strip()


def _levels(element: Any) -> list[tuple[int, _Level]]:  # noqa: ANN401  lxml has no types
    return [
        (
            number(attribute(level, "ilvl")),
            _Level(
                number(attribute(child(level, "start"), "val"), 1),
                attribute(child(level, "numFmt"), "val") or "decimal",
                attribute(child(level, "lvlText"), "val") or "",
            ),
        )
        for level in element
        if str(level.tag).endswith("}lvl")
    ]


def number(text: str | None, default: int = 0) -> int:
    """Return a whole number of a few digits, or the default."""
    digits = (text or "").strip()
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 7 else default


def _written(value: int, number_format: str) -> str:
    if number_format in {"lowerLetter", "upperLetter"} and value > 0:
        letter = chr(ord("a") + (value - 1) % 26) * ((value - 1) // 26 + 1)
        letter = letter[:8]
        return letter if number_format == "lowerLetter" else letter.upper()
    if number_format in {"lowerRoman", "upperRoman"} and 0 < value < 4000:
        roman = ""
        for worth, sign in _ROMAN:
            roman += sign * (value // worth)
            value %= worth
        return roman if number_format == "lowerRoman" else roman.upper()
    return f"{value:02}" if number_format == "decimalZero" else str(value)


_ROMAN: Final = (
    (1000, "m"), (900, "cm"), (500, "d"), (400, "cd"), (100, "c"), (90, "xc"), (50, "l"), (40, "xl"), (10, "x"),
    (9, "ix"), (5, "v"), (4, "iv"), (1, "i"),
)  # fmt: skip
