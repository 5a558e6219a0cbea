"""File handlers: turn a file that a person sent into text for a model that can't read it itself."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Extracted", "ExtractionLimits", "FileHandler"]


@dataclass(frozen=True, slots=True)
class ExtractionLimits:
    """What an extraction may use; the host enforces time and memory from outside as well."""

    max_chars: int
    """Characters of text to return at most."""
    seconds: float
    memory_bytes: int


@dataclass(frozen=True, slots=True)
class Extracted:
    """Text from a file."""

    text: str
    truncated: bool = False
    """Whether the file holds more than ``text``."""
    pages: int | None = None


@dataclass(frozen=True, slots=True)
class FileHandler:
    """Reads some kinds of files."""

    id: str
    mime_types: frozenset[str]
    """Such as ``application/pdf`` or ``text/*``."""
    extract: Callable[[Path, ExtractionLimits], Extracted]
    """A function of a module, sync: it runs in a process of its own, so it must be importable by name."""
