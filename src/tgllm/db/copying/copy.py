"""Copy of a whole database, counted and compared."""

import hashlib
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tgllm.db.copying.ends import NOT_COPIED, End, Values
from tgllm.db.copying.file_end import reading_file, writing_file
from tgllm.db.engine.driver import require_driver
from tgllm.db.engine.errors import DatabaseError
from tgllm.db.engine.place import Place
from tgllm.db.tables import passages

__all__ = ["CopiedTable", "Digest", "copy"]

_HOLDERS: Final = frozenset({("inbox", "holder"), ("outbox", "holder")})
"""Columns with numbers of replicas, which the copy does not know."""
_MARKS: Final = ("kv", "database")
"""Table and scope of values that are about the database itself."""
# PostgreSQL can't store the character NUL.
_NUL, _REPLACEMENT = "\0", "\ufffd"


@dataclass(frozen=True, slots=True)
class CopiedTable:
    """A table that has the same rows in both databases."""

    name: str
    rows: int
    checksum: str
    """Of the rows, in any order."""


@dataclass(slots=True)
class Digest:
    """Number and checksum of rows, in any order."""

    rows: int = 0
    total: int = 0

    def counted(self, rows: Iterable[Values]) -> Iterator[Values]:
        """Yield the rows, and take them into account."""
        for row in rows:
            digest = hashlib.blake2b(repr(row).encode("utf-8", "surrogatepass"), digest_size=8).digest()
            self.rows += 1
            self.total = (self.total + int.from_bytes(digest)) % 2**64
            yield row

    @property
    def checksum(self) -> str:
        """The checksum, 16 characters."""
        return f"{self.total:016x}"


def copy(source: Place, target: Place, now: int) -> Sequence[CopiedTable]:
    """Copy all rows to an empty database, in one transaction there and from one snapshot here.

    What of the full-text index of messages is made anew by the bot; texts of files are indexed by the copy. Calls and
    updates that were running are copied as they are: the bot recovers them when it starts.

    Args:
        source: the database to read; nothing in it changes.
        target: a database that is created if it is missing, and has to be empty.
        now: UTC in milliseconds.

    Raises:
        DatabaseError: a database can't be used, a bot runs on it, the source is of another version, the target has
            content, or what was copied is not what was read. The target has no content then.
    """
    if source == target:
        raise DatabaseError("FROM and TO are the same database.", code="database_copy_same")
    with _reading(source) as from_, _writing(target, now) as to:
        _refuse_content(to)
        copied = [_copy_table(from_, to, table) for table in sorted(set(from_.tables()) - NOT_COPIED)]
        for table in copied:
            _compare(to, table)
        to.finish()
        passages.index_waiting(to.connection)
    return copied


def _reading(place: Place) -> AbstractContextManager[End]:
    if isinstance(place, Path):
        return reading_file(place)
    require_driver()
    from tgllm.db.copying.server_end import reading_server  # noqa: PLC0415  imports psycopg

    return reading_server(place)


def _writing(place: Place, now: int) -> AbstractContextManager[End]:
    if isinstance(place, Path):
        return writing_file(place, now)
    require_driver()
    from tgllm.db.copying.server_end import writing_server  # noqa: PLC0415  imports psycopg

    return writing_server(place, now)


def _refuse_content(end: End) -> None:
    for table in sorted(set(end.tables()) - {"replicas"}):
        with closing(_rows(end, table, end.columns(table))) as rows:
            if next(rows, None) is None:
                continue
        raise DatabaseError(
            f"{end.place} has content already (the table {table}). Give a database that is empty or does not exist.",
            code="database_not_empty",
            place=end.place,
        )


def _copy_table(source: End, target: End, table: str) -> CopiedTable:
    columns = [name for name in target.columns(table) if (table, name) not in _HOLDERS]
    digest = Digest()
    rows = _rows(source, table, columns, takes_nul=target.takes_nul)
    target.insert(table, columns, digest.counted(rows))
    return CopiedTable(table, digest.rows, digest.checksum)


def _compare(target: End, copied: CopiedTable) -> None:
    columns = [name for name in target.columns(copied.name) if (copied.name, name) not in _HOLDERS]
    digest = Digest()
    for _ in digest.counted(_rows(target, copied.name, columns)):
        pass
    if (digest.rows, digest.checksum) != (copied.rows, copied.checksum):
        raise DatabaseError(
            f"The rows of {copied.name} in {target.place} are not those that were read ({digest.rows} of "
            f"{copied.rows}), so nothing was copied. Report this.",
            code="database_copy_differs",
            place=target.place,
            table=copied.name,
        )


def _rows(end: End, table: str, columns: Sequence[str], *, takes_nul: bool = True) -> Generator[Values]:
    """Yield the rows to copy, as the other database takes them."""
    scope = columns.index("scope") if table == _MARKS[0] else None
    # No full-text index has the texts of files yet: what is in one is noted after that.
    indexed = columns.index("indexed") if table == "documents" else None
    for row in end.rows(table, columns):
        if scope is not None and row[scope] == _MARKS[1]:
            continue
        values = row if takes_nul else tuple(_without_nul(value) for value in row)
        yield values if indexed is None else (*values[:indexed], 0, *values[indexed + 1 :])


def _without_nul(value: object) -> object:
    return value.replace(_NUL, _REPLACEMENT) if isinstance(value, str) else value
