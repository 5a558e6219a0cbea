"""Databases of earlier versions, with rows in every table that the bot fills."""

import sqlite3
from contextlib import closing
from pathlib import Path

from tgllm.db.engine.sqlite import connect, run_script
from tgllm.db.file.identity import APPLICATION_ID, latest_version
from tgllm.db.file.objects import row_counts
from tgllm.db.migrations.load import shipped

OLD = Path(__file__).parents[2] / "db" / "old"
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
