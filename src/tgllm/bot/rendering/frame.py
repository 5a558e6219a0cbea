"""Node of the document tree that is being built."""

from dataclasses import dataclass, field
from typing import Any

__all__ = ["Frame"]


@dataclass(slots=True)
class Frame:
    """A node whose end has not been read yet."""

    kind: str
    data: Any = None
    is_flat: bool = False
    """Whether the node is nested too deep: its children are those of the parent."""
    children: list[Any] = field(default_factory=list[Any])
    checked: bool | None = None
    is_loose: bool = False
    block_level: int = 1
    """Depth in blocks, this one included; flat ones do not count."""
    inline_level: int = 0
    cells_end: int = 0
    """Byte of the source at which the last cell of a row ended."""
    is_growing: bool = False
    """Whether an unfinished answer ends in it."""
