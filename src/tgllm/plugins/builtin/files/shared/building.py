"""Text that a reader builds block by block, within its limits."""

import re
from typing import Final

from tgllm.api.clock import Clock, SystemClock
from tgllm.api.files import ExtractionLimits

__all__ = ["TextBuilder", "clean_text", "escape_marks", "one_line"]

_TIME_SHARE: Final = 0.7
"""Share of the time after which a reader returns what it has; the host ends it when all of the time is used up."""
_MARK = re.compile(r"^(?=\[(?:page|sheet|slide|file) [^\n]*\][ \t]*$)", re.MULTILINE)
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")
_BLANK_LINES = re.compile(r"\n(?:[ \t]*\n){2,}")
_SPACE = re.compile(r"\s+")
_LONGEST_NAME: Final = 200


class TextBuilder:
    """Bounded text of a file.

    Blocks are separated by an empty line. A block that does not fit is cut at the end of a line or word.
    """

    def __init__(self, limits: ExtractionLimits, clock: Clock | None = None) -> None:
        """Create an empty text; time counts from now."""
        self._clock = clock or SystemClock()
        self._left = limits.max_chars
        self._deadline = self._clock.monotonic() + limits.seconds * _TIME_SHARE
        self._parts: list[str] = []
        self.truncated = False
        """Whether something did not fit, or time ran out."""

    @property
    def text(self) -> str:
        """The text so far."""
        return "".join(self._parts)

    @property
    def left(self) -> int:
        """Characters that can be added."""
        return self._left

    @property
    def full(self) -> bool:
        """Whether no more can be added; the file is then considered truncated."""
        if not self.truncated and self._clock.monotonic() >= self._deadline:
            self.truncated = True
        return self.truncated

    def mark(self, kind: str, name: object) -> bool:
        """Begin a part, such as ``[page 3]``; return whether it fitted."""
        return self._append(f"[{kind} {one_line(str(name))}]", "\n\n")

    def add(self, block: str, *, after_mark: bool = False) -> bool:
        """Add a block, on the line after a mark or after an empty line; return whether all of it fitted."""
        return self._append(escape_marks(block), "\n" if after_mark else "\n\n")

    def line(self, line: str) -> bool:
        """Add a line below the last one; return whether it fitted."""
        return self._append(escape_marks(line), "\n")

    def _append(self, block: str, separator: str) -> bool:
        if self.full:
            return False
        if not block:
            return True
        if not self._parts:
            separator = ""
        room = self._left - len(separator)
        if len(block) > room:
            self.truncated = True
            block = _cut(block, room)
            if not block:
                return False
        self._parts.append(separator + block)
        self._left -= len(separator) + len(block)
        return not self.truncated


def _cut(block: str, room: int) -> str:
    """Return the beginning of a block, up to the end of a line or word if one is near."""
    kept = block[: max(0, room)]
    for boundary in ("\n", " "):
        end = kept.rfind(boundary)
        if end > len(kept) * 3 // 4:
            return kept[:end].rstrip()
    return kept


def clean_text(text: str) -> str:
    """Return a text with one kind of line end and without control characters, which models and databases refuse."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\x0b", "\n").replace("\u2028", "\n")
    text = _CONTROL.sub("", text.replace("\xa0", " "))
    return _BLANK_LINES.sub("\n\n", text).strip("\n")


def escape_marks(text: str) -> str:
    r"""Return a text whose own lines, such as ``[page 3]``, can't be taken for the marks of parts (``\[page 3]``)."""
    return _MARK.sub(r"\\", text) if "[" in text else text


def one_line(text: str) -> str:
    """Return a name on one line, of bounded length."""
    name = _SPACE.sub(" ", clean_text(text)).strip()
    return name if len(name) <= _LONGEST_NAME else name[: _LONGEST_NAME - 1] + "…"
