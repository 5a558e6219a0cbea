"""A look into the outbox, from outside of the program."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from benchmarks.chaos.postgres import Postgres

__all__ = ["Outbox", "of_file", "of_server"]

Query = Callable[[str, object], list[tuple[object, ...]]]
"""Runs a query with one parameter, written ``?``."""


class Outbox:
    """The outbox in the database of the program, which may run."""

    def __init__(self, query: Query) -> None:
        """Look into the database by ``query``."""
        self._rows = query

    def text(self, row_id: int) -> str:
        """Return the parameters of a call, as JSON; empty if there is none."""
        found = self._rows("SELECT payload FROM outbox WHERE id = ?", row_id)
        return str(found[0][0]) if found else ""

    def states(self, text: str) -> list[str]:
        """Return the calls with a text in their parameters, and their states."""
        query = "SELECT id, method, state, attempts, error FROM outbox WHERE instr(payload, ?) > 0 ORDER BY id"
        return [", ".join(map(str, row)) for row in self._rows(query, text)]


def of_file(path: Path) -> Outbox:
    """Return the outbox of a SQLite file."""

    def query(sql: str, value: object) -> list[tuple[object, ...]]:
        with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, timeout=30)) as conn:
            return conn.execute(sql, (value,)).fetchall()

    return Outbox(query)


def of_server(server: Postgres) -> Outbox:
    """Return the outbox of a server's database."""
    return Outbox(lambda sql, value: server.query(sql.replace("?", "%s").replace("instr(", "strpos("), value))
