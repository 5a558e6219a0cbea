"""Databases for single tests on the PostgreSQL of the run.

Making a database takes 0.1 s, emptying one that a test has used a few milliseconds. So each process of tests has a
stock of databases with the schema, and empties one after its test. One whose schema a test has changed is dropped.
"""

import os
import secrets
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit, urlunsplit

from postgres_connections import KEPT
from postgres_server import SERVER_VARIABLE, NoServer

if TYPE_CHECKING:
    import psycopg

__all__ = ["STOCK", "Kept", "Stock", "empty_database", "fresh_database", "server_url"]

TEMPLATE = "tgllm_template"
NOW = 1_790_000_000_000
TEMPLATE_LOCK = 18
MOST_USES = 200
"""After so many tests a database is dropped: what was deleted in it makes it slower."""

TABLES = """
SELECT t.relname AS name, s.relname AS sequence
FROM pg_class t
LEFT JOIN pg_depend d ON d.refobjid = t.oid AND d.deptype IN ('i', 'a') AND d.classid = 'pg_class'::regclass
LEFT JOIN pg_class s ON s.oid = d.objid AND s.relkind = 'S'
WHERE t.relkind = 'r' AND t.relnamespace = 'public'::regnamespace
ORDER BY t.relname, s.relname NULLS LAST
"""

SHAPE = """
SELECT count(*), max(oid), sum(relnatts), sum(relchecks), sum(relhastriggers::int),
  (SELECT max(oid) FROM pg_trigger), (SELECT max(oid) FROM pg_proc), (SELECT max(oid) FROM pg_constraint)
FROM pg_class WHERE relnamespace = 'public'::regnamespace
"""
"""What changes with the schema of a database."""


def server_url() -> str:
    """Return the URL of the server's first database.

    Raises:
        NoServer: the run has no server.
    """
    url = os.environ.get(SERVER_VARIABLE)
    if not url:
        raise NoServer("this run of the tests has no PostgreSQL: give pytest the option --engine=postgresql")
    return url


def _named(name: str) -> str:
    return urlunsplit(urlsplit(server_url())._replace(path=f"/{name}"))


def _connect(url: str) -> "psycopg.Connection[tuple[Any, ...]]":
    import psycopg  # noqa: PLC0415  only where there is a server

    return psycopg.connect(url, autocommit=True, connect_timeout=30)


def _create(template: str | None = None) -> str:
    """Make a database, and return its URL."""
    name = f"test_{secrets.token_hex(8)}"
    with _connect(server_url()) as admin:
        admin.execute(f"CREATE DATABASE {name} TEMPLATE {template or 'template0'}")
    return _named(name)


def _drop(url: str) -> None:
    with _connect(server_url()) as admin:
        admin.execute(f"DROP DATABASE IF EXISTS {urlsplit(url).path[1:]} WITH (FORCE)")


def _template() -> str:
    """Return the name of a database with the schema; the first process of the run makes it."""
    from tgllm.db.postgres.schema import prepare  # noqa: PLC0415  as psycopg, which it needs

    with _connect(server_url()) as admin:
        admin.execute("SELECT pg_advisory_lock(%s)", (TEMPLATE_LOCK,))
        if not admin.execute("SELECT 1 FROM pg_database WHERE datname = %s AND datistemplate", (TEMPLATE,)).fetchone():
            admin.execute(f"CREATE DATABASE {TEMPLATE} TEMPLATE template0")
            prepare(_named(TEMPLATE), NOW)
            admin.execute(f"ALTER DATABASE {TEMPLATE} IS_TEMPLATE true")
    return TEMPLATE


@contextmanager
def empty_database() -> Iterator[str]:
    """Give the URL of a database without tables, which is dropped after the block."""
    url = _create()
    try:
        yield url
    finally:
        _drop(url)


@dataclass(slots=True)
class Kept:
    """A database of the stock."""

    url: str
    admin: "psycopg.Connection[tuple[Any, ...]]"
    shape: tuple[Any, ...]
    emptying: str
    """Statements that make the tables as they were."""
    rows: Mapping[str, Sequence[tuple[Any, ...]]]
    """What the tables hold in a new database."""
    uses: int = 0

    @property
    def name(self) -> str:
        """Its name on the server."""
        return urlsplit(self.url).path[1:]


def _rows(
    admin: "psycopg.Connection[tuple[Any, ...]]", tables: Iterable[str]
) -> Mapping[str, Sequence[tuple[Any, ...]]]:
    return {name: admin.execute(f'SELECT * FROM "{name}"').fetchall() for name in tables}


def _kept(url: str) -> Kept:
    admin = _connect(url)
    found = admin.execute(TABLES).fetchall()
    tables = list(dict.fromkeys(name for name, _ in found))
    rows = _rows(admin, tables)
    shape = admin.execute(SHAPE).fetchone()
    assert shape is not None
    statements = [
        "BEGIN",
        "SET LOCAL session_replication_role = replica",  # neither triggers nor foreign keys
        *(f'DELETE FROM "{name}"' for name in tables if not rows[name]),
        *(f"SELECT setval('\"{sequence}\"', 1, false)" for _, sequence in found if sequence),
        "COMMIT",
    ]
    return Kept(url, admin, shape, ";".join(statements), {name: kept for name, kept in rows.items() if kept})


def _empty(kept: Kept) -> bool:
    """Make a database as it was when it was new; return False if it can't be."""
    kept.uses += 1
    if kept.uses > MOST_USES:
        return False
    _end_others(kept)
    if kept.admin.execute(SHAPE).fetchone() != kept.shape or _rows(kept.admin, kept.rows) != kept.rows:
        return False
    kept.admin.execute(kept.emptying)
    return True


def _end_others(kept: Kept, patience: float = 20.0) -> None:
    """End what a test has left of connections, such as those of a program that was killed."""
    query = (
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> ALL (%s) AND backend_type = 'client backend'"
    )
    ours = [kept.admin.info.backend_pid, *KEPT.pids(kept.name)]
    until = time.monotonic() + patience
    while (row := kept.admin.execute(query, (ours,)).fetchone()) and row[0]:
        assert time.monotonic() < until, "a connection to a database of a test does not end"
        time.sleep(0.002)


@dataclass(slots=True)
class Stock:
    """Databases with the schema and no content, of one process of tests."""

    _free: list[Kept] = field(default_factory=list)

    def take(self) -> Kept:
        """Return an empty database; make one if there is none."""
        return self._free.pop() if self._free else _kept(_create(_template()))

    def give_back(self, kept: Kept) -> None:
        """Empty a database for the next test, or drop it."""
        try:
            is_empty = _empty(kept)
        except Exception:  # noqa: BLE001  what a test may have done to the database is not known
            is_empty = False
        if is_empty:
            self._free.append(kept)
        else:
            kept.admin.close()
            KEPT.drop(kept.name)
            _drop(kept.url)


STOCK = Stock()
"""That of this process."""


@contextmanager
def fresh_database() -> Iterator[str]:
    """Give the URL of a database with the schema and no content, for the time of the block."""
    kept = STOCK.take()
    try:
        yield kept.url
    finally:
        STOCK.give_back(kept)
