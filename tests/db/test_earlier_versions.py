"""A database of each earlier version is updated without losing a row, also if the program is killed meanwhile."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from database_support import NOW, names
from kill_support import run_in_child
from tgllm.db.engine.sqlite import connect, run_script
from tgllm.db.file.check import check
from tgllm.db.file.identity import APPLICATION_ID, latest_version, version_of
from tgllm.db.file.known import newest_copy
from tgllm.db.file.objects import differences, row_counts, schema_of
from tgllm.db.file.schema import fresh_schema, prepare
from tgllm.db.migrations.load import FIRST_VERSION, shipped
from tgllm.db.tables import conversations, files, inbox, messages, outbox

pytestmark = pytest.mark.sqlite  # PostgreSQL begins with version 18

OLD = Path(__file__).parent / "old"
LATEST = latest_version(shipped())
ADDED = {
    16: "INSERT INTO fact_proposals (call_id, turn_id, lane, user_id, text, mark, created_at, expires_at)"
    " VALUES ('c', 't', ':1002:', 1002, 'I like tea.', 1, 1, 2);"
    "INSERT INTO search_removals (message_id, text) VALUES (99, 'gone');",
    6: "INSERT INTO file_texts (sha256, reader, text, chars, created_at)"
    f" VALUES ('{'b' * 64}', 'text', 'hello', 5, 1);",
    8: "INSERT INTO errors (id, event, kind, message, place, trace, version, times, first_at, last_at)"
    " VALUES ('E7K2-9QXM', 'turn.failed', 'KeyError', 'x', 'a.py:1', '[]', '0.1', 1, 1, 1);"
    "INSERT INTO error_places (kind, ref, error_id, at) VALUES ('turn', 't', 'E7K2-9QXM', 1);",
    15: "INSERT INTO tool_rounds (turn_id, round, lane, provider, model, created_at)"
    " VALUES ('u7', 1, ':1002:', 'a', 'b', 1);"
    "INSERT INTO tool_calls (turn_id, round, place, call_id, tool, lane, user_id, arguments, created_at)"
    " VALUES ('u7', 1, 0, 'c1', 'clock', ':1002:', 1002, '{}', 1);"
    "INSERT INTO tool_rules (tool, plugin_id, private, updated_at) VALUES ('clock', 'tools', 'user', 1);"
    "INSERT INTO tool_grants (tool, plugin_id, user_id, granted_by, created_at)"
    " VALUES ('clock', 'tools', 1002, 1002, 1);",
    18: "INSERT INTO replicas (name, kind, started_at, alive_until) VALUES ('a', 'bot', 1, 2);"
    "INSERT INTO leases (name, holder, fence, until) VALUES ('leader', 1, 3, 2);"
    "INSERT INTO turn_orders (lane, turn_id, kind, holder, created_at) VALUES (':1002:', 'u7', 'stop', 1, 1);"
    "INSERT INTO budget_reservations (turn_id, key, holder, amount, created_at) VALUES ('u7', 'bot', 1, 5, 1);"
    "INSERT INTO question_times (user_id, at) VALUES (1002, 1);",
    17: "INSERT INTO reminders (user_id, lane, kind, text, due_at, created_at)"
    " VALUES (1002, ':1002:', 'text', 'tea', 1, 1);",
    12: "INSERT INTO plugin_jobs (plugin_id, job_id, mark, data, due_at, run_at, created_at)"
    " VALUES ('remind', 'a', 1, 'null', 1, 1, 1);",
    11: "INSERT INTO plugin_messages (id, plugin_id, key, lane, user_id, priority, parts, next_part, created_at)"
    " VALUES (7, 'remind', 'tea', ':1002:', 1002, 2, '[[0, 1, 21, null, null]]', 1, 7);"
    'INSERT INTO plugin_keyboards (id, message_id, buttons) VALUES (8, 7, \'[["snooze", "recipient", null]]\');'
    "INSERT INTO unreachable_chats (chat_id, since) VALUES (1003, 7);",
    9: "INSERT INTO known_ids (sequence, message_id) VALUES (0, 5);",
    7: f"INSERT INTO documents (sha256, passages, chars, indexed) VALUES ('{'b' * 64}', 0, 5, 1);",
}
"""Rows of the tables that a version has added."""


def make(path: Path, version: int) -> Path:
    """Make a database of a version, with rows in every table that the bot itself fills."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(path, isolation_level=None)) as conn:
        conn.execute("PRAGMA journal_mode = WAL")
        conn.execute("BEGIN")
        run_script(conn, (OLD / "v1.sql").read_text(encoding="utf-8"))
        run_script(conn, (OLD / "rows.sql").read_text(encoding="utf-8"))
        for step in shipped():
            if step.version <= version:
                run_script(conn, step.sql + ADDED.get(step.version, ""))
        conn.execute(f"PRAGMA user_version = {version}")
        conn.execute("COMMIT")
        assert conn.execute("PRAGMA application_id").fetchone() == (APPLICATION_ID,)
        empty = [table for table, count in row_counts(conn).items() if not count]
        # Tables for which there are no rows above.
        assert set(empty) <= {"passages"}
    return path


