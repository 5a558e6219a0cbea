"""Files of the data folder whose rows are gone."""

from collections.abc import Iterable
from pathlib import Path

__all__ = ["remove_files"]


def remove_files(data_dir: Path, paths: Iterable[str]) -> None:
    """Remove files; one that is gone already is fine. Blocks: it writes to disk.

    Args:
        data_dir: the bot's.
        paths: relative to it, or from the root.

    Raises:
        OSError: a file can't be removed.
    """
    for path in paths:
        (data_dir / path).unlink(missing_ok=True)
