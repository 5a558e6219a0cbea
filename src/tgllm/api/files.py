"""Files: handlers that extract text for models that can't read them, transcribers of speech, and files to send."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

__all__ = [
    "Extracted",
    "ExtractionLimits",
    "FileHandler",
    "OutgoingFile",
    "PagePicture",
    "Recording",
    "Transcriber",
    "Transcript",
]


@dataclass(frozen=True, slots=True)
class ExtractionLimits:
    """Limits of an extraction; the host also enforces time and memory from outside."""

    max_chars: int
    """Maximum characters of the returned text."""
    seconds: float
    memory_bytes: int
    max_pictures: int = 0
    """Maximum pictures of pages without text; 0 if the model can't see pictures."""


@dataclass(frozen=True, slots=True)
class PagePicture:
    """Picture of a page that has no text, such as a scanned one."""

    page: int
    """Number of the page, from 1."""
    content: bytes
    mime_type: str = "image/jpeg"


@dataclass(frozen=True, slots=True)
class Extracted:
    """Text extracted from a file."""

    text: str
    """Markdown or plain text. A line ``[page 3]`` begins a page, ``[sheet Prices]``, ``[slide 2]`` or ``[file a.txt]``
    another part; a model is told which parts it reads, and can cite them."""
    truncated: bool = False
    """Whether the file contains more text than ``text``."""
    pages: int | None = None
    """Pages, slides or sheets of the whole file."""
    pictures: tuple[PagePicture, ...] = ()
    """Pictures of pages without text, at most ``ExtractionLimits.max_pictures``."""
    without_text: int = 0
    """Pages that have no text, such as scanned ones."""
    encoding: str = ""
    """Encoding of a text that had to be guessed, which is shown to the person; empty if it is certain."""


@dataclass(frozen=True, slots=True)
class FileHandler:
    """Extractor of text for certain MIME types.

    ``extract`` raises ``FileUnreadable`` for a file that it can't read; any other exception is reported as an error of
    the plugin. A process that exceeds its time or memory is ended.
    """

    id: str
    mime_types: frozenset[str]
    """Such as ``application/pdf`` or ``text/*``."""
    extract: Callable[[Path, ExtractionLimits], Extracted]
    """A synchronous module-level function; it runs in a separate process, so it must be importable by name."""
    needs: tuple[str, ...] = ()
    """Modules that ``extract`` imports, such as ``pypdfium2``; if one is missing, admins are told to install
    ``package``."""
    package: str = ""
    """Requirement that installs the modules of ``needs``, such as ``tgllm[files]``."""
    suffixes: frozenset[str] = frozenset()
    """Endings of file names, such as ``.gpx``, by which it takes files whose content has no known type."""


@dataclass(frozen=True, slots=True)
class Recording:
    """Recording of speech to transcribe."""

    path: Path
    mime_type: str
    size: int
    """In bytes."""
    seconds: float | None = None
    """Its duration, if known."""
    language: str | None = None
    """Two-letter code of the language of the person's Telegram client, as a hint; None if unknown."""


@dataclass(frozen=True, slots=True)
class Transcript:
    """Text of a recording."""

    text: str
    """Empty if it contains no speech."""
    language: str | None = None
    """Two-letter code of the language that was heard; None if unknown."""
    truncated: bool = False
    """Whether the recording contains more than was transcribed."""


@dataclass(frozen=True, slots=True)
class Transcriber:
    """Converts speech to text, for models that don't take audio.

    ``transcribe`` runs in the process of the bot, so it must not block; heavy work belongs in a process of its own. It
    is cancelled at the bot's time limit. It raises ``FileUnreadable`` for a recording that it can't read, and
    ``ProviderError`` if a service fails.
    """

    id: str
    mime_types: frozenset[str]
    """Such as ``audio/*``; ``video/*`` for the sound of videos."""
    transcribe: Callable[[Recording], Awaitable[Transcript]]


@dataclass(frozen=True, slots=True)
class OutgoingFile:
    """File to send to a chat."""

    name: str
    """Name in the chat, with its ending."""
    content: bytes | Path
    """The content, or the path of a file that the host copies."""
    mime_type: str = "application/octet-stream"
