"""Write-ahead log that does not belong to the database beside it: a backup was copied over the database."""

import os
from pathlib import Path

from tgllm.db.engine.errors import DatabaseError

__all__ = ["refuse_stray_log"]

# SQLite file format, 1.3: the read version and write version of the header; 1 is a rollback journal, 2 is WAL.
_MODES = slice(18, 20)
_ROLLBACK = b"\x01\x01"


def refuse_stray_log(path: Path) -> None:
    """Check that a write-ahead log is the database's own, before SQLite opens the database and applies the log.

    A backup is a file without a log (its header says so), and a database leaves that mode before it has a log. Both
    together mean that the file was replaced while the log of the old one stayed.

    Raises:
        DatabaseError: the log belongs to another file; the message says what to do.
    """
    log = path.with_name(f"{path.name}-wal")
    try:
        if not log.stat().st_size:
            return
        descriptor = os.open(path, os.O_RDONLY)
    except OSError:
        # No log, or no database: what opens the database says so.
        return
    try:
        mode = os.pread(descriptor, 100, 0)[_MODES]
    finally:
        os.close(descriptor)
    if mode == _ROLLBACK:
        raise DatabaseError(
            f"{path} was put in the place of another database, whose log {log.name} is still there: SQLite would write "
            "the changes of the old database into the new one, so nothing was opened. To use the new file: "
            f'rm "{log}" "{path}-shm" . Next time restore with: tgllm db restore BACKUP',
            code="database_stray_log",
            path=str(path),
        )