def content(path: Path) -> dict[str, list[dict[str, object]]]:
    """Return the rows of all tables, without the one that says which program used the file last."""
    with closing(connect(path)) as conn:
        conn.row_factory = sqlite3.Row
        tables = {
            name: [dict(row) for row in conn.execute(f'SELECT * FROM "{name}"')] for name in sorted(row_counts(conn))
        }
    tables["kv"] = [row for row in tables["kv"] if row["scope"] != "database"]
    return tables


@pytest.mark.parametrize("version", range(FIRST_VERSION, LATEST + 1))
def test_a_database_of_an_earlier_version_is_updated(path: Path, version: int) -> None:
    before = content(make(path, version))
    prepare(path, NOW)
    after = content(path)

    assert check(path).problems == ()
    with closing(connect(path)) as conn:
        assert version_of(conn) == LATEST
        assert list(differences(schema_of(conn), fresh_schema())) == []
    for table, rows in before.items():
        changed = {"outbox": {"priority", "behind"}, "budgets": {"by_owner"}}.get(table, set[str]())
        kept = [{name: row[name] for name in rows[0] if name not in changed} for row in after[table]] if rows else []
        assert kept == [{name: value for name, value in row.items() if name not in changed} for row in rows], table
    backups = sorted(path.parent.glob("tgllm.db.backup-v*"))
    assert len(backups) == int(version < LATEST)
    for backup in backups:
        assert content(backup) == before


def test_the_updated_rows_are_readable_by_the_program(path: Path) -> None:
    prepare(make(path, FIRST_VERSION), NOW)
    with closing(connect(path)) as conn:
        running = inbox.get(conn, 16)
        chosen = conversations.get(conn, 1)
        (photo,) = files.list_by_id(conn, [1])
        assert running is not None
        assert (running.state, running.attempts, running.crashes) == ("running", 3, 0)
        assert chosen is not None
        assert (chosen.title, chosen.head_message_id) == ("Trip", 3)
        assert (photo.kind, photo.original_name) == ("document", "../photo.jpg")
        question = messages.get(conn, 3)
        assert question is not None
        assert question.text == "And this?"
        row = outbox.get(conn, 3)
        assert row is not None
        assert row.priority == 2


KILLS = 8
"""Moments at which the update is killed, spread over its statements and file operations."""


def update_in_child(path: Path, die_at: int) -> int:
    """Update the database in a child that is killed at its n-th step; return its number of steps, or -1."""
    return run_in_child(lambda: prepare(path, NOW), die_at, {"open", "os.rename", "os.remove"})


@pytest.mark.once
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_kill_at_any_moment_leaves_the_old_database_or_the_new_one(tmp_path: Path) -> None:
    original = make(tmp_path / "original" / "tgllm.db", FIRST_VERSION)
    before = content(original)
    whole = tmp_path / "whole" / "tgllm.db"
    shutil.copytree(original.parent, whole.parent)
    steps = update_in_child(whole, -1)
    assert steps > 100
    versions: list[int] = []
    for number in range(KILLS):
        path = tmp_path / str(number) / "tgllm.db"
        shutil.copytree(original.parent, path.parent)
        assert update_in_child(path, 1 + steps * (number + 1) // (KILLS + 1)) == -1
        with closing(connect(path)) as conn:
            versions.append(version_of(conn))
        assert content(path) == (before if versions[-1] == FIRST_VERSION else content(whole))
        kept = newest_copy(path)
        assert kept is None or ".unfinished" not in kept.name
        prepare(path, NOW + 60_000)
        assert check(path).problems == ()
        assert content(path) == content(whole)
        left = [name for name in names(path.parent) if "rehearsal" in name or "unfinished" in name]
        assert left == []
    assert set(versions) <= {FIRST_VERSION, LATEST}
    assert FIRST_VERSION in versions
