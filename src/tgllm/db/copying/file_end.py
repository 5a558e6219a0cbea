"""A SQLite file that is copied or filled."""

import sqlite3
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext
from pathlib import Path

from tgllm.db.copying.ends import Values, older_version
from tgllm.db.engine.errors import DatabaseError
from tgllm.db.engine.lock import lock_data_folder
from tgllm.db.engine.sqlite import connect, in_words
from tgllm.db.file.identity import latest_version, refuse_foreign, version_of
from tgllm.db.file.look import is_there
from tgllm.db.file.schema import prepare
from tgllm.db.migrations.load import shipped

__all__ = ["FileEnd", "reading_file", "writing_file"]


class FileEnd:
    """A file in a transaction."""

    takes_nul = True

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        """Wrap a connection in a transaction."""
        self.connection = connection
        self.place = str(path)

    def tables(self) -> list[str]:
        """Return the names of the tables; those of full-text indexes are of another type."""
        query = (
            "SELECT name FROM pragma_table_list WHERE type = 'table' AND schema = 'main' AND name NOT LIKE 'sqlite_%'"
        )
        return [str(row[0]) for row in self.connection.execute(query)]

    def columns(self, table: str) -> list[str]:
        """Return the columns of a table that are stored and not computed."""
        query = "SELECT name FROM pragma_table_xinfo(?) WHERE hidden = 0 ORDER BY cid"
        return [str(row[0]) for row in self.connection.execute(query, (table,))]

    def rows(self, table: str, columns: Sequence[str]) -> Iterator[Values]:
        """Yield the rows, without reading all of them at once."""
        cursor = self.connection.execute(f'SELECT {_list(columns)} FROM "{table}"')  # noqa: S608  names of the schema
        cursor.row_factory = None
        return cursor

    def insert(self, table: str, columns: Sequence[str], rows: Iterable[Values]) -> None:
        """Add rows."""
        places = ", ".join("?" * len(columns))
        statement = f'INSERT INTO "{table}" ({_list(columns)}) VALUES ({places})'  # noqa: S608  names of the schema
        self.connection.executemany(statement, rows)

    def finish(self) -> None:
        """Do nothing: SQLite takes the number after the highest one."""


@contextmanager
def reading_file(path: Path) -> Generator[FileEnd]:
    """Give the file in a snapshot that no bot changes; it is neither created nor migrated.

    Raises:
        DataFolderBusy: a bot runs on it.
        DatabaseError: it is missing, can't be read, belongs to another program, or is of another version.
    """
    if not is_there(path):
        raise DatabaseError(f"There is no database {path}.", code="database_missing", path=str(path))
    latest = latest_version(shipped())
    with _alone(path), in_words(path), closing(connect(path, "ro")) as conn:
        refuse_foreign(conn, path, latest)
        if version_of(conn) != latest:
            raise older_version(str(path))
        conn.execute("BEGIN")
        yield FileEnd(conn, path)


@contextmanager
def writing_file(path: Path, now: int) -> Generator[FileEnd]:
    """Give the file, which is created or migrated first, in a transaction that is committed after the block.

    Raises:
        DataFolderBusy: a bot runs on it.
        DatabaseError: it can't be written, or belongs to another program.
    """
    with _alone(path), in_words(path):
        prepare(path, now)
        with closing(connect(path)) as conn:
            conn.execute("BEGIN IMMEDIATE")
            # SQLite: until the end of the transaction only.
            conn.execute("PRAGMA defer_foreign_keys = ON")
            yield FileEnd(conn, path)
            conn.execute("COMMIT")


def _alone(path: Path) -> AbstractContextManager[None]:
    # A copy of a database under another name is used by no bot.
    return lock_data_folder(path.parent) if path.name == "tgllm.db" else nullcontext()


def _list(columns: Sequence[str]) -> str:
    return ", ".join(f'"{column}"' for column in columns)
