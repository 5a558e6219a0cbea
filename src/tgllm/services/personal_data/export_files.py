"""Files on disk that are kept until Telegram has them. The functions block: call them in a thread."""

import os
import stat
import uuid
from collections.abc import Sequence
from contextlib import suppress
from io import BytesIO
from pathlib import Path

__all__ = ["copy_to_send", "new_export", "remove_export", "sweep_exports", "write_exports"]

_CHUNK = 2**20
KEPT_SECONDS = 86_400.0
"""Age from which a file counts as left over, such as by a crash."""


def write_exports(data_dir: Path, texts: Sequence[str], now: float) -> list[Path]:
    """Write a file for each text, readable only by the bot's system user, and remove left-over files.

    Args:
        data_dir: the bot's data folder.
        texts: contents of the files.
        now: UTC, in seconds.

    Raises:
        OSError: the disk is full, or the folder can't be written.
    """
    folder = _folder(data_dir)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    sweep_exports(data_dir, now)
    return [_write(folder / uuid.uuid4().hex, text, now) for text in texts]


def new_export(data_dir: Path, now: float) -> Path:
    """Create an empty file, readable only by the bot's system user, and remove left-over files.

    Raises:
        OSError: the folder can't be written.
    """
    return write_exports(data_dir, [""], now)[0]


def copy_to_send(data_dir: Path, content: bytes | Path, most: int, now: float) -> Path | None:
    """Write or copy a file, and return its path; None if it is empty, larger than ``most`` bytes, or no file.

    Raises:
        OSError: it can't be read or written.
    """
    if isinstance(content, Path) and not stat.S_ISREG(content.stat().st_mode):
        # Such as a pipe, which might never end.
        return None
    path = new_export(data_dir, now)
    try:
        with BytesIO(content) if isinstance(content, bytes) else content.open("rb") as source, path.open("wb") as out:
            left = most + 1
            while left and (chunk := source.read(min(left, _CHUNK))):
                out.write(chunk)
                left -= len(chunk)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    if left in {0, most + 1}:
        path.unlink()
        return None
    os.utime(path, (now, now))
    return path


def remove_export(path: Path) -> None:
    """Remove a file that is no longer needed, if it exists."""
    path.unlink(missing_ok=True)


def _write(path: Path, text: str, now: float) -> Path:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
    # Set the times by the injected clock, by which sweep_exports computes the age.
    os.utime(path, (now, now))
    return path


def sweep_exports(data_dir: Path, now: float) -> None:
    """Remove left-over files.

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
