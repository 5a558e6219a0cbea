"""Passages that hold the parts of a file which a question names."""

import re
from collections.abc import Iterator, Sequence
from typing import Final

from tgllm.db.tables.passages import Outline
from tgllm.services.files.search.references import LAST, Reference, han_number, number_of, unit_of
from tgllm.services.files.search.terms import plain

__all__ = ["named_parts", "page_range", "passages_of"]

_NUMBERED: Final = re.compile(r"(?:(page|slide) )(\d{1,7})$")
_TITLE: Final = re.compile(r"([^\W\d_]+|§)[\s.:№#]*(\d+(?:\.\d+)*|[^\W\d_]+)|(\d+(?:\.\d+)*)\.?\s")
_HAN_TITLE: Final = re.compile(r"第 ?([0-9零一二三四五六七八九十百两\u3007]+)|제 ?(\d+)")
MOST_PLACES: Final = 4
"""Places of a row or heading that are shown if there are several with that number."""
LEAST_NAME: Final = 2


def passages_of(reference: Reference, outline: Sequence[Outline]) -> list[range]:
    """Return the passages that hold a part, in order of importance; none if the document has no such part."""
    if not outline:
        return []
    match reference.unit:
        case "text":
            return _pages(Reference("page", LAST), outline) or [range(max(len(outline) - 2, 0), len(outline))]
        case "page" | "slide":
            return _pages(reference, outline)
        case "sheet":
            return _sheets(reference, outline)
        case "row" | "line":
            return _rows(reference, outline)
        case _:
            return _headings(reference, outline)


def named_parts(question: str, outline: Sequence[Outline]) -> list[range]:
    """Return the passages of each sheet or file whose name is in a question."""
    asked = f" {' '.join(_words(question))} "
    found: list[range] = []
    for name, numbers in _parts(outline):
        wanted = " ".join(_words(name))
        if len(wanted) >= LEAST_NAME and f" {wanted} " in asked:
            found.append(numbers)
    return found[:MOST_PLACES]


def page_range(entry: Outline) -> tuple[int, int] | None:
    """Return the first and last page or slide of a passage; None if it has none."""
    first, last = _NUMBERED.search(entry.part_from), _NUMBERED.search(entry.part_to)
    return (int(first[2]), int(last[2])) if first and last else None


def _pages(reference: Reference, outline: Sequence[Outline]) -> list[range]:
    pages = [(entry.number, found) for entry in outline if (found := page_range(entry))]
    if not pages:
        return []
    if reference.first == LAST:
        low = high = max(found[1] for _, found in pages)
    else:
        low = _whole(reference.first)
        high = _whole(reference.last) if reference.last else low
    return _runs([number for number, (first, last) in pages if first <= high and low <= last])


def _sheets(reference: Reference, outline: Sequence[Outline]) -> list[range]:
    parts = [numbers for _, numbers in _parts(outline)]
    if reference.first == LAST:
        return parts[-1:]
    index = _whole(reference.first) - 1
    return [parts[index]] if 0 <= index < len(parts) else []


def _rows(reference: Reference, outline: Sequence[Outline]) -> list[range]:
    has_table = any(entry.row_from for entry in outline)
    if reference.unit == "line" and has_table:
        return []
    spans = [
        (entry.number, entry.row_from if has_table else entry.line_from, entry.row_to if has_table else entry.line_to)
        for entry in outline
        if entry.row_from or not has_table
    ]
    if not spans:
        return []
    if reference.first == LAST:
        return _runs([spans[-1][0]])
    low = _whole(reference.first)
    high = _whole(reference.last) if reference.last else low
    return _runs([number for number, first, last in spans if first <= high and low <= last])[:MOST_PLACES]


def _headings(reference: Reference, outline: Sequence[Outline]) -> list[range]:
    """Return the passages below the headings with a number, those that name the same unit first."""
    named: list[tuple[int, str]] = []
    bare: list[tuple[int, str]] = []
    for entry in outline:
        for title in entry.headings.split("\n") if entry.headings else ():
            units, number = _of_title(title)
            if reference.first in {LAST, number}:
                (named if reference.unit in units else bare if not units else []).append((entry.number, title))
    found = named or (bare if reference.unit in {"chapter", "section"} else [])
    found = found[-1:] if reference.first == LAST else found[:MOST_PLACES]
    return [_below(start, title, outline) for start, title in found]


def _below(start: int, title: str, outline: Sequence[Outline]) -> range:
    end = start + 1
    above = title[:80]
    while end < len(outline) and above in outline[end].heading.split(" > "):
        end += 1
    return range(start, end)


def _of_title(title: str) -> tuple[Sequence[str], str]:
    """Return the units and the number of a heading, such as "Chapter 4: Trees" or "4.2 Trees"."""
    if found := _HAN_TITLE.match(title):
        unit = "section" if "节" in title[:8] or "節" in title[:8] else "article" if "条" in title[:8] else "chapter"
        return (unit,), found[2] or han_number(found[1])
    found = _TITLE.match(plain(title))
    if found is None:
        return (), ""
    if found[3]:
        return (), number_of(found[3])
    return unit_of(found[1]) or ("other",), number_of(found[2])


def _parts(outline: Sequence[Outline]) -> Iterator[tuple[str, range]]:
    """Yield the names of sheets and files in order, and their passages.

    Of small ones that share a passage only the first and the last are known; the others are found as words.
    """
    places: dict[str, list[int]] = {}
    for entry in outline:
        for part in dict.fromkeys((entry.part_from, entry.part_to)):
            if name := _name(part):
                places.setdefault(name, []).append(entry.number)
    for name, numbers in places.items():
        yield name, range(numbers[0], numbers[-1] + 1)


def _name(part: str) -> str:
    first = part.partition(", ")[0] if part.startswith("file ") else part
    kind, _, name = first.partition(" ")
    return name if kind in {"sheet", "file"} else ""


def _runs(numbers: Sequence[int]) -> list[range]:
    """Return the runs of consecutive numbers."""
    runs: list[range] = []
    for number in numbers:
        if runs and runs[-1].stop == number:
            runs[-1] = range(runs[-1].start, number + 1)
        else:
            runs.append(range(number, number + 1))
    return runs


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", plain(text))


def _whole(number: str) -> int:
    return int(number.partition(".")[0] or 0)
