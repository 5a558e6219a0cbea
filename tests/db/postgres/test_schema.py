"""The schema on a server: as SQLite's, made once, migrated, and refused where it is not for this program."""

import re
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest
from psycopg import sql

from database_support import NOW
from postgres_databases import server_url
from postgres_schema import statements, translated
from tgllm.api.errors import DatabaseError
from tgllm.db.engine.errors import DatabaseTooNew, MigrationFailed
from tgllm.db.engine.sqlite import run_script
from tgllm.db.file.schema import models_sql
from tgllm.db.migrations.load import Migration, shipped
from tgllm.db.postgres import schema
from tgllm.db.postgres.marks import MARK_TABLE, mark_of
from tgllm.db.postgres.schema import latest_version, migrations, prepare

pytestmark = pytest.mark.postgres

OTHERS = (MARK_TABLE, "passage_index", "message_index")
"""Tables that SQLite has in another form, or not at all."""
OLD = Path(__file__).parents[1] / "old" / "v1.sql"
NEXT = latest_version(migrations()) + 1
STEP = Migration(NEXT, "colours", "ALTER TABLE users ADD COLUMN colour TEXT NOT NULL DEFAULT 'green';")

COLUMNS = """
    SELECT table_name, column_name, data_type, is_nullable, column_default, is_generated, is_identity, collation_name
    FROM information_schema.columns WHERE table_schema = 'public'
"""
INDEXES = "SELECT tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'"
RULES = """
    SELECT conrelid::regclass::text, contype::text, pg_get_constraintdef(oid) FROM pg_constraint
    WHERE connamespace = 'public'::regnamespace
"""
TRIGGERS = """
    SELECT tgname, pg_get_triggerdef(pg_trigger.oid), prosrc
    FROM pg_trigger JOIN pg_proc ON pg_proc.oid = tgfoid WHERE NOT tgisinternal
"""

Connection = psycopg.Connection[tuple[Any, ...]]


