"""Code blocks and tables of an answer that are worth a file of their own."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

__all__ = ["MOST_EXTRACTS", "Code", "Extract", "Table", "extracts_of"]

MOST_EXTRACTS: Final = 4
"""Most extracts of one answer; a chat shows a button for each."""
LARGE_CODE: Final = 3000
"""Characters from which a code block is worth a file, however few lines it has."""
MOST_MARKED: Final = 500
"""Longest cell whose marks are removed: the pattern takes quadratic time."""

# At any depth: models indent the blocks of list items, and hardly ever write code that is marked by indentation.
_FENCE = re.compile(r"([ \t]*)(`{3,}|~{3,})([^`]*)$")
_BREAK = re.compile(r"<br ?/?>", re.IGNORECASE)
_RULE = re.compile(r":?-+:?")
_CELL_END = re.compile(r"(?<!\\)\|")
_MARKS = re.compile(r"(\*\*|__|`+)(?=\S)(.+?)(?<=\S)\1")


@dataclass(frozen=True, slots=True)
class Code:
    """A code block."""

    text: str
    info: str
    """Text after the fence: usually the language, sometimes a file name."""


@dataclass(frozen=True, slots=True)
class Table:
    """A table; all rows have as many cells as the first one."""

    rows: Sequence[Sequence[str]]


Extract = Code | Table


def extracts_of(markdown: str, code_lines: int, most: int = MOST_EXTRACTS) -> list[Extract]:
    """Return the first tables and large code blocks of a text, in order. The time is linear in its length.

    Args:
        markdown: as the model has written it.
        code_lines: lines from which a code block is large.
        most: most extracts to return.
    """
    if "|" not in markdown and "```" not in markdown and "~~~" not in markdown:
        return []
    found: list[Extract] = []
    # Not splitlines(): form feeds and other separators are part of a line of code.
    for extract in _all(markdown.replace("\r\n", "\n").split("\n")):
        if isinstance(extract, Table) or _is_large(extract, code_lines):
            found.append(extract)
        if len(found) == most:
            break
    return found


def _is_large(code: Code, lines: int) -> bool:
    return code.text.count("\n") >= lines or len(code.text) >= LARGE_CODE


def _all(lines: Sequence[str]) -> Iterator[Extract]:
    at = 0
    while at < len(lines):
        fence = _FENCE.match(lines[at])
        if fence is not None:
            end = _end_of_code(lines, at, fence[1], fence[2])
            code = [_dedented(line, fence[1]) for line in lines[at + 1 : end]]
            yield Code("".join(f"{line}\n" for line in code), fence[3].strip())
            at = end + 1
        elif "|" in lines[at] and at + 1 < len(lines) and _is_rule(lines[at + 1]):
            end = at + 2
            while end < len(lines) and "|" in lines[end]:
                end += 1
            width = len(_cells(lines[at]))
            if len(_cells(lines[at + 1])) == width and end > at + 2:
                yield Table([_as_wide(_cells(line), width) for line in (lines[at], *lines[at + 2 : end])])
            at = end
        else:
            at += 1


def _is_rule(line: str) -> bool:
    """Return whether a line is the one below the header of a table."""
    cells = line.strip().removeprefix("|").removesuffix("|").split("|")
    return all(_RULE.fullmatch(cell.strip()) for cell in cells)


def _end_of_code(lines: Sequence[str], start: int, indent: str, fence: str) -> int:
    """Return the line that ends a block; one that nothing ends reaches to the end of the text."""
    for at in range(start + 1, len(lines)):
        line = lines[at].strip()
        deeper = len(lines[at]) - len(lines[at].lstrip()) - len(indent)
        if len(line) >= len(fence) and not line.strip(fence[0]) and deeper < 4:
            return at
    # The line break at the end of the text ends the last line of code.
    return len(lines) - (not lines[-1])


def _dedented(line: str, indent: str) -> str:
    """Return a line of code without the indentation of its fence, as far as it has it."""
    own = len(line) - len(line.lstrip(" \t"))
    return line[min(own, len(indent)) :]


def _cells(line: str) -> list[str]:
    inside = line.strip().removeprefix("|")
    cells = _CELL_END.split(inside)
    if len(cells) > 1 and not cells[-1].strip():
        cells.pop()
    return [_plain(cell) for cell in cells]


def _plain(cell: str) -> str:
    """Return a cell without the marks of bold text and code."""
    text = _BREAK.sub("\n", cell.strip().replace("\\|", "|"))
    return _MARKS.sub(r"\2", text) if len(text) <= MOST_MARKED else text


def _as_wide(cells: list[str], width: int) -> list[str]:
    return (cells + [""] * width)[:width]
