"""What requests contain of files, and what people are told about it."""

from collections.abc import Callable, Collection, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from tgllm.api import FilePart, Part, TgllmError
from tgllm.db.tables.files import File

__all__ = [
    "NOTHING",
    "AttachedFiles",
    "FileNote",
    "Item",
    "Materials",
    "PartsUnit",
    "Show",
    "Stage",
    "Wanted",
    "parts_unit",
]


Stage = Literal["download", "read", "listen"]
"""What a turn waits for."""
Show = Callable[[Stage, str], None]
"""Called with what happens to a file, and its name; must not block."""


@dataclass(frozen=True, slots=True)
class AttachedFiles:
    """Stored files of a message, and the names of those that were never received or are removed."""

    files: Sequence[File] = ()
    missing: Sequence[str] = ()
    text: str = ""
    """Text of the message."""
    chars: Mapping[str, int] = field(default_factory=dict[str, int])
    """Lengths of the texts that were read of them, by hash."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A request to make, and its files."""

    question: AttachedFiles
    spoken: Collection[str] = ()
    """Keys of the recordings of the question in which the person speaks to the model."""
    history: Sequence[tuple[int, AttachedFiles]] = ()
    """Files of earlier messages by message id, newest first."""
    mime_types: Collection[str] = ()
    """What the model takes."""
    earlier: Sequence[str] = ()
    """Earlier questions, oldest first."""
    room: int = 0
    """Tokens that files may take."""
    estimate: Callable[[str], int]
    """Estimates the tokens of a text."""
    conversation_id: int | None = None
    language: str = ""
    """Two-letter code of the person's language; empty if unknown."""
    owner: Hashable = None
    """Who waits for it."""


@dataclass(frozen=True, slots=True)
class Item:
    """A file as one part of a request, or a remark that it is missing."""

    part: Part
    tokens: int
    """Estimate, calibrated."""
    stays: bool = False
    """Whether it is sent even if its message no longer is: documents stay in the context, pictures don't."""


PartsUnit = Literal["pages", "parts", "sheets", "slides"]
_SLIDES = ("presentation", "powerpoint")
_SHEETS = ("spreadsheet", "excel")


def parts_unit(mime: str) -> PartsUnit:
    """Return what the parts of a document are; a plugin's format can have any."""
    if mime == "application/pdf":
        return "pages"
    if any(word in mime for word in _SLIDES):
        return "slides"
    return "sheets" if any(word in mime for word in _SHEETS) else "parts"


@dataclass(frozen=True, slots=True)
class FileNote:
    """What was read of a file, for the person."""

    name: str
    chars: int = 0
    pages: int | None = None
    """Number of its parts."""
    truncated: bool = False
    without_text: int = 0
    encoding: str = ""
    shown: tuple[str, ...] = ()
    """The parts that the model reads, such as ``pages 3-5``; empty if it reads the whole."""
    tokens: int = 0
    """Tokens of what the model reads."""
    pictures: tuple[int, ...] = ()
    """Pages that the model sees as pictures."""
    parts: PartsUnit = "parts"
    """What its parts are."""


@dataclass(frozen=True, slots=True)
class Materials:
    """Files of a request."""

    question: Sequence[Item] = ()
    history: Mapping[int, Sequence[Item]] = field(default_factory=dict[int, Sequence[Item]])
    """By message id."""
    words: Sequence[str] = ()
    """What the person has said in voice messages of the question."""
    notes: Sequence[FileNote] = ()
    failures: Sequence[TgllmError] = ()
    """Files of the question that can't be read."""

    @property
    def tokens(self) -> int:
        """Tokens of all items, estimated."""
        items = [*self.question, *(item for each in self.history.values() for item in each)]
        return sum(item.tokens for item in items)

    @property
    def has_content(self) -> bool:
        """Whether there is anything of a file, other than remarks that it can't be seen."""
        return any(item.stays or isinstance(item.part, FilePart) for item in self._items())

    @property
    def has_files(self) -> bool:
        """Whether files are sent as they are."""
        return any(isinstance(item.part, FilePart) for item in self._items())

    def _items(self) -> Iterator[Item]:
        yield from self.question
        for items in self.history.values():
            yield from items

    def staying(self, except_of: Collection[int]) -> list[Item]:
        """Return the items that are sent although their messages are not.

        Args:
            except_of: ids of the messages that are sent.
        """
        return [
            item
            for message_id, items in sorted(self.history.items())
            if message_id not in except_of
            for item in items
            if item.stays
        ]


NOTHING = Materials()
"""No files."""