@pytest.fixture
def lite() -> Iterator[sqlite3.Connection]:
    """A SQLite database in memory with the schema."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as conn:
        conn.execute("BEGIN")
        run_script(conn, models_sql())
        yield conn


def content(conn: Connection) -> list[list[tuple[Any, ...]]]:
    """Return everything of the schema but the tables of its version and of the full-text indexes."""
    found = [conn.execute(query).fetchall() for query in (COLUMNS, INDEXES, RULES, TRIGGERS)]
    return [sorted((row for row in rows if row[0] not in OTHERS), key=str) for rows in found]


def tables(lite: sqlite3.Connection) -> list[str]:
    names = lite.execute("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
    return [str(row[0]) for row in names]


def test_tables_and_columns_are_those_of_sqlite(postgres_url: str, lite: sqlite3.Connection) -> None:
    types = {"INTEGER": "bigint", "TEXT": "text", "REAL": "double precision"}
    wanted = {
        (table, column, types[kind], bool(required or key), (default or "").removesuffix("::text"), bool(hidden))
        for table in tables(lite)
        for _, column, kind, required, default, key, hidden in lite.execute(f"PRAGMA table_xinfo({table})")
    }
    with psycopg.connect(postgres_url) as conn:
        rows = conn.execute(COLUMNS).fetchall()
    found = {
        (table, column, kind, nullable == "NO", (default or "").removesuffix("::text"), generated == "ALWAYS")
        for table, column, kind, nullable, default, generated, _, _ in rows
        if table not in OTHERS
    }
    assert found == wanted
    assert {collation for table, _, kind, *_, collation in rows if kind == "text" and table != MARK_TABLE} == {"C"}


def test_indexes_are_those_of_sqlite(postgres_url: str, lite: sqlite3.Connection) -> None:
    query = "SELECT name, sql FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL"
    wanted = {(name, "UNIQUE" in text, " WHERE " in text) for name, text in lite.execute(query)}
    with psycopg.connect(postgres_url) as conn:
        constraints = {row[0] for row in conn.execute("SELECT conname FROM pg_constraint")}
        rows = conn.execute(INDEXES).fetchall()
    found = {
        (name, "UNIQUE" in text, " WHERE " in text)
        for table, name, text in rows
        if name not in constraints and table not in OTHERS
    }
    assert found == wanted


def test_every_rule_of_a_table_is_there(postgres_url: str, lite: sqlite3.Connection) -> None:
    wanted: dict[str, tuple[int, int, int]] = {}
    for table in tables(lite):
        text = lite.execute("SELECT sql FROM sqlite_schema WHERE name = ?", (table,)).fetchone()[0]
        code = re.sub(r"--[^\n]*", "", text)
        keys = len({row[0] for row in lite.execute(f"PRAGMA foreign_key_list({table})")})
        wanted[table] = (len(re.findall(r"\bCHECK \(", code)), keys, len(re.findall(r"\bUNIQUE\b|PRIMARY KEY", code)))
    with psycopg.connect(postgres_url) as conn:
        rows = conn.execute(RULES).fetchall()
    found = {
        table: tuple(sum(row[0].strip('"') == table and row[1] in kinds for row in rows) for kinds in ("c", "f", "pu"))
        for table in wanted
    }
    assert found == wanted


def test_every_trigger_is_there(postgres_url: str, lite: sqlite3.Connection) -> None:
    wanted = {row[0] for row in lite.execute("SELECT name FROM sqlite_schema WHERE type = 'trigger'")}
    with psycopg.connect(postgres_url) as conn:
        assert {row[0] for row in conn.execute(TRIGGERS)} == wanted


def test_the_translated_migrations_lead_to_the_same_schema(empty_postgres_url: str, postgres_url: str) -> None:
    def structure(script: str) -> bytes:
        skipped = ("PRAGMA", "INSERT", "UPDATE", "DELETE")
        return translated("\n".join(each for each in statements(script) if not each.startswith(skipped))).encode()

    with psycopg.connect(empty_postgres_url) as old, psycopg.connect(postgres_url) as new:
        old.execute(Path(schema.__file__).with_name("functions.sql").read_bytes())
        for script in (OLD.read_text(encoding="utf-8"), *(step.sql for step in shipped())):
            old.execute(structure(script))
        assert content(old) == content(new)


def test_several_processes_make_it_at_the_same_time(empty_postgres_url: str, postgres_url: str) -> None:
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(lambda _: prepare(empty_postgres_url, NOW), range(3)))
    with psycopg.connect(empty_postgres_url) as made, psycopg.connect(postgres_url) as wanted:
        assert content(made) == content(wanted)
        assert mark_of(made) == mark_of(wanted)


def test_making_it_again_is_harmless(postgres_url: str) -> None:
    with psycopg.connect(postgres_url, autocommit=True) as conn:
        conn.execute("INSERT INTO users (id, created_at, updated_at) VALUES (7, 1, 1)")
        before = content(conn)
        prepare(postgres_url, NOW)
        assert content(conn) == before
        assert conn.execute("SELECT id FROM users").fetchall() == [(7,)]


def test_an_older_one_is_migrated_once(empty_postgres_url: str) -> None:
    prepare(empty_postgres_url, NOW)
    with psycopg.connect(empty_postgres_url, autocommit=True) as conn:
        conn.execute("INSERT INTO users (id, created_at, updated_at) VALUES (7, 1, 1)")
        for _ in range(2):
            prepare(empty_postgres_url, NOW, (*migrations(), STEP))
        assert conn.execute("SELECT id, colour FROM users").fetchall() == [(7, "green")]
        found = mark_of(conn)
    assert found is not None
    assert found.version == NEXT


def test_a_migration_that_fails_changes_nothing(empty_postgres_url: str) -> None:
    prepare(empty_postgres_url, NOW)
    wrong = Migration(NEXT + 1, "shapes", "ALTER TABLE shapes ADD COLUMN x BIGINT;")
    with psycopg.connect(empty_postgres_url, autocommit=True) as conn:
        before = content(conn), mark_of(conn)
        with pytest.raises(MigrationFailed, match="shapes") as raised:
            prepare(empty_postgres_url, NOW, (*migrations(), STEP, wrong))
        assert (content(conn), mark_of(conn)) == before
    assert raised.value.params["version"] == NEXT + 1


def test_a_newer_one_is_refused(empty_postgres_url: str) -> None:
    prepare(empty_postgres_url, NOW, (*migrations(), STEP))
    with pytest.raises(DatabaseTooNew, match=f"versions up to {NEXT - 1}") as raised:
        prepare(empty_postgres_url, NOW)
    assert (raised.value.params["found"], raised.value.params["known"]) == (NEXT, NEXT - 1)


def test_one_of_another_program_is_refused(empty_postgres_url: str) -> None:
    with psycopg.connect(empty_postgres_url, autocommit=True) as conn:
        conn.execute("CREATE TABLE customers (id BIGINT)")
        with pytest.raises(DatabaseError, match="another program") as raised:
            prepare(empty_postgres_url, NOW)
        assert conn.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").fetchone() == (1,)
    assert raised.value.code == "database_foreign"


def test_several_bots_share_a_database_in_schemas_of_their_own(empty_postgres_url: str) -> None:
    with psycopg.connect(empty_postgres_url, autocommit=True) as conn:
        for name in ("one", "two"):
            conn.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(name)))
            prepare(f"{empty_postgres_url}?options=-csearch_path%3D{name}", NOW)
        query = (
            "SELECT schemaname, count(*) > 40 FROM pg_tables WHERE schemaname IN ('public', 'one', 'two') GROUP BY 1"
        )
        assert sorted(conn.execute(query).fetchall()) == [("one", True), ("two", True)]


def test_a_search_path_without_a_schema_is_refused(empty_postgres_url: str) -> None:
    with pytest.raises(DatabaseError, match="CREATE SCHEMA"):
        prepare(f"{empty_postgres_url}?options=-csearch_path%3Dnowhere", NOW)


def test_another_encoding_is_refused(empty_postgres_url: str) -> None:
    name = f"{urlsplit(empty_postgres_url).path[1:]}_latin"
    with psycopg.connect(server_url(), autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name} TEMPLATE template0 ENCODING LATIN1 LOCALE 'C'".encode())
        try:
            with pytest.raises(DatabaseError, match="createdb -E UTF8"):
                prepare(empty_postgres_url.replace(urlsplit(empty_postgres_url).path, f"/{name}"), NOW)
        finally:
            admin.execute(f"DROP DATABASE {name}".encode())


def test_the_password_is_in_no_error(empty_postgres_url: str) -> None:
    parts = urlsplit(empty_postgres_url)
    url = f"postgresql://stranger:hush-hush@{parts.hostname}:{parts.port}{parts.path}"
    with pytest.raises(DatabaseError) as raised:
        prepare(url, NOW)
    assert "hush-hush" not in f"{raised.value} {raised.value.params}"
    assert "stranger" in str(raised.value)


@pytest.mark.parametrize(
    ("text", "is_valid", "kind"),
    [
        ("{}", True, "object"),
        (" [1]", True, "array"),
        ('"a\\u0000"', True, "text"),
        ('"\\ud800"', True, "text"),
        ("1", True, "integer"),
        ("1.5", True, "real"),
        ("true", True, "true"),
        ("null", True, "null"),
        ("", False, None),
        ("{a: 1}", False, None),
        ("NaN", False, None),
        ("[1,]", False, None),
    ],
)
def test_json_is_what_sqlite_takes_for_it(
    postgres_url: str, text: str, is_valid: bool, kind: str | None, lite: sqlite3.Connection
) -> None:
    assert bool(lite.execute("SELECT json_valid(?)", (text,)).fetchone()[0]) is is_valid
    with psycopg.connect(postgres_url) as conn:
        assert conn.execute("SELECT json_valid(%s)", (text,)).fetchone() == (is_valid,)
        if is_valid:
            assert conn.execute("SELECT json_type(%s)", (text,)).fetchone() == (kind,)
            assert lite.execute("SELECT json_type(?)", (text,)).fetchone() == (kind,)


BREAKING = re.compile(r"\b(DROP\s+(TABLE|COLUMN)|RENAME|SET\s+NOT\s+NULL|TYPE)\b", re.IGNORECASE)
"""What the statements of an earlier version may not survive."""


def breaking(step: Migration) -> list[str]:
    added = re.findall(r"ADD COLUMN[^;,]*NOT NULL[^;,]*", step.sql, re.IGNORECASE)
    return [
        *(found[0] for found in BREAKING.finditer(step.sql)),
        *(each for each in added if "DEFAULT" not in each.upper()),
    ]


def test_replicas_of_the_earlier_version_survive_each_migration() -> None:
    assert breaking(STEP) == []
    for change in (
        "ALTER TABLE users DROP COLUMN name", "DROP TABLE users", "ALTER TABLE users RENAME COLUMN name TO title",
        "ALTER TABLE users ADD COLUMN colour TEXT NOT NULL", "ALTER TABLE users ALTER COLUMN name SET NOT NULL",
    ):  # fmt: skip
        assert breaking(Migration(NEXT, "worse", change)), change
    assert {step.version: breaking(step) for step in migrations() if breaking(step)} == {}
