"""A look into the outbox, from outside of the program."""

import sqlite3
from contextlib import closing
from pathlib import Path

__all__ = ["Outbox"]


class Outbox:
    """The outbox in the database of the program, which may run."""

    def __init__(self, folder: Path) -> None:
        """Remember the data folder."""
        self._path = folder / "tgllm.db"

    def text(self, row_id: int) -> str:
        """Return the parameters of a call, as JSON; empty if there is none."""
        found = self._rows("SELECT payload FROM outbox WHERE id = ?", row_id)
        return str(found[0][0]) if found else ""

    def states(self, text: str) -> list[str]:
        """Return the calls with a text in their parameters, and their states."""
        query = "SELECT id, method, state, attempts, error FROM outbox WHERE instr(payload, ?) ORDER BY id"
        return [", ".join(map(str, row)) for row in self._rows(query, text)]

    def _rows(self, query: str, value: object) -> list[tuple[object, ...]]:
        with closing(sqlite3.connect(f"{self._path.as_uri()}?mode=ro", uri=True, timeout=30)) as conn:
            return conn.execute(query, (value,)).fetchall()
