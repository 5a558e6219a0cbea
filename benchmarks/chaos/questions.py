"""Numbered questions, and the numbered parts of their answers."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

__all__ = ["TOOLS", "Part", "Question", "find_questions", "parts_in"]

TOOLS: Final = ("", "look", "act", "order")
"""Tools by number: ``look`` only reads; ``act`` must not be called twice; ``order`` needs an approval as well."""

_QUESTION: Final = re.compile(r"c(\d+)q(\d+)v(\d+)n(\d+)f(\d)t(\d)")
_PART: Final = re.compile(r"<c(\d+)q(\d+)v(\d+)p(\d+)>")


@dataclass(frozen=True, slots=True, order=True)
class Question:
    """A question; its text says how many parts its answer has."""

    chat: int
    number: int
    version: int = 1
    """Counted up by edits."""
    parts: int = 1
    has_file: bool = False
    tool: int = 0
    """Number of the tool in ``TOOLS`` that the model calls for it; 0: none."""

    def __str__(self) -> str:
        """Return the text that is written."""
        return f"c{self.chat}q{self.number}v{self.version}n{self.parts}f{int(self.has_file)}t{self.tool}"

    @property
    def name(self) -> str:
        """Chat, number and version, by which calls of tools are counted."""
        return f"c{self.chat}q{self.number}v{self.version}"

    @property
    def file_text(self) -> str:
        """Content of the file that belongs to it, without which it can't be answered."""
        return f"The content of file {self.chat} of question {self.number} is a sentence."

    def edited(self) -> "Question":
        """Return the next version."""
        return replace(self, version=self.version + 1)

    def part_names(self) -> list["Part"]:
        """Return the parts of its answer."""
        return [Part(self.chat, self.number, self.version, part) for part in range(1, self.parts + 1)]


@dataclass(frozen=True, slots=True, order=True)
class Part:
    """A part of an answer, long enough to need a message of its own if there are several."""

    chat: int
    number: int
    version: int
    part: int

    def __str__(self) -> str:
        """Return the mark in the text of the answer."""
        return f"<c{self.chat}q{self.number}v{self.version}p{self.part}>"


def find_questions(text: str) -> Iterator[Question]:
    """Yield the questions in a text."""
    for found in _QUESTION.finditer(text):
        chat, number, version, parts, has_file, tool = map(int, found.groups())
        yield Question(chat, number, version, parts, bool(has_file), tool)


def parts_in(text: str) -> list[Part]:
    """Return the marks in a text, in their order."""
    return [Part(*map(int, found.groups())) for found in _PART.finditer(text)]
