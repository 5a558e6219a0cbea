"""The schema holds its rules by itself."""

import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from database_support import NOW
from tgllm.db import init_db
from tgllm.db.engine.errors import DatabaseError, DatabaseTooNew
from tgllm.db.engine.sqlite import connect
from tgllm.db.file.identity import APPLICATION_ID, latest_version
from tgllm.db.file.schema import models_sql, prepare
from tgllm.db.migrations.load import shipped

TABLES = {
    "users",
    "groups",
    "invites",
    "conversations",
    "messages",
    "summaries",
    "facts",
    "fact_proposals",
    "search_waiting",
    "search_removals",
    "requests",
    "models",
    "files",
    "file_texts",
    "documents",
    "passages",
    "inbox",
    "outbox",
    "known_ids",
    "usage",
    "budgets",
    "budget_periods",
    "broadcasts",
    "broadcast_recipients",
    "audit",
    "schedules",
    "plugin_jobs",
    "reminders",
    "plugin_room",
    "kv",
    "errors",
    "error_places",
    "plugin_messages",
    "plugin_keyboards",
    "unreachable_chats",
    "tool_rounds",
    "tool_calls",
    "tool_rules",
    "tool_grants",
    "replicas",
    "leases",
    "turn_orders",
    "budget_reservations",
    "question_times",
}


def dump(path: Path) -> list[str]:
    with closing(connect(path)) as conn:
        return [*conn.iterdump(), *(str(conn.execute(f"PRAGMA {p}").fetchone()[0]) for p in ("user_version",))]


def tables(conn: sqlite3.Connection) -> list[str]:
    return [row[0] for row in conn.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]


@pytest.mark.sqlite  # reads the file
async def test_making_the_database_twice_is_harmless(path: Path) -> None:
    await init_db(path)
    with closing(connect(path)) as conn:
        conn.execute("INSERT INTO users (id, created_at, updated_at) VALUES (7, 1, 1)")
    before = dump(path)
    await init_db(path)
    assert dump(path) == before


@pytest.mark.sqlite  # SQLite's list of tables
def test_every_table_is_there_and_checks_types(conn: sqlite3.Connection) -> None:
    found = {row["name"]: row["strict"] for row in conn.execute("PRAGMA table_list") if row["type"] == "table"}
    own = {name: strict for name, strict in found.items() if not name.startswith("sqlite_")}
    assert own == dict.fromkeys(TABLES, 1)


@pytest.mark.sqlite  # the file
def test_file_and_folder_are_private(path: Path) -> None:
    prepare(path, NOW)
    with closing(connect(path)) as conn:
        conn.execute("INSERT INTO kv VALUES ('s', 'k', '1', 1)")
        modes = {file.name: file.stat().st_mode & 0o777 for file in path.parent.iterdir()}
    assert modes == {"tgllm.db": 0o600, "tgllm.db-wal": 0o600, "tgllm.db-shm": 0o600}
    assert path.parent.stat().st_mode & 0o777 == 0o700


@pytest.mark.sqlite  # the file
def test_the_file_is_marked_and_in_wal_mode(path: Path) -> None:
    prepare(path, NOW)
    with closing(connect(path)) as conn:
        marks = [conn.execute(f"PRAGMA {name}").fetchone()[0] for name in ("application_id", "user_version")]
        assert marks == [APPLICATION_ID, latest_version(shipped())]
        settings = ("journal_mode", "foreign_keys", "synchronous")
        assert [conn.execute(f"PRAGMA {name}").fetchone()[0] for name in settings] == ["wal", 1, 2]


def test_every_column_has_a_comment() -> None:
    bare: list[str] = []
    for table in re.findall(r"CREATE TABLE IF NOT EXISTS (\w+) \(\n(.*?)\n\)", models_sql(), re.DOTALL):
        lines = table[1].splitlines()
        starts = [i for i, line in enumerate(lines) if re.match(r"    [a-z]\w* +(INTEGER|TEXT)", line)]
        for start in starts:
            end = next((i for i in range(start + 1, len(lines)) if re.match(r"    \S", lines[i])), len(lines))
            if not any("-- " in line for line in lines[start:end]):
                bare.append(f"{table[0]}: {lines[start].strip()}")
    assert bare == []


