"""Contents of files in the data folder. The functions block: call them in a thread."""

from collections.abc import Iterable
from pathlib import Path
from typing import Final

__all__ = ["FOLDER", "PART", "has_file", "remove_blobs"]

FOLDER: Final = "files"
"""Folder of the contents in the data folder."""
PART: Final = ".part"
"""Ending of a download that is not complete."""


def has_file(path: Path, size: int | None = None) -> bool:
    """Return whether a file is there, and has a size in bytes if one is given."""
    try:
        found = path.stat().st_size
    except OSError:
        return False
    return size is None or found == size


def remove_blobs(data_dir: Path, paths: Iterable[str | Path]) -> None:
    """Remove contents with what is derived from them, as far as they exist.

    Args:
        data_dir: the bot's data folder.
        paths: absolute, or relative to the data folder.

    Raises:
        OSError: a file can't be removed.
    """
    for path in paths:
        blob = data_dir / path
        for each in (*_derived(blob), blob):
            each.unlink(missing_ok=True)


def _derived(blob: Path) -> list[Path]:
    # The name of a blob has no characters that glob interprets.
    return list(blob.parent.glob(f"{blob.name}.*")) if blob.parent.name == FOLDER else []
