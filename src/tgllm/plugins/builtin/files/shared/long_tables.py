"""Tables of sheets, which are cut by rows."""

from collections.abc import Iterable, Sequence
from typing import Final

from tgllm.plugins.builtin.files.shared.building import TextBuilder
from tgllm.plugins.builtin.files.shared.tables import table_lines

__all__ = ["add_rows", "room_for"]

_SHARE: Final = 0.75
"""Share of the text that is left which one sheet may take, if others follow."""
_NOTE: Final = 80
"""Characters that are kept free for the note about rows that were cut."""


def room_for(builder: TextBuilder, *, is_last: bool) -> int:
    """Return the characters that a sheet may take."""
    return int(builder.left * (1.0 if is_last else _SHARE))


def add_rows(builder: TextBuilder, rows: Iterable[Sequence[str]], columns: int, in_all: int, room: int) -> bool:
    """Add a table below a mark; return whether all of it fitted. The rows and their number include the header."""
    shown = -1  # the line below the header
    for line in table_lines(rows, columns):
        room -= len(line) + 1
        if (room < _NOTE and shown > 0) or builder.full:
            break
        builder.line(line)
        shown += 1
    if shown < in_all:
        builder.line(f"(Rows shown: {max(shown, 0):,} of {in_all:,}.)")
        return False
    return True