@pytest.mark.sqlite  # SQLite's lists
def test_every_foreign_key_has_an_index(conn: sqlite3.Connection) -> None:
    missing: list[str] = []
    for table in tables(conn):
        keys: dict[int, list[str]] = {}
        for row in conn.execute(f"PRAGMA foreign_key_list({table})"):
            keys.setdefault(row["id"], []).append(row["from"])
        heads = [
            [column["name"] for column in conn.execute(f"PRAGMA index_info({index['name']})")]
            for index in conn.execute(f"PRAGMA index_list({table})")
        ]
        missing += [f"{table}{key}" for key in keys.values() if not any(head[: len(key)] == key for head in heads)]
    assert missing == []


# Rows that the rules build on.
BASE = """
    INSERT INTO users (id, created_at, updated_at) VALUES (7, 1, 1);
    INSERT INTO conversations (id, lane, created_at, updated_at) VALUES (1, 'a', 1, 1);
    INSERT INTO conversations (id, lane, created_at, updated_at) VALUES (2, 'b', 1, 1);
    INSERT INTO messages (id, conversation_id, turn_id, role, text, created_at) VALUES (1, 1, 't', 'user', 'x', 1);
    INSERT INTO requests (id, turn_id, provider, model, created_at, status, finished_at)
    VALUES (1, 't', 'p', 'm', 1, 'ok', 1);
    INSERT INTO models (provider, model, title, is_default, first_seen_at, last_seen_at)
    VALUES ('p', 'm', 'M', 1, 1, 1);
    INSERT INTO models (provider, model, title, first_seen_at, last_seen_at) VALUES ('p', 'n', 'N', 1, 1);
    INSERT INTO inbox (update_id, lane, kind, payload, state, received_at) VALUES (1, 'a', 'm', '{}', 'running', 1);
    INSERT INTO inbox (update_id, lane, kind, payload, received_at) VALUES (2, 'a', 'm', '{}', 1);
    INSERT INTO outbox (id, lane, kind, method, payload, state, turn_id, created_at)
    VALUES (1, 'a', 'send', 'sendMessage', '{}', 'sending', 't', 1);
    INSERT INTO outbox (id, lane, kind, method, payload, created_at) VALUES (2, 'a', 'send', 'sendMessage', '{}', 1);
    INSERT INTO schedules (job_id, fire_time, started_at) VALUES ('j', 1, 1);
    INSERT INTO usage (user_id, day, provider, model) VALUES (7, '2026-11-01', 'p', 'm');
    INSERT INTO kv VALUES ('s', 'k', '1', 1);
    INSERT INTO audit (id, at, source, action) VALUES (1, 1, 's', 'a');
    INSERT INTO files (id, path, mime, size, sha256, created_at)
    VALUES (1, 'p', 'm', 1, '0000000000000000000000000000000000000000000000000000000000000000', 1);
"""

