"""An answer as a tree: what a model's Markdown says, before it is decided how Telegram shows it."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

__all__ = [
    "Align",
    "Block",
    "Code",
    "CodeBlock",
    "Details",
    "Footnote",
    "Formula",
    "Heading",
    "Inline",
    "Item",
    "Link",
    "List",
    "Math",
    "Paragraph",
    "Quote",
    "Row",
    "Rule",
    "Style",
    "Styled",
    "Table",
    "Text",
]

Style = Literal["bold", "italic", "strikethrough"]
Align = Literal["left", "center", "right"]


@dataclass(frozen=True, slots=True)
class Text:
    """Characters that stand for themselves; a newline is a line break."""

    text: str


@dataclass(frozen=True, slots=True)
class Code:
    """Code within a line."""

    text: str


@dataclass(frozen=True, slots=True)
class Math:
    """A formula within a line, in LaTeX."""

    tex: str


@dataclass(frozen=True, slots=True)
class Styled:
    """Emphasised text."""

    style: Style
    inlines: "tuple[Inline, ...]"


@dataclass(frozen=True, slots=True)
class Link:
    """A link, or an image, which is shown as one."""

    url: str
    """As the model wrote it: it may be of any scheme, and harmful."""
    inlines: "tuple[Inline, ...]"


Inline: TypeAlias = Text | Code | Math | Styled | Link


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Running text."""

    inlines: tuple[Inline, ...]


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading; level 1 is the highest, 6 the lowest."""

    level: int
    inlines: tuple[Inline, ...]


@dataclass(frozen=True, slots=True)
class CodeBlock:
    """Lines of code; ``language`` is empty where none is named."""

    code: str
    language: str


@dataclass(frozen=True, slots=True)
class Formula:
    """A formula of its own, in LaTeX."""

    tex: str


@dataclass(frozen=True, slots=True)
class Quote:
    """Quoted blocks."""

    blocks: "tuple[Block, ...]"


@dataclass(frozen=True, slots=True)
class Item:
    """An item of a list; ``checked`` says whether a task is done, and is None where it is no task."""

    blocks: "tuple[Block, ...]"
    checked: bool | None = None


@dataclass(frozen=True, slots=True)
class List:
    """A list; ``start`` is the first number of an ordered one, None for bullets."""

    items: tuple[Item, ...]
    start: int | None
    is_tight: bool
    """Whether the items follow each other without blank lines."""


Row: TypeAlias = tuple[tuple[Inline, ...], ...]


@dataclass(frozen=True, slots=True)
class Table:
    """A table; all rows have as many cells as the header."""

    aligns: tuple[Align, ...]
    header: Row
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Details:
    """Blocks that a reader can fold away under a summary."""

    summary: str
    blocks: "tuple[Block, ...]"
    is_open: bool


@dataclass(frozen=True, slots=True)
class Footnote:
    """The text of a footnote; its label is what refers to it."""

    label: str
    blocks: "tuple[Block, ...]"


@dataclass(frozen=True, slots=True)
class Rule:
    """A line across."""


Block: TypeAlias = Paragraph | Heading | CodeBlock | Formula | Quote | List | Table | Details | Footnote | Rule
