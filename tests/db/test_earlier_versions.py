"""A database of each earlier version is updated without losing a row, also if the program is killed meanwhile."""

import shutil
from contextlib import closing
from pathlib import Path

import pytest

from database_support import NOW, names
from kill_support import run_in_child
from old_databases import LATEST, content, make
from tgllm.db.engine.sqlite import connect
from tgllm.db.file.check import check
from tgllm.db.file.identity import version_of
from tgllm.db.file.known import newest_copy
from tgllm.db.file.objects import differences, schema_of
from tgllm.db.file.schema import fresh_schema, prepare
from tgllm.db.migrations.load import FIRST_VERSION
from tgllm.db.tables import conversations, files, inbox, messages, outbox

pytestmark = pytest.mark.sqlite  # PostgreSQL begins with version 18


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
