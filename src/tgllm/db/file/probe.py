"""Test writes into the data folder and the database: a full or read-only disk can still be read."""

import os
import secrets
import tempfile
from pathlib import Path

from tgllm.db.engine.errors import DatabaseError
from tgllm.db.engine.sqlite import in_words
from tgllm.db.engine.unit import Connection
from tgllm.db.tables import kv

__all__ = ["PROBE_BYTES", "erase_probe", "free_bytes", "mib", "probe_folder", "read_probe", "write_probe"]

PROBE_BYTES = 64 * 1024
"""Size of a test write: more than what a nearly full disk may still have in a partly used block."""

_SCOPE, _KEY = "database", "probe"


def probe_folder(folder: Path) -> None:
    """Write a file into a folder, force it to the disk, read it back, and remove it.

    Raises:
        DatabaseError: a step failed; the message says what to do.
    """
    content = secrets.token_bytes(PROBE_BYTES)
    with in_words(folder), tempfile.NamedTemporaryFile(dir=folder, prefix=".tgllm-probe-", buffering=0) as file:
        written = 0
        while written < PROBE_BYTES:
            written += file.write(content[written:])
        os.fsync(file.fileno())
        file.seek(0)
        found = file.read()
    if found != content:
        raise DatabaseError(
            f"{folder} gave back other content than what was written. Check the disk.",
            code="database_disk",
            path=str(folder),
        )


def write_probe(conn: Connection, text: str, now: int) -> None:
    """Store a test value; the commit forces it to the disk."""
    kv.set_value(conn, _SCOPE, _KEY, text, now)


def read_probe(conn: Connection) -> object:
    """Return the test value."""
    return kv.get(conn, _SCOPE, _KEY)


def erase_probe(conn: Connection) -> None:
    """Remove the test value."""
    kv.delete(conn, _SCOPE, _KEY)


def free_bytes(folder: Path) -> int:
    """Return the free space of a folder's disk for this user."""
    status = os.statvfs(folder)
    return status.f_bavail * status.f_frsize


def mib(size: int) -> str:
    """Return a number of bytes in MiB, for messages about space on a disk."""
    return f"{size / 2**20:.1f}"
