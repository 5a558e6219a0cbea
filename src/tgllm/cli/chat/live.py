"""Region at the end of a terminal's output that is drawn again and again."""

import re
from collections.abc import Sequence
from typing import Final

from rich.cells import cell_len

__all__ = ["LiveRegion"]

_ESCAPE: Final = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


class LiveRegion:
    """Text for the terminal that replaces the lines of the region by others.

    The cursor is never hidden, so that it is there also if the process is killed.
    """

    def __init__(self) -> None:
        """Begin without lines."""
        self._widths: list[int] = []

    def replace(self, lines: Sequence[str], width: int, *, above: Sequence[str] = ()) -> str:
        """Return what draws lines in place of the former ones.

        Args:
            lines: the lines of the region; none must be wider than the terminal.
            width: of the terminal now; it may have changed.
            above: lines that are put before the region, and stay.
        """
        text = self._clear(width) + "".join(f"{line}\n" for line in above) + "\n".join(lines)
        self._widths = [cell_len(_ESCAPE.sub("", line)) for line in lines]
        return text

    def _clear(self, width: int) -> str:
        if not self._widths:
            return ""
        # A terminal that became narrower has wrapped the lines.
        rows = sum(max(1, -(-each // max(1, width))) for each in self._widths)
        up = f"\x1b[{rows - 1}A" if rows > 1 else ""
        return f"\r{up}\x1b[J"
