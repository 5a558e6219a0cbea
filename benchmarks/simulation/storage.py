"""The database of the simulation: one connection to a file whose content can be replaced within microseconds."""

import sqlite3
from pathlib import Path

from tgllm.db.engine.signals import SignalConnection

__all__ = ["Storage"]

_PRAGMAS = (
    "foreign_keys = ON",
    "temp_store = MEMORY",
    "synchronous = OFF",
    "journal_mode = MEMORY",
)


class _KeptConnection(SignalConnection):
    """A connection that outlives the lives of the program, which close theirs."""

    def close(self) -> None:
        """Keep it open for the next life."""


class Storage:
    """A database file that only one connection uses.

    The connection stays the same when the content is replaced, so SQLite need not read the schema and prepare the
    statements again for each schedule.
    """

    def __init__(self, path: Path, content: bytes) -> None:
        """Create the file with the content of a database."""
        image = bytearray(content)
        # SQLite, file format: 1 for a rollback journal in place of a write-ahead log.
        image[18:20] = b"\x01\x01"
        path.write_bytes(image)
        self._path = path
        # Without locks, which one connection needs not.
        self.connection = sqlite3.connect(
            f"{path.absolute().as_uri()}?vfs=unix-none",
            uri=True,
            isolation_level=None,
            check_same_thread=False,
            factory=_KeptConnection,
        )
        self.connection.row_factory = sqlite3.Row
        for pragma in _PRAGMAS:
            self.connection.execute(f"PRAGMA {pragma}")

    def content(self) -> bytes:
        """Return what was committed."""
        return self._path.read_bytes()

    def replace(self, content: bytes) -> None:
        """Replace the content by another of the same schema; there must be no transaction."""
        with self._path.open("r+b") as file:
            file.seek(24)
            changes = (int.from_bytes(file.read(4)) + 1) % 2**32
            file.seek(0)
            file.write(content)
            file.truncate()
            # SQLite, file format: with another number of changes than it knows, the connection drops its pages.
            for place in (24, 92):
                file.seek(place)
                file.write(changes.to_bytes(4))
