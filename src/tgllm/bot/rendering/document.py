"""Document tree of an answer, independent of how Telegram shows it."""

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

Style = Literal["bold", "italic", "underline", "strikethrough", "spoiler", "marked", "subscript", "superscript"]
Align = Literal["left", "center", "right"]


@dataclass(frozen=True, slots=True)
class Text:
    """Literal text; a newline is a line break."""

    text: str


@dataclass(frozen=True, slots=True)
class Code:
    """Inline code."""

    text: str


@dataclass(frozen=True, slots=True)
class Math:
    """Inline formula, in LaTeX."""

    tex: str


@dataclass(frozen=True, slots=True)
class Styled:
    """Emphasised text."""

    style: Style
    inlines: "tuple[Inline, ...]"


@dataclass(frozen=True, slots=True)
class Link:
    """A link, or an image, which is shown as a link."""

    url: str
    """As the model wrote it: of any scheme, possibly harmful."""
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
    """Code block; ``language`` is empty where none is named."""

    code: str
    language: str


@dataclass(frozen=True, slots=True)
class Formula:
    """Display formula, in LaTeX."""

    tex: str


@dataclass(frozen=True, slots=True)
class Quote:
    """Quoted blocks."""

    blocks: "tuple[Block, ...]"


@dataclass(frozen=True, slots=True)
class Item:
    """A list item; ``checked`` is the state of a task, None where the item is not a task."""

    blocks: "tuple[Block, ...]"
    checked: bool | None = None
    number: int | None = None
    """As shown; None for a bullet."""
    after: str = "."
    """Character after the number: a dot or a parenthesis."""


@dataclass(frozen=True, slots=True)
class List:
    """A list."""

    items: tuple[Item, ...]
    is_tight: bool
    """Whether there are no blank lines between the items."""


Row: TypeAlias = tuple[tuple[Inline, ...], ...]


@dataclass(frozen=True, slots=True)
class Table:
    """A table; every row has as many cells as the header."""

    aligns: tuple[Align, ...]
    header: Row
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Details:
    """Collapsible blocks under a summary."""

    summary: str
    blocks: "tuple[Block, ...]"
    is_open: bool


@dataclass(frozen=True, slots=True)
class Footnote:
    """The text of a footnote; references to it show its label."""

    label: str
    blocks: "tuple[Block, ...]"


@dataclass(frozen=True, slots=True)
class Rule:
    """Horizontal rule."""


Block: TypeAlias = Paragraph | Heading | CodeBlock | Formula | Quote | List | Table | Details | Footnote | Rule
