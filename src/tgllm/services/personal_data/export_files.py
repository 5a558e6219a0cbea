"""The files of exports on disk, from their making until Telegram has them. All of this blocks: call it in a thread."""

import os
import uuid
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

__all__ = ["remove_export", "sweep_exports", "write_exports"]

KEPT_SECONDS = 86_400.0
"""After that time a file is one that was left behind, by a crash for example."""


def write_exports(data_dir: Path, texts: Sequence[str], now: float) -> list[Path]:
    """Write a file for each text, which only the bot's own system user can read.

    Args:
        data_dir: the bot's data folder.
        texts: what the files hold.
        now: UTC, in seconds; files that are much older go.

    Raises:
        OSError: the disk is full, or the folder can't be written.
    """
    folder = _folder(data_dir)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    sweep_exports(data_dir, now)
    return [_write(folder / uuid.uuid4().hex, text, now) for text in texts]


def remove_export(path: Path) -> None:
    """Remove a file that is not needed any more; one that is gone already is no error."""
    path.unlink(missing_ok=True)


def _write(path: Path, text: str, now: float) -> Path:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
    # The age of a file is measured with the bot's own clock.
    os.utime(path, (now, now))
    return path


def sweep_exports(data_dir: Path, now: float) -> None:
    """Remove what was left behind.

    Args:
        data_dir: the bot's data folder.
        now: UTC, in seconds.

    Raises:
        OSError: the folder can't be read or written.
    """
    folder = _folder(data_dir)
    for path in folder.iterdir() if folder.is_dir() else ():
        with suppress(FileNotFoundError):
            if path.stat().st_mtime < now - KEPT_SECONDS:
                path.unlink()


def _folder(data_dir: Path) -> Path:
    return data_dir / "files" / "exports"
