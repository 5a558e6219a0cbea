"""The terminal: lines that stay, and a region at the end that is drawn again."""

import os
from collections.abc import Callable, Sequence
from typing import TextIO

from tgllm.cli.chat.live import LiveRegion
from tgllm.cli.chat.markdown import MarkdownRenderer, last_block
from tgllm.observe.visible import visible

__all__ = ["Screen"]

_FENCES = ("```", "~~~")
_DIM, _PLAIN = "\x1b[2m", "\x1b[0m"


class Screen:
    """Prints Markdown to a terminal."""

    def __init__(
        self, out: TextIO, renderer: MarkdownRenderer, size: Callable[[], tuple[int, int]] | None = None
    ) -> None:
        """Create a screen.

        Args:
            out: the terminal.
            renderer: makes its lines.
            size: returns columns and lines, which may change; by default the terminal is asked.
        """
        self._out = out
        self._size = size or (lambda: _size_of(out))
        self._renderer = renderer
        self._live = LiveRegion()
        self._has_printed = False
        self.is_drawn = False
        """Whether the region has lines."""

    @property
    def width(self) -> int:
        """Width of the terminal in cells."""
        return self._size()[0]

    def last_block(self, text: str) -> int:
        """Return where the last block of a text begins."""
        return last_block(text)

    def print_markdown(self, text: str) -> None:
        """Print a text for good, in place of the region."""
        if not text.strip():
            return
        width, _ = self._size()
        lines = self._renderer.lines(text, width)
        above = [""] if self._has_printed else []
        self._has_printed = True
        self._write(self._live.replace([], width, above=[*above, *lines]))
        self.is_drawn = False

    def draw_markdown(self, text: str, below: Sequence[str] = ()) -> None:
        """Draw the end of a text, as far as the terminal is high, and dim lines below it."""
        width, height = self._size()
        shown = [f"{_DIM}{_cropped(visible(line), width)}{_PLAIN}" for line in below]
        room = max(1, height - 2 - len(shown))
        lines = self._renderer.lines(_end_of(text, width * room * 2, room), width, crop=True)
        above = [""] if self._has_printed else []
        self._draw([*[*above, *lines][-room:], *shown], width)

    def draw_status(self, lines: Sequence[str]) -> None:
        """Draw dim lines."""
        width, height = self._size()
        above = [""] if self._has_printed and lines else []
        shown = [f"{_DIM}{_cropped(visible(line), width)}{_PLAIN}" for line in lines]
        self._draw([*above, *shown][-max(1, height - 2) :], width)

    def _draw(self, lines: Sequence[str], width: int) -> None:
        self._write(self._live.replace(lines, width))
        self.is_drawn = bool(lines)

    def _write(self, text: str) -> None:
        # All at once: the terminal never shows a region that is half drawn.
        if text:
            self._out.write(text)
            self._out.flush()


def _size_of(out: TextIO) -> tuple[int, int]:
    try:
        size = os.get_terminal_size(out.fileno())
    except (OSError, ValueError):
        return 80, 24
    return size.columns or 80, size.lines or 24


def _cropped(line: str, width: int) -> str:
    from rich.cells import set_cell_size  # noqa: PLC0415  rich loads slowly, and most commands print without it

    return set_cell_size(line, max(1, width - 1)).rstrip()


def _end_of(text: str, most: int, most_lines: int) -> str:
    """Return the end of a long text that begins a line; that of a code block with its fence.

    Code takes longest to render, and each of its lines is a line of the screen at least.
    """
    end = text if len(text) <= most else text[-most:].partition("\n")[2] or text[-most:]
    first = text.lstrip().partition("\n")[0]
    if not first.startswith(_FENCES):
        return end
    lines = text.lstrip().split("\n")[1:]
    return "\n".join([first, *lines[-most_lines:]])
