"""Values of reading: settings of the processes, limits of pictures, prepared pictures, missing packages."""

from dataclasses import dataclass
from pathlib import Path

__all__ = ["MissingPackage", "PictureLimits", "PoolSettings", "Prepared"]


@dataclass(frozen=True, slots=True)
class PoolSettings:
    """Number and lifetime of the reading processes, and limits of the preparation of a picture."""

    processes: int = 2
    """How many files are read at the same time."""
    idle_seconds: float = 300.0
    """Time after which a process that reads nothing is ended."""
    tasks: int = 100
    """Number of tasks after which a process is replaced."""
    start_seconds: float = 60.0
    """Time to start a process, which takes a tenth of a second on an idle machine."""
    picture_seconds: float = 60.0
    picture_memory_bytes: int = 2**30
    folder: Path | None = None
    """Folder for the temporary folders of the processes, which is emptied; by default that of the system. A bot that
    was killed leaves temporary files there."""


@dataclass(frozen=True, slots=True)
class PictureLimits:
    """What a model takes; a larger picture is made smaller."""

    max_side: int = 2048
    """Longer side in pixels. Services make larger ones smaller themselves, after the upload."""
    max_bytes: int = 5 * 2**20
    mime_types: frozenset[str] = frozenset({"image/jpeg", "image/png", "image/webp", "image/gif"})
    """Types that the model takes as they are; ``image/jpeg`` is taken by all that see."""
    most_pixels: int = 100_000_000
    """Pixels that are decoded; a picture that has more is refused. JPEG may have three times as many."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A picture that fits the limits and has no metadata."""

    path: Path
    """The given file if it could stay as it is, else the target."""
    mime: str
    size: int
    """In bytes."""
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class MissingPackage:
    """Package that must be installed to read a kind of file."""

    plugin_id: str
    reader: str
    """Id of the file handler."""
    modules: tuple[str, ...]
    """Modules that were not found."""
    command: str
    """Shell command that installs them."""
