"""Text of a PDF page, made readable: hyphenation, ligatures and broken lines."""

import re
from typing import Final

from tgllm.plugins.builtin.files.shared.building import clean_text

__all__ = ["is_readable", "readable"]

_LIGATURES: Final = str.maketrans(
    {"ﬀ": "ff", "ﬁ": "fi", "ﬂ": "fl", "ﬃ": "ffi", "ﬄ": "ffl", "ﬅ": "st", "ﬆ": "st", "\xad": None, "\ufeff": None}
)
_BULLETS = re.compile(r"[\uf0a7\uf0a8\uf0b7\uf0d8\uf0fc\u25cf\u25aa\u2023\u2043]\s*")
_PRIVATE = re.compile(r"[\ue000-\uf8ff\ufffd]")
_HYPHEN = re.compile(r"(\w)[\x02\ufffe]\s*(\w)")
"""PDFium writes U+FFFE or U+0002 for a hyphen at the end of a line, and joins the lines."""
_HYPHEN_AT_END = re.compile(r"(?<=[^\W\d_])[-\u2010]\n(?=[^\W\d_])")
_ENDS = ".!?:;…。！？"  # noqa: RUF001  the full stops of Chinese and Japanese
_SHORT: Final = 0.6
"""A line shorter than this share of the page's longest lines ends a paragraph or is a row of a table."""
_FULL: Final = 100
"""Characters of a full line; PDFium returns some paragraphs as one line."""
_NARROW: Final = 25
"""Characters of lines that are too short for running text, as in forms and tables."""
_READABLE: Final = 0.6


def readable(raw: str) -> str:
    """Return the text of a page, from what PDFium returns."""
    text = _HYPHEN.sub(_join_word, raw)
    text = clean_text(text.translate(_LIGATURES))
    text = _PRIVATE.sub("", _BULLETS.sub("• ", text))
    lines = [line.rstrip() for line in text.split("\n")]
    return _join_lines(lines).strip("\n")


def is_readable(raw: str) -> bool:
    """Return whether a page's characters are real ones; fonts without a table of characters give nonsense."""
    chars = [char for char in raw if not char.isspace()]
    nonsense = sum(1 for char in chars if _PRIVATE.match(char) or (char < " " and char != "\x02"))
    return bool(chars) and nonsense <= len(chars) * (1 - _READABLE)


def _join_word(match: re.Match[str]) -> str:
    before, after = match.groups()
    return before + after if before.isalpha() and after.islower() else f"{before}-{after}"


def _join_lines(lines: list[str]) -> str:
    """Join lines that continue a sentence: long ones without an end, before one that begins in lower case."""
    lengths = sorted(len(line) for line in lines if line)
    longest = min(lengths[len(lengths) * 9 // 10], _FULL) if lengths else 0
    result: list[str] = []
    for number, line in enumerate(lines):
        before = lines[number - 1] if number else ""
        runs_on = len(before) >= max(longest * _SHORT, _NARROW) and line[:1].islower() and before[-1:] not in _ENDS
        if not runs_on:
            result.append("\n" if number else "")
        elif not _HYPHEN_AT_END.search(f"{before}\n{line}"):
            result.append(" ")
        else:
            result[-1] = result[-1][:-1]
        result.append(line)
    return "".join(result)
