"""Noticing that another connection has written to the database."""

import sqlite3

__all__ = ["Changes"]


class Changes:
    """Compares ``PRAGMA data_version`` with what it was the last time.

    SQLite: the number changes when another connection, of this process or of another, commits; what the asking
    connection commits itself does not count. So ask on the writer's connection, always the same.
    """

    def __init__(self) -> None:
        """Know nothing yet: the first ``changed`` only looks."""
        self._version: int | None = None

    def changed(self, conn: sqlite3.Connection) -> bool:
        """Whether somebody else has committed since the last call; False at the first."""
        before = self._version
        self._version = conn.execute("PRAGMA data_version").fetchone()[0]
        return before is not None and before != self._version
