"""The engine of the databases of tests: a SQLite file, or PostgreSQL with ``--engine=postgresql``.

Tests name a database by the path that its file would have. On PostgreSQL each path of a test has a database of its own,
which is emptied after the test. The product knows nothing of that: its settings and ``Database.open`` get a URL.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, TypeVar

import pytest

from copied_files import prepare_quickly
from postgres_connections import KEPT
from postgres_databases import NOW, STOCK, Kept
from tgllm.config.load import LoadedConfig, load_config
from tgllm.config.paths import database_path
from tgllm.db.database import Database
from tgllm.db.engine.batch import Job, run_jobs
from tgllm.db.engine.place import Place, Server, is_url
from tgllm.db.engine.sqlite import connect
from tgllm.db.engine.unit import Connection

__all__ = ["Engine", "PostgresPaths", "elsewhere", "looking_into", "on_postgres"]

T = TypeVar("T")

URL_VARIABLE = "TGLLM_DATABASE__URL"
QUICK: Mapping[str, float] = {"replicas.lease": 3.0, "replicas.heartbeat": 1.0}
"""Settings with which a bot that was killed is soon known to be gone."""


def _variables(settings: Mapping[str, float]) -> Mapping[str, str]:
    return {f"TGLLM_{key.replace('.', '__').upper()}": str(value) for key, value in settings.items()}


class Engine:
    """Where the databases of a test are; this one has files."""

    is_postgres = False

    def place(self, path: Path) -> Path | str:
        """Return what ``Database.open`` gets for the database at a path."""
        return path

    def variables(self, data_dir: Path) -> Mapping[str, str]:
        """Return environment variables for a program with that data folder."""
        return {}

    @contextmanager
    def connected(self, path: Path) -> Iterator[Connection]:
        """A connection to the database at a path, which is made if it is not there; statements commit by themselves."""
        prepare_quickly(path, NOW)
        with closing(connect(path)) as conn:
            yield conn

    @contextmanager
    def transaction(self, path: Path) -> Iterator[Connection]:
        """A connection as units of work get it, in a write transaction that is rolled back after the block."""
        with self.connected(path) as conn:
            conn.execute("BEGIN IMMEDIATE")
            yield conn


class PostgresPaths(Engine):
    """Databases on PostgreSQL, by the paths that files would have."""

    is_postgres = True

    def __init__(self) -> None:
        self._kept: dict[Path, Kept] = {}

    def place(self, path: Path) -> str:
        path = path.absolute()
        if path not in self._kept:
            self._kept[path] = STOCK.take()
        return self._kept[path].url

    def variables(self, data_dir: Path) -> Mapping[str, str]:
        return {URL_VARIABLE: self.place(database_path(data_dir)), **_variables(QUICK)}

    @contextmanager
    def connected(self, path: Path) -> Iterator[Connection]:
        with _connected(self.place(path)) as conn:
            yield conn

    @contextmanager
    def transaction(self, path: Path) -> Iterator[Connection]:
        with self.connected(path) as conn:
            conn.execute("BEGIN ISOLATION LEVEL SERIALIZABLE")
            yield conn

    def has(self, url: str) -> bool:
        """Return whether a database is one of these, which has the schema."""
        return any(kept.url == url for kept in self._kept.values())

    def give_back(self) -> None:
        """Empty all databases."""
        while self._kept:
            STOCK.give_back(self._kept.popitem()[1])


@contextmanager
def _connected(url: str) -> Iterator[Connection]:
    from tgllm.db.postgres.connection import PostgresConnection  # noqa: PLC0415  only where there is a server
    from tgllm.db.postgres.store import connect as connect_to_server  # noqa: PLC0415  only where there is a server

    with closing(connect_to_server(url)) as conn:
        yield PostgresConnection(conn)


@contextmanager
def looking_into(database: Database) -> Iterator[Connection]:
    """A connection of its own to an open database, for looks between its transactions."""
    if database.is_server:
        with _connected(database.store.server.url) as conn:
            yield conn
    else:
        with closing(connect(database.path)) as conn:
            yield conn


def elsewhere(database: Database, unit: Callable[[Connection], T]) -> T:
    """Run a unit of work in an open database as another process does."""
    store = database.store
    if database.is_server:
        from tgllm.db.postgres.store import ServerStore  # noqa: PLC0415  only where there is a server

        store = ServerStore(database.store.server)
    with closing(store.open("writer")) as session:
        (outcome,) = run_jobs(session, [Job(unit, in_transaction=True, durable=False)], "write")
    if outcome.error is not None:
        raise outcome.error
    return outcome.value


@contextmanager
def on_postgres() -> Iterator[PostgresPaths]:
    """Within the block, bots of ``tgllm.testing`` and databases that are opened by a path are on PostgreSQL."""
    paths, real_open = PostgresPaths(), Database.open.__func__  # type: ignore[attr-defined]  # a class method

    def load(flags: Mapping[str, object], *, environ: Mapping[str, str], cwd: Path) -> LoadedConfig:
        url = paths.place(database_path(Path(str(flags["data_dir"]))))
        return load_config({"database.url": url, **QUICK, **flags}, environ=environ, cwd=cwd)

    async def opened(cls: type[Database], place: Place | str, **options: Any) -> Database:
        is_server = isinstance(place, Server) or is_url(place)
        return await real_open(cls, place if is_server else paths.place(Path(place)), **options)

    def prepared(url: str, now: int) -> None:
        if not paths.has(url):
            prepare_server(url, now)

    from tgllm.db.postgres.schema import prepare as prepare_server  # noqa: PLC0415  only where there is a server

    with pytest.MonkeyPatch.context() as patch, KEPT.used(paths.has):
        patch.setattr("tgllm.db.postgres.store.prepare", prepared)
        patch.setattr("tgllm.testing.bot.load_config", load)
        patch.setattr(Database, "open", classmethod(opened))
        try:
            yield paths
        finally:
            paths.give_back()