REFUSED = [
    "UPDATE users SET role = 'king'",
    "UPDATE users SET status = 'maybe'",
    "UPDATE users SET role = 'owner'",
    "UPDATE users SET first_name = NULL",
    pytest.param("UPDATE users SET id = 'x'", marks=pytest.mark.sqlite(reason="a parameter is refused by its type")),
    "INSERT INTO conversations (lane, created_at, updated_at) VALUES ('a', 1, 1)",
    "UPDATE conversations SET settings = '[]'",
    "UPDATE conversations SET settings = 'x'",
    "UPDATE conversations SET active = 2",
    "UPDATE conversations SET model = 'm'",
    "UPDATE conversations SET head_message_id = 9",
    "UPDATE conversations SET head_message_id = 1 WHERE id = 2",
    "UPDATE messages SET conversation_id = 9",
    "UPDATE messages SET parent_id = 1",
    "UPDATE messages SET parent_id = 9",
    "UPDATE messages SET role = 'system'",
    "UPDATE messages SET status = 'odd'",
    "UPDATE messages SET parts = '{}'",
    "UPDATE messages SET provider_data = 'x'",
    "UPDATE messages SET telegram_message_ids = '7'",
    "UPDATE messages SET user_id = 9",
    "UPDATE requests SET status = NULL",
    "UPDATE requests SET finished_at = NULL",
    "UPDATE requests SET status = 'odd', finished_at = 1",
    "UPDATE requests SET status = 'ok', finished_at = 1, error_code = 'x'",
    "UPDATE requests SET attempt = 0",
    "UPDATE requests SET input_tokens = -1",
    "UPDATE requests SET output_tokens = -1",
    "UPDATE requests SET reasoning_tokens = -1",
    "UPDATE requests SET cached_tokens = -1",
    "UPDATE requests SET cost_micros = -1",
    pytest.param("UPDATE requests SET cost_micros = 0.5", marks=pytest.mark.sqlite(reason="PostgreSQL rounds it")),
    "UPDATE requests SET first_token_ms = -1",
    "UPDATE requests SET latency_ms = -1",
    "UPDATE requests SET conversation_id = 9",
    "UPDATE requests SET message_id = 9",
    "UPDATE requests SET user_id = 9",
    (
        "INSERT INTO requests (turn_id, provider, model, created_at, status, finished_at)"
        " VALUES ('t', 'p', 'm', 1, 'ok', 1)"
    ),
    "UPDATE models SET is_default = 1 WHERE model = 'n'",
    "UPDATE models SET retired_at = 1 WHERE model = 'm'",
    "UPDATE models SET reasoning = 2",
    "UPDATE models SET is_default = 2",
    "UPDATE models SET context_window = 0",
    "UPDATE models SET max_output_tokens = 0",
    "UPDATE models SET input_price = -1",
    "UPDATE models SET output_price = -1",
    "UPDATE models SET cached_price = -1",
    "UPDATE models SET mime_types = '{}'",
    "UPDATE models SET model = 'x'",
    "UPDATE files SET size = -1",
    "UPDATE files SET sha256 = 'x'",
    "UPDATE files SET request_id = 9",
    "UPDATE files SET message_id = 9",
    "UPDATE files SET user_id = 9",
    "INSERT INTO inbox (update_id, lane, kind, payload, received_at) VALUES (1, 'a', 'm', '{}', 1)",
    "UPDATE inbox SET state = 'running' WHERE update_id = 2",
    "UPDATE inbox SET state = 'odd' WHERE update_id = 2",
    "UPDATE inbox SET state = 'done' WHERE update_id = 2",
    "UPDATE inbox SET finished_at = 1 WHERE update_id = 2",
    "UPDATE inbox SET state = 'merged', finished_at = 1 WHERE update_id = 2",
    "UPDATE inbox SET leader_id = 1 WHERE update_id = 2",
    "UPDATE inbox SET state = 'merged', finished_at = 1, leader_id = 2 WHERE update_id = 2",
    "UPDATE inbox SET state = 'merged', finished_at = 1, leader_id = 9 WHERE update_id = 2",
    "UPDATE inbox SET payload = '{'",
    "UPDATE inbox SET control = 2",
    "UPDATE inbox SET attempts = -1",
    "UPDATE outbox SET state = 'sending' WHERE id = 2",
    "UPDATE outbox SET state = 'odd' WHERE id = 2",
    "UPDATE outbox SET state = 'sent' WHERE id = 1",
    "UPDATE outbox SET sent_at = 1 WHERE id = 1",
    "UPDATE outbox SET turn_id = 't' WHERE id = 2",
    "UPDATE outbox SET kind = 'odd'",
    "UPDATE outbox SET payload = '[]'",
    "UPDATE outbox SET part = -1",
    "UPDATE outbox SET attempts = -1",
    "UPDATE usage SET day = '1 Nov'",
    "UPDATE usage SET requests = -1",
    "UPDATE usage SET input_tokens = -1",
    "UPDATE usage SET output_tokens = -1",
    "UPDATE usage SET cost_micros = -1",
    "UPDATE usage SET unpriced_requests = 1",
    "INSERT INTO usage (user_id, day, provider, model) VALUES (7, '2026-11-01', 'p', 'm')",
    "UPDATE audit SET details = '[]'",
    "INSERT INTO schedules (job_id, fire_time, started_at) VALUES ('j', 1, 2)",
    "UPDATE schedules SET state = 'ok'",
    "UPDATE schedules SET finished_at = 1",
    "UPDATE schedules SET state = 'odd', finished_at = 1",
    "UPDATE kv SET value = 'x'",
    "INSERT INTO kv VALUES ('s', 'k', '2', 1)",
]


