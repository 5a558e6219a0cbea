"""What a storage of files outside of the data folder does, and how it fails."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

__all__ = ["Remote", "RemoteFile", "StorageRefused", "StorageUnavailable"]


class StorageUnavailable(OSError):
    """The storage of files gives no answer, or one that says to try again later.

    It is an OSError, as a disk that can't be read is. The message names no keys.
    """


class StorageRefused(StorageUnavailable):
    """The storage of files refuses the bot: its keys, rights or bucket are wrong. The message says what to do."""


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """A stored file."""

    path: str
    """Relative to the data folder."""
    modified: float
    """When it was stored: UTC, in seconds."""


class Remote(Protocol):
    """A storage of files that several machines use. Its methods block, and may be called in several threads.

    Each raises StorageUnavailable if the storage can't be used.
    """

    def put(self, path: str, source: Path) -> None:
        """Store a file under a path."""
        ...

    def get(self, path: str, target: Path) -> bool:
        """Fetch a file, whole and checked; return False if there is none with that path."""
        ...

    def has(self, path: str) -> bool:
        """Return whether there is a file with that path."""
        ...

    def remove(self, paths: Sequence[str]) -> None:
        """Remove files, as far as they exist."""
        ...

    def remove_all(self, beginnings: Iterable[str]) -> None:
        """Remove the files whose paths begin so."""
        ...

    def files(self, beginning: str) -> Iterator[RemoteFile]:
        """List the files whose paths begin so."""
        ...

    def check(self, bot_id: int | None, *, claims: bool) -> None:
        """Store, read and remove a small file, and check that the storage belongs to no other bot.

        Args:
            bot_id: id of the bot; None: unknown.
            claims: whether a storage that belongs to no bot belongs to this one from now on.

        Raises:
            StorageRefused: it belongs to another bot, or refuses this one.
        """
        ...

    def close(self) -> None:
        """Close the connections."""
        ...
