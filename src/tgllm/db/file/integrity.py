"""SQLite's integrity check."""

import sqlite3

__all__ = ["damage"]


def damage(conn: sqlite3.Connection) -> tuple[str, ...]:
    """Return the findings of SQLite's integrity check; empty if there are none. Reads the whole file."""
    try:
        found = tuple(str(row[0]) for row in conn.execute("PRAGMA integrity_check"))
    except sqlite3.DatabaseError as error:
        # The check itself fails if even the schema can't be read.
        if getattr(error, "sqlite_errorcode", 0) & 0xFF != sqlite3.SQLITE_CORRUPT:
            raise
        return (str(error),)
    return () if found == ("ok",) else found
