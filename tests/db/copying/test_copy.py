"""A copy of a database has the same rows, or there is none."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from database_support import NOW
from old_databases import LATEST, content, make
from tgllm.api.errors import DatabaseError
from tgllm.db.copying.copy import Digest, copy
from tgllm.db.copying.ends import NOT_COPIED
from tgllm.db.engine.errors import DataFolderBusy
from tgllm.db.engine.lock import lock_data_folder
from tgllm.db.engine.place import Server
from tgllm.db.engine.sqlite import connect
from tgllm.db.file.check import check
from tgllm.db.file.schema import prepare
from tgllm.db.tables import passages

RENAMING = """
    CREATE TRIGGER renaming AFTER INSERT ON users BEGIN UPDATE users SET first_name = 'x' WHERE id = new.id; END
"""


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A database with rows in every table, of which a process was killed while it worked."""
    path = make(tmp_path / "from" / "tgllm.db", LATEST)
    prepare(path, NOW)
    with closing(connect(path)) as conn:
        conn.execute("UPDATE inbox SET holder = 7 WHERE state = 'running'")
        conn.execute("UPDATE users SET first_name = 'A\\B' || char(10) || 'ё\t😀' WHERE id = 1002")
    return path


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "to" / "tgllm.db"


def copied(path: Path) -> dict[str, list[dict[str, Any]]]:
    """Return the rows of the tables that are copied, without the numbers of replicas."""
    tables = {name: rows for name, rows in content(path).items() if name not in NOT_COPIED}
    for row in (*tables["inbox"], *tables["outbox"]):
        del row["holder"]
    for row in tables["documents"]:
        del row["indexed"]
    return tables


def count(path: Path, table: str) -> int:
    with closing(connect(path)) as conn:
        return int(conn.execute(f"SELECT count(*) FROM {table}").fetchone()[0])


def add_document(path: Path) -> None:
    with closing(connect(path)) as conn:
        conn.execute("BEGIN")
        conn.execute(
            "INSERT INTO files (path, mime, size, sha256, created_at) VALUES ('p', 'text/plain', 9, ?, 1)", ("c" * 64,)
        )
        document = passages.begin(conn, "c" * 64, 1, 9)
        assert passages.add(conn, document, 0, [passages.Passage(text="two words")])
        conn.execute("COMMIT")


class TestFiles:
    pytestmark = pytest.mark.sqlite  # from file to file

    def test_every_row_is_copied_and_the_source_stays(self, source: Path, target: Path) -> None:
        before = content(source)
        tables = copy(source, target, NOW)

        assert content(source) == before
        assert copied(target) == copied(source)
        assert {table.name: table.rows for table in tables} == {
            name: len(rows) for name, rows in copied(source).items()
        }
        assert check(target).problems == ()

    def test_what_ran_is_recovered_by_the_new_bot(self, source: Path, target: Path) -> None:
        copy(source, target, NOW)
        with closing(connect(target)) as conn:
            running = conn.execute("SELECT count(*), count(holder) FROM inbox WHERE state = 'running'").fetchone()
        assert tuple(running) == (1, 0)
        left = {name: len(rows) for name, rows in content(target).items() if name in NOT_COPIED - {"search_waiting"}}
        assert left
        assert not any(left.values())

    def test_the_indexes_are_made_anew(self, source: Path, target: Path) -> None:
        add_document(source)
        copy(source, target, NOW)
        assert count(target, "search_waiting") == count(source, "messages")
        with closing(connect(target)) as conn:
            (document,) = passages.complete(conn, ["c" * 64])
            assert document.indexed
            assert passages.find_words(conn, document.id, "words") == [0]

    def test_a_copy_of_another_name_is_made_while_a_bot_runs_beside_it(self, source: Path, target: Path) -> None:
        other = source.with_name("yesterday.sqlite")
        other.write_bytes(source.read_bytes())
        with lock_data_folder(source.parent):
            copy(other, target, NOW)
        assert count(target, "users") == count(source, "users")

    def test_a_running_bot_is_refused(self, source: Path, target: Path) -> None:
        for folder in (source.parent, target.parent):
            with lock_data_folder(folder), pytest.raises(DataFolderBusy):
                copy(source, target, NOW)
        assert not target.exists()

    def test_a_database_with_content_is_refused(self, source: Path, target: Path) -> None:
        prepare(target, NOW)
        with closing(connect(target)) as conn:
            conn.execute("INSERT INTO users (id, created_at, updated_at) VALUES (7, 1, 1)")
        before = content(target)
        with pytest.raises(DatabaseError, match="content already") as raised:
            copy(source, target, NOW)
        assert raised.value.code == "database_not_empty"
        assert content(target) == before

    def test_the_database_itself_is_refused(self, source: Path) -> None:
        with pytest.raises(DatabaseError, match="the same database"):
            copy(source, source, NOW)

    def test_a_missing_database_is_refused(self, tmp_path: Path, target: Path) -> None:
        with pytest.raises(DatabaseError, match="no database"):
            copy(tmp_path / "nowhere" / "tgllm.db", target, NOW)
        assert not target.exists()

    def test_one_of_an_earlier_version_is_refused(self, tmp_path: Path, target: Path) -> None:
        old = make(tmp_path / "old" / "tgllm.db", LATEST - 1)
        with pytest.raises(DatabaseError, match="tgllm db init"):
            copy(old, target, NOW)

    def test_a_copy_that_differs_is_undone(self, source: Path, target: Path) -> None:
        prepare(target, NOW)
        with closing(connect(target)) as conn:
            conn.execute(RENAMING)
        with pytest.raises(DatabaseError, match="users") as raised:
            copy(source, target, NOW)
        assert raised.value.code == "database_copy_differs"
        assert not any(content(target).values())


