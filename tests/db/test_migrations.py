"""Migrations run once, in order, after a backup; a failed one changes nothing."""

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest

from database_support import NOW, names
from tgllm import __version__
from tgllm.db.engine.errors import DatabaseError, DatabaseTooNew, MigrationFailed
from tgllm.db.engine.sqlite import connect
from tgllm.db.file import migrating
from tgllm.db.file.identity import latest_version, version_of
from tgllm.db.file.migrating import Update, migrate, needed_bytes
from tgllm.db.file.schema import create_tables, fresh_schema, prepare
from tgllm.db.migrations.load import FIRST_VERSION, Migration, load, shipped
from tgllm.db.tables import file_texts, files, inbox
from tgllm.db.tables.file_texts import FileText

pytestmark = pytest.mark.sqlite  # those of the file

BACKUP = "tgllm.db.backup-v1-20260921T141320Z"

ADD = Migration(2, "add", "ALTER TABLE kv ADD COLUMN note TEXT; -- a; b\nUPDATE kv SET note = 'old; still';")
FILL = Migration(3, "fill", "UPDATE kv SET note = note || '!';")
FILE_TABLES = ("files", "file_texts")
EARLIER_FILES = """
    CREATE TABLE files (
        id            INTEGER PRIMARY KEY,
        request_id    INTEGER REFERENCES requests (id) ON DELETE SET NULL,
        message_id    INTEGER REFERENCES messages (id) ON DELETE SET NULL,
        user_id       INTEGER REFERENCES users (id) ON DELETE SET NULL,
        path          TEXT NOT NULL,
        mime          TEXT NOT NULL,
        size          INTEGER NOT NULL CHECK (size >= 0),
        sha256        TEXT NOT NULL CHECK (length(sha256) = 64 AND sha256 NOT GLOB '*[^0-9a-f]*'),
        original_name TEXT,
        created_at    INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX files_sha256 ON files (sha256);
    CREATE INDEX files_request ON files (request_id);
    CREATE INDEX files_message ON files (message_id);
    CREATE INDEX files_user ON files (user_id);
"""
CALL = "INSERT INTO requests (turn_id, provider, model, user_id, created_at, status, finished_at)"
ORPHAN = f"{CALL} VALUES ('t', 'p', 'm', 99, 1, 'ok', 1)"
BROKEN = Migration(3, "broken", "UPDATE kv SET note = 'lost'; UPDATE nowhere SET x = 1;")


@pytest.fixture
def old(path: Path) -> Path:
    """A database of version 1 with a row."""
    prepare(path, NOW, [])
    with closing(connect(path)) as conn:
        conn.execute("INSERT INTO kv VALUES ('s', 'k', '1', 1)")
    return path


def state(path: Path) -> tuple[int, list[object]]:
    with closing(connect(path)) as conn:
        columns = [row["name"] for row in conn.execute("PRAGMA table_info(kv)")]
        notes = [row["note"] for row in conn.execute("SELECT * FROM kv WHERE scope = 's'")] if "note" in columns else []
        return version_of(conn), notes


def dump(path: Path) -> list[str]:
    with closing(connect(path)) as conn:
        return list(conn.iterdump())


def test_steps_run_once_and_in_order(old: Path) -> None:
    prepare(old, NOW, [ADD, FILL])
    assert state(old) == (3, ["old; still!"])
    prepare(old, NOW, [ADD, FILL])
    assert state(old) == (3, ["old; still!"])


def test_only_what_is_missing_runs(old: Path) -> None:
    prepare(old, NOW, [ADD])
    prepare(old, NOW, [ADD, FILL])
    assert state(old) == (3, ["old; still!"])


def test_a_fresh_database_needs_no_step(path: Path) -> None:
    prepare(path, NOW, [BROKEN])
    assert state(path) == (3, [])
    assert names(path.parent) == ["tgllm.db"]


def test_a_backup_of_the_old_version_is_made_first(old: Path) -> None:
    prepare(old, NOW, [ADD, FILL])
    assert names(old.parent) == ["tgllm.db", BACKUP]
    backup = old.with_name(BACKUP)
    assert backup.stat().st_mode & 0o777 == 0o600
    assert state(backup) == (1, [])
    with closing(connect(backup)) as conn:
        assert [tuple(row) for row in conn.execute("SELECT * FROM kv")] == [("s", "k", "1", 1)]