def fill(conn: sqlite3.Connection) -> None:
    for statement in BASE.split(";"):
        conn.execute(statement)


@pytest.mark.parametrize("statement", REFUSED)
def test_a_row_that_breaks_a_rule_is_refused(conn: sqlite3.Connection, statement: str) -> None:
    fill(conn)
    with pytest.raises(sqlite3.IntegrityError):
        conn.execute(statement)


ALLOWED = [
    "UPDATE users SET role = 'owner', status = 'active'",
    "INSERT INTO conversations (id, lane, active, created_at, updated_at) VALUES (3, 'a', 0, 1, 1)",
    "UPDATE conversations SET head_message_id = 1 WHERE id = 1",
    "UPDATE requests SET status = 'failed', finished_at = 1, error_code = 'x'",
    "UPDATE inbox SET state = 'running', control = 1 WHERE update_id = 2",
    "UPDATE inbox SET state = 'merged', finished_at = 1, leader_id = 1 WHERE update_id = 2",
    "UPDATE outbox SET state = 'sent', sent_at = 1 WHERE id = 1",
    "UPDATE outbox SET turn_id = 't', part = 1 WHERE id = 2",
    "UPDATE models SET is_default = 0, retired_at = 1 WHERE model = 'm'",
    "DELETE FROM users",
    "DELETE FROM conversations",
]


@pytest.mark.parametrize("statement", ALLOWED)
def test_a_row_that_keeps_the_rules_is_taken(conn: sqlite3.Connection, statement: str) -> None:
    fill(conn)
    assert conn.execute(statement).rowcount > 0


def test_what_a_deleted_person_said_stays(conn: sqlite3.Connection) -> None:
    fill(conn)
    conn.execute("UPDATE messages SET user_id = 7")
    conn.execute("DELETE FROM users WHERE id = 7")
    assert [row["user_id"] for row in conn.execute("SELECT user_id FROM messages")] == [None]


@pytest.mark.sqlite  # the file
def test_a_newer_database_is_refused_in_words(path: Path) -> None:
    prepare(path, NOW)
    with closing(connect(path)) as conn:
        conn.execute("PRAGMA user_version = 41")
    before = path.read_bytes()
    with pytest.raises(DatabaseTooNew) as caught:
        prepare(path, NOW)
    message = str(caught.value)
    assert "version 41" in message
    latest = latest_version(shipped())
    assert f"up to {latest}" in message
    assert "Install a newer tgllm" in message
    assert caught.value.params == {"path": str(path), "found": 41, "known": latest, "program": None}
    assert path.read_bytes() == before


@pytest.mark.sqlite  # the file
def test_a_database_of_another_program_is_left_alone(path: Path) -> None:
    path.parent.mkdir()
    with closing(sqlite3.connect(path)) as conn:
        conn.execute("CREATE TABLE songs (title TEXT)")
    with pytest.raises(DatabaseError, match="another program"):
        prepare(path, NOW)
    with closing(connect(path)) as conn:
        assert tables(conn) == ["songs"]
