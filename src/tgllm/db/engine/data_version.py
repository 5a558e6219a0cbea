"""Detection of commits by other connections."""

import sqlite3

__all__ = ["DataVersion"]


class DataVersion:
    """Last seen value of ``PRAGMA data_version``.

    SQLite: the number changes when another connection, of this process or of another, commits; commits of the
    connection that reads it don't count. So it is always read on the writer's connection.
    """

    def __init__(self) -> None:
        self._version: int | None = None

    def changed(self, conn: sqlite3.Connection) -> bool:
        """Return whether another connection has committed since the last call; the first call returns False."""
        before = self._version
        self._version = conn.execute("PRAGMA data_version").fetchone()[0]
        return before is not None and before != self._version