def test_a_second_backup_of_the_same_second_has_another_name(old: Path) -> None:
    old.with_name(BACKUP).write_text("kept")
    prepare(old, NOW, [ADD])
    assert old.with_name(BACKUP).read_text() == "kept"
    assert state(old.with_name(f"{BACKUP}-2")) == (1, [])


@pytest.mark.parametrize("killed_in", ["_rehearse", "_run"])
def test_an_update_that_is_killed_at_each_start_leaves_one_backup(
    old: Path, monkeypatch: pytest.MonkeyPatch, killed_in: str
) -> None:
    class Killed(BaseException):
        """End of the process: no clean-up of the update runs."""

    def kill(*_: object) -> None:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(migrating, killed_in, kill)
        for minute in range(4):
            with pytest.raises(Killed):
                prepare(old, NOW + minute * 60_000, [ADD])
    assert names(old.parent) == ["tgllm.db", BACKUP]
    prepare(old, NOW + 3_600_000, [ADD])
    assert names(old.parent) == ["tgllm.db", BACKUP]
    assert state(old.with_name(BACKUP)) == (1, [])


def test_after_the_earlier_program_has_run_again_the_backup_is_a_new_one(old: Path) -> None:
    with pytest.raises(MigrationFailed):
        prepare(old, NOW, [ADD, BROKEN])
    with closing(connect(old)) as conn:
        conn.execute("INSERT INTO kv VALUES ('s', 'later', '2', 2)")
    for minute in (1, 2):
        with pytest.raises(MigrationFailed) as caught:
            prepare(old, NOW + minute * 60_000, [ADD, BROKEN])
    newer = "tgllm.db.backup-v1-20260921T141420Z"
    assert names(old.parent) == ["tgllm.db", BACKUP, newer]
    # The copy that is named holds what is in the database now.
    assert str(old.with_name(newer)) in str(caught.value)
    assert dump(old.with_name(newer)) == dump(old)


def test_nothing_to_do_makes_no_backup(old: Path) -> None:
    prepare(old, NOW, [])
    assert names(old.parent) == ["tgllm.db"]


@pytest.mark.parametrize(
    ("sql", "reason"),
    [
        ("DELETE FROM kv; ALTER TABLE kv ADD COLUMN note TEXT; UPDATE nowhere SET x = 1;", "no such table"),
        ("COMMIT; DELETE FROM kv;", "ended the transaction"),
        (f"{ORPHAN};", "missing row of users"),
        ("DELETE FROM kv;", "number of rows of kv would change from 1 to 0"),
    ],
)
def test_a_failed_step_leaves_the_database_as_it_was(old: Path, sql: str, reason: str) -> None:
    before = dump(old)
    for _ in range(2):
        with pytest.raises(MigrationFailed, match=reason) as caught:
            prepare(old, NOW, [Migration(2, "broken", sql)])
    assert "version 2 (broken)" in str(caught.value)
    assert "as it was before, at version 1" in str(caught.value)
    assert str(old.with_name(BACKUP)) in str(caught.value)
    assert "Go back to the tgllm that you had" in str(caught.value)
    assert dump(old) == before
    # Also after a restart there is one backup, and nothing else is left.
    assert names(old.parent) == ["tgllm.db", BACKUP]


def test_a_step_that_fails_after_a_good_one_undoes_that_too(old: Path) -> None:
    with pytest.raises(MigrationFailed):
        prepare(old, NOW, [ADD, BROKEN])
    assert state(old) == (1, [])
    assert names(old.parent) == ["tgllm.db", BACKUP]


def test_the_version_to_go_back_to_is_named(old: Path) -> None:
    with closing(connect(old)) as conn:
        conn.execute("INSERT INTO kv VALUES ('database', 'tgllm', '\"0.0.9\"', 1)")
    with pytest.raises(MigrationFailed, match=r"pip install 'tgllm==0\.0\.9'"):
        prepare(old, NOW, [ADD, BROKEN])


def test_a_step_may_delete_rows_if_it_says_so(old: Path) -> None:
    prepare(old, NOW, [Migration(2, "tidy", "-- rows change: facts, kv\nDELETE FROM kv;")])
    with closing(connect(old)) as conn:
        assert conn.execute("SELECT key FROM kv").fetchall()[0]["key"] == "tgllm"


