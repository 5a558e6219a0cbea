"""File handlers, which extract text from files for models that can't read them."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Extracted", "ExtractionLimits", "FileHandler"]


@dataclass(frozen=True, slots=True)
class ExtractionLimits:
    """Limits of an extraction; the host also enforces time and memory from outside."""

    max_chars: int
    """Maximum characters of the returned text."""
    seconds: float
    memory_bytes: int


@dataclass(frozen=True, slots=True)
class Extracted:
    """Text extracted from a file."""

    text: str
    truncated: bool = False
    """Whether the file contains more text than ``text``."""
    pages: int | None = None


@dataclass(frozen=True, slots=True)
class FileHandler:
    """Extractor of text for certain MIME types."""

    id: str
    mime_types: frozenset[str]
    """Such as ``application/pdf`` or ``text/*``."""
    extract: Callable[[Path, ExtractionLimits], Extracted]
    """A synchronous module-level function; it runs in a separate process, so it must be importable by name."""