class TestServers:
    pytestmark = pytest.mark.postgres

    @pytest.fixture
    def server(self, empty_postgres_url: str) -> Server:
        return Server(empty_postgres_url)

    @pytest.fixture
    def conn(self, server: Server) -> Iterator[Any]:
        import psycopg  # noqa: PLC0415  only where there is a server

        from tgllm.db.postgres.schema import prepare as prepare_server  # noqa: PLC0415  only where there is a server

        prepare_server(server.url, NOW)
        with psycopg.connect(server.url, autocommit=True) as conn:
            yield conn

    def test_there_and_back_nothing_is_lost(self, source: Path, target: Path, server: Server) -> None:
        add_document(source)
        there = copy(source, server, NOW)
        back = copy(server, target, NOW)

        assert there == back
        assert copied(target) == copied(source)
        assert check(target).problems == ()
        with closing(connect(target)) as conn:
            (document,) = passages.complete(conn, ["c" * 64])
            assert passages.find_words(conn, document.id, "words") == [0]

    def test_ids_are_counted_on_and_rules_hold(self, source: Path, server: Server, conn: Any) -> None:
        copy(source, server, NOW)
        highest = conn.execute("SELECT max(id) FROM messages").fetchone()[0]
        added = conn.execute(
            "INSERT INTO messages (conversation_id, turn_id, role, text, created_at)"
            " VALUES (1, 'new', 'user', 'x', 1) RETURNING id"
        )
        assert added.fetchone()[0] == highest + 1
        assert conn.execute("SELECT count(*) FROM search_waiting").fetchone()[0] == count(source, "messages") + 1
        assert conn.execute("SELECT count(*) FROM inbox WHERE holder IS NOT NULL").fetchone()[0] == 0
        with pytest.raises(Exception, match="foreign key"):
            conn.execute("DELETE FROM messages WHERE id = 1")

    def test_the_character_that_a_server_can_not_store_is_replaced(self, source: Path, server: Server) -> None:
        with closing(connect(source)) as lite:
            lite.execute("UPDATE users SET first_name = ? WHERE id = 1002", ("a\0b",))
        copy(source, server, NOW)
        assert "a\ufffdb" in _names(server)

    def test_a_running_bot_is_refused(self, source: Path, target: Path, server: Server, conn: Any) -> None:
        conn.execute(
            "INSERT INTO replicas (name, kind, started_at, alive_until)"
            " VALUES ('north', 'bot', 1, extract(epoch FROM clock_timestamp())::bigint * 1000 + 60000)"
        )
        for from_, to in ((server, target), (source, server)):
            with pytest.raises(DatabaseError, match="north") as raised:
                copy(from_, to, NOW)
            assert raised.value.code == "database_in_use"

    def test_a_bot_that_has_died_is_none(self, target: Path, server: Server, conn: Any) -> None:
        conn.execute("INSERT INTO replicas (name, kind, started_at, alive_until) VALUES ('north', 'bot', 1, 2)")
        copy(server, target, NOW)
        assert count(target, "replicas") == 0

    def test_a_database_with_content_is_refused(self, source: Path, server: Server, conn: Any) -> None:
        conn.execute("INSERT INTO users (id, created_at, updated_at) VALUES (7, 1, 1)")
        with pytest.raises(DatabaseError, match="content already"):
            copy(source, server, NOW)
        assert conn.execute("SELECT count(*) FROM messages").fetchone()[0] == 0

    def test_an_empty_source_is_refused(self, target: Path, server: Server) -> None:
        with pytest.raises(DatabaseError, match="no database of a bot"):
            copy(server, target, NOW)

    def test_a_copy_that_differs_is_undone(self, source: Path, server: Server, conn: Any) -> None:
        conn.execute(
            "CREATE FUNCTION renaming() RETURNS trigger LANGUAGE plpgsql AS"
            " $$ BEGIN new.first_name = 'x'; RETURN new; END $$;"
            "CREATE TRIGGER renaming BEFORE INSERT ON users FOR EACH ROW EXECUTE FUNCTION renaming()"
        )
        with pytest.raises(DatabaseError, match="users") as raised:
            copy(source, server, NOW)
        assert raised.value.code == "database_copy_differs"
        assert conn.execute("SELECT (SELECT count(*) FROM users) + (SELECT count(*) FROM kv)").fetchone()[0] == 0


def _names(server: Server) -> list[str]:
    import psycopg  # noqa: PLC0415  only where there is a server

    with psycopg.connect(server.url) as conn:
        return [str(row[0]) for row in conn.execute("SELECT first_name FROM users")]


def test_a_checksum_is_that_of_the_rows_in_any_order() -> None:
    rows = [(1, "a"), (2, None), (2, None)]
    sums: list[tuple[int, str]] = []
    for each in (rows, rows[::-1], rows[:2], [(1, "a"), (2, "None"), (2, None)]):
        digest = Digest()
        assert list(digest.counted(each)) == each
        sums.append((digest.rows, digest.checksum))
    assert sums[0] == sums[1]
    assert len(set(sums)) == 3
