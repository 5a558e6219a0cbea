"""A process as the others that use the same database see it: its row in ``replicas``."""

from dataclasses import dataclass
from typing import Final

__all__ = ["SHELL_SECONDS", "Member"]

SHELL_SECONDS: Final = 600
"""How long the row of a shell command stays after its last write, so that each bot notices the write."""

# The database's clock, since those of several machines differ. Milliseconds since 1970.
_NOW: Final = "(extract(epoch FROM clock_timestamp()) * 1000)::bigint"


@dataclass(slots=True)
class Member:
    """Identity of a process. Each of its write transactions counts in its row, and so finds out whether it is there.

    A shell command makes its row with its first write, and makes it again if it was removed. A replica of the bot has
    joined (``db/tables/replicas.py``), and does not write without its row: others may have taken over its work.
    """

    id: int
    """Number of the row: its lease's number, which no other process ever has."""
    is_fenced: bool = False
    """Whether writes fail without the row."""

    def sign(self) -> str:
        """Return the statement that begins each write transaction; it returns the transaction's id, or no row."""
        if self.is_fenced:
            return f"UPDATE replicas SET commits = commits + 1 WHERE id = {self.id} RETURNING txid_current()"  # noqa: S608 (a number)
        until = f"{_NOW} + {SHELL_SECONDS * 1000}"
        return (
            "INSERT INTO replicas (id, name, kind, started_at, alive_until, commits)"  # noqa: S608 (numbers)
            f" VALUES ({self.id}, 'shell', 'shell', {_NOW}, {until}, 1)"
            f" ON CONFLICT (id) DO UPDATE SET commits = replicas.commits + 1, alive_until = {until}"
            " RETURNING txid_current()"
        )

    def others(self) -> str:
        """Return the query whose result changes with each commit of another process."""
        return f"SELECT coalesce(sum(commits), 0), count(*), coalesce(max(id), 0) FROM replicas WHERE id <> {self.id}"  # noqa: S608 (a number)
