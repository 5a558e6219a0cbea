"""Files in the folder of a local Bot API server, which names them by absolute paths.

The server may see the folder at another place than this machine, such as in a container: its paths are
``<folder>/<token>/documents/file_1.pdf``. They hold the token, so that errors are reported without them.
"""

import asyncio
import os
import stat
from collections.abc import Awaitable, Callable
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import BinaryIO, Final

from tgllm.observe.logs import get_logger

__all__ = ["LocalFiles"]

log = get_logger(__name__)

CHUNK: Final = 1024 * 1024


class LocalFiles:
    """The folder of a local Bot API server."""

    def __init__(self, folder: Path, token: str) -> None:
        """Use the folder as this machine sees it, and the token of the bot."""
        self._folder = folder
        self._names = {token, token.replace(":", "~")}

    async def find(self, path: str) -> Path | None:
        """Return the file of a path from the server; None if it is not in the folder."""
        return await asyncio.to_thread(self._find, path)

    def _find(self, path: str) -> Path | None:
        is_absolute = PurePosixPath(path).is_absolute() or PureWindowsPath(path).is_absolute()
        if not is_absolute:
            return None
        reason = "missing"
        for place in self._places(path):
            try:
                root, real = self._folder.resolve(strict=True), place.resolve(strict=True)
            except (OSError, ValueError, RuntimeError):
                continue
            if real.is_relative_to(root) and real.is_file():
                return real
            reason = "outside"
        log.warning("file.not_in_folder", reason=reason, setting="telegram_files")
        return None

    def _places(self, path: str) -> list[Path]:
        """Return where a file may be: at its path, and in the bot's own folder below the configured one."""
        parts = PureWindowsPath(path).parts if "\\" in path and "/" not in path else PurePosixPath(path).parts
        own = next((index for index, part in enumerate(parts) if part in self._names), None)
        mapped = [] if own is None else [self._folder.joinpath(*parts[own:]), self._folder.joinpath(*parts[own + 1 :])]
        return [Path(path), *mapped]

    @staticmethod
    async def copy(path: Path, write: Callable[[bytes], Awaitable[None]]) -> str | None:
        """Copy a file; return why it can't be read, None if all of it was.

        Raises:
            FileUnreadable: raised by ``write``.
        """
        file, reason = None, ""
        try:
            file = await asyncio.to_thread(_open, path)
        except OSError as error:
            reason = type(error).__name__
        if file is None:
            return reason
        try:
            while chunk := await asyncio.to_thread(_read, file):
                await write(chunk)
        finally:
            await asyncio.to_thread(file.close)
        return None


def _open(path: Path) -> BinaryIO:
    """Open a regular file that is no symbolic link: the path has been resolved.

    Raises:
        OSError: it is none, or can't be read.
    """
    number = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0))
    if not stat.S_ISREG(os.fstat(number).st_mode):
        os.close(number)
        raise OSError("not a regular file")
    return os.fdopen(number, "rb")


def _read(file: BinaryIO) -> bytes:
    return file.read(CHUNK)