def test_a_result_with_another_schema_is_refused(old: Path) -> None:
    with closing(connect(old)) as conn:
        wanted = {**fresh_schema(), ("index", "kv_fast"): "CREATE INDEX kv_fast ON kv (key)"}
        with pytest.raises(MigrationFailed, match="missing index kv_fast"):
            migrate(conn, old, Update([ADD], NOW, wanted), create_tables)
    assert state(old) == (1, [])


def test_without_space_for_the_copies_nothing_is_begun(old: Path) -> None:
    before = old.read_bytes()
    with closing(connect(old)) as conn, pytest.raises(DatabaseError, match="Free some space") as caught:
        migrate(conn, old, Update([ADD], NOW, None, free=lambda _: needed_bytes(old) - 1), create_tables)
    assert caught.value.code == "database_full"
    assert old.read_bytes() == before
    assert names(old.parent) == ["tgllm.db"]


def test_a_disk_that_fills_up_in_the_rehearsal_changes_nothing(old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = dump(old)

    def full(*_: object) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr("tgllm.db.file.migrating.damage", full)
    with pytest.raises(MigrationFailed, match="disk is full"):
        prepare(old, NOW, [ADD])
    assert dump(old) == before


def test_a_step_may_rebuild_a_table_that_others_point_to(old: Path) -> None:
    with closing(connect(old)) as conn:
        conn.execute("INSERT INTO users (id, created_at, updated_at) VALUES (7, 1, 1)")
        conn.execute(f"{CALL} VALUES ('t', 'p', 'm', 7, 1, 'ok', 1)")
        sql = conn.execute("SELECT sql FROM sqlite_schema WHERE name = 'users'").fetchone()[0]
    rebuilt = sql.replace("CREATE TABLE users", "CREATE TABLE fresh", 1)
    columns = "id, first_name, role, status, created_at, updated_at"
    script = (
        f"{rebuilt}; INSERT INTO fresh ({columns}) SELECT {columns} FROM users;"
        " DROP TABLE users; ALTER TABLE fresh RENAME TO users;"
    )
    prepare(old, NOW, [Migration(2, "rebuild", script)])
    with closing(connect(old)) as conn:
        assert conn.execute("SELECT user_id FROM requests").fetchone()[0] == 7
        with pytest.raises(sqlite3.IntegrityError):
            conn.execute("UPDATE requests SET user_id = 8")


def test_a_step_that_another_process_has_just_made_is_left_out(old: Path) -> None:
    with closing(connect(old)) as conn:
        for _ in range(2):
            migrate(conn, old, Update([ADD], NOW, None), create_tables)
    assert state(old) == (2, ["old; still"])


def test_a_database_from_a_newer_program_is_refused(old: Path) -> None:
    prepare(old, NOW, [ADD, FILL])
    with pytest.raises(DatabaseTooNew, match=f"has version 3, and .* up to 2. It was last used by tgllm {__version__}"):
        prepare(old, NOW, [ADD])


def write(folder: Path, *file_names: str) -> Sequence[Migration]:
    for name in file_names:
        (folder / name).write_text(f"-- {name}")
    return load(folder)


def test_steps_are_read_from_numbered_files(tmp_path: Path) -> None:
    steps = write(tmp_path, "0003_second.sql", "0002_first.sql", "notes.txt")
    assert [(step.version, step.name, step.sql) for step in steps] == [
        (2, "first", "-- 0002_first.sql"),
        (3, "second", "-- 0003_second.sql"),
    ]
    assert latest_version(steps) == 3


@pytest.mark.parametrize("file_names", [["0003_gap.sql"], ["0002_one.sql", "0002_two.sql"], ["0001_base.sql"]])
def test_a_gap_or_a_doubled_number_is_an_error(tmp_path: Path, file_names: list[str]) -> None:
    with pytest.raises(ValueError, match="without a gap"):
        write(tmp_path, *file_names)


def test_the_shipped_steps_are_sound() -> None:
    assert latest_version(shipped()) == FIRST_VERSION + len(shipped())


AUTHORS = (
    ("user:7", "tokens", "day", 3, "7", "tokens/day"),
    ("user:8", "cost", "month", 3, "8", "usd/month"),
    ("role:user", "tokens", "day", 3, "role:user", "tokens/day"),
    ("user:7", "requests", "day", 2, "7", "requests/day"),
    ("bot", "tokens", "day", None, "bot", "tokens/day"),
)
"""Scope, measure and period of a limit; its author (3 is an admin, 2 an owner, None the shell), and the audit row."""


def test_the_authors_of_earlier_budgets_are_found_in_the_audit_trail(path: Path) -> None:
    prepare(path, NOW)
    with closing(connect(path)) as conn:
        conn.execute("ALTER TABLE budgets DROP COLUMN by_owner")
        conn.execute("PRAGMA user_version = 1")
        for user_id, role in ((2, "owner"), (3, "admin")):
            columns = "id, role, status, created_at, updated_at"
            conn.execute(f"INSERT INTO users ({columns}) VALUES (?, ?, 'active', 1, 1)", (user_id, role))
        for scope, measure, period, actor, target, limit in AUTHORS:
            conn.execute("INSERT INTO budgets VALUES (?, ?, ?, 5, 1)", (scope, measure, period))
            for author in (2, actor):
                row = (author, "budget.set", target, f'{{"limit": "{limit}"}}')
                columns = "at, actor_id, source, action, target, details"
                conn.execute(f"INSERT INTO audit ({columns}) VALUES (1, ?, 'x', ?, ?, ?)", row)
        conn.execute("INSERT INTO budgets VALUES ('user:9', 'tokens', 'day', 5, 1)")
    (step,) = [step for step in shipped() if step.name == "budget_authors"]
    prepare(path, NOW, [Migration(2, step.name, step.sql)])
    with closing(connect(path)) as conn:
        rows = conn.execute("SELECT scope, measure, period, by_owner FROM budgets")
        found = {(row[0], row[1], row[2]): row[3] for row in rows}
    assert found == {(*row[:3],): int(row[3] != 3) for row in AUTHORS} | {("user:9", "tokens", "day"): 1}


def columns_of_inbox(conn: sqlite3.Connection) -> list[tuple[object, ...]]:
    """The columns without their places, which depend on the order of the migrations."""
    return sorted(tuple(row[1:]) for row in conn.execute("PRAGMA table_info(inbox)"))


def test_an_inbox_of_version_1_gets_the_columns_about_crashes(path: Path) -> None:
    prepare(path, NOW, [])
    with closing(connect(path)) as conn:
        wanted = columns_of_inbox(conn)
        conn.execute("DROP INDEX inbox_suspect")
        for column in ("strikes", "crashes", "asked"):
            conn.execute(f"ALTER TABLE inbox DROP COLUMN {column}")
        conn.execute(
            "INSERT INTO inbox (update_id, lane, kind, payload, received_at, state, attempts)"
            " VALUES (7, ':1:', 'message', '{}', 1, 'running', 3)"
        )
    prepare(path, NOW, [step for step in shipped() if step.name == "crashes"])
    with closing(connect(path)) as conn:
        assert columns_of_inbox(conn) == wanted
        row = inbox.get(conn, 7)
    assert row is not None
    assert (row.state, row.attempts, row.asked, row.crashes, row.strikes) == ("running", 3, False, 0, 0)


def test_attachments_of_earlier_versions_get_the_columns_about_their_turns(path: Path) -> None:
    def described(conn: sqlite3.Connection) -> list[object]:
        columns = [tuple(row) for table in FILE_TABLES for row in conn.execute(f"PRAGMA table_info({table})")]
        others = conn.execute("SELECT type, name, tbl_name FROM sqlite_schema WHERE name LIKE 'file%' ORDER BY name")
        return [*columns, *(tuple(row) for row in others)]

    prepare(path, NOW, [])
    with closing(connect(path)) as conn:
        wanted = described(conn)
        conn.executescript(f"DROP TABLE file_texts; DROP TABLE files; {EARLIER_FILES}")
        conn.execute(
            "INSERT INTO files (path, mime, size, sha256, created_at) VALUES ('files/x', 'text/plain', 1, ?, 1)",
            ("a" * 64,),
        )
    (step,) = [step for step in shipped() if step.name == "files"]
    prepare(path, NOW, [Migration(2, step.name, step.sql)])
    with closing(connect(path)) as conn:
        assert described(conn) == wanted
        (file,) = files.list_by_id(conn, [1])
        assert (file.kind, file.position, file.turn_id, file.key, file.seconds) == ("document", 0, None, None, None)
        file_texts.put(conn, FileText("a" * 64, "text", "read"))
        files.delete(conn, 1)
        assert file_texts.get(conn, "a" * 64, "text") is None
