"""``tgllm db``."""

import json
import sqlite3
from contextlib import closing

import pytest

from cli_support import Shell
from tgllm.db.file.known import mark_known


@pytest.fixture
def database(shell: Shell) -> None:
    assert shell.runs("db", "init").code == 0


def test_init_makes_the_database_and_is_harmless_the_second_time(shell: Shell) -> None:
    for _ in range(2):
        result = shell.runs("db", "init")
        assert (result.code, result.out) == (0, f"The database is ready: {shell.data_dir / 'tgllm.db'}\n")
    assert (shell.data_dir / "tgllm.db").is_file()


@pytest.mark.parametrize("is_empty", [False, True])
def test_a_database_that_the_bot_has_lost_is_made_anew_only_on_purpose(shell: Shell, is_empty: bool) -> None:
    path = shell.data_dir / "tgllm.db"
    with shell.new_database():
        mark_known(path)
    path.unlink()
    if is_empty:
        path.touch()
    for command in (["db", "init"], ["db", "check"], ["users", "list"], ["ping"], ["doctor", "--offline"]):
        result = shell.runs(*command)
        assert result.code == 1
        assert ("is empty" if is_empty else "is missing") in result.err
        assert "tgllm db init --new" in result.err
    assert shell.runs("db", "init", "--new").code == 0
    assert shell.runs("db", "check").code == 0


def test_init_new_keeps_a_database_that_is_there(shell: Shell) -> None:
    with shell.new_database() as conn:
        conn.execute("INSERT INTO kv VALUES ('s', 'k', '1', 1)")
    assert shell.runs("db", "init", "--new").code == 0
    with shell.database() as conn:
        assert conn.execute("SELECT count(*) FROM kv").fetchone()[0] == 1


@pytest.mark.parametrize("command", ["check", "backup"])
def test_without_a_database_the_way_to_one_is_told(shell: Shell, command: str) -> None:
    result = shell.runs("db", command)

    assert result.code == 1
    assert "make it with: tgllm db init" in result.err
    assert not shell.data_dir.exists()


@pytest.mark.parametrize(
    "command",
    [
        ["db", "check"],
        ["db", "init"],
        ["ping"],
        ["users", "list"],
        ["users", "block", "1"],
        ["usage"],
        ["models", "list"],
    ],
)
def test_a_file_in_place_of_the_data_folder_is_told(shell: Shell, command: list[str]) -> None:
    shell.data_dir.write_text("mine")
    result = shell.runs(*command)

    assert result.code == 1
    assert result.err == (
        f"tgllm: {shell.data_dir / 'tgllm.db'} can't be made: what should be its folder is a file. "
        "Choose another folder or move that file away.\n"
    )


@pytest.mark.usefixtures("database")
class TestCheck:
    def test_of_a_sound_one(self, shell: Shell) -> None:
        result = shell.runs("db", "check")

        assert result.code == 0
        assert "users\t0" in result.out.splitlines()
        assert result.out.endswith("The database is in order.\n")

    def test_as_json(self, shell: Shell) -> None:
        report = json.loads(shell.runs("db", "check", "--json").out)

        assert (report["ok"], report["problems"], report["rows"]["inbox"]) == (True, [], 0)

    @pytest.mark.parametrize("form", [[], ["--json"]])
    def test_of_a_damaged_one_ends_with_1(self, shell: Shell, form: list[str]) -> None:
        with closing(sqlite3.connect(shell.data_dir / "tgllm.db")) as conn:
            conn.execute("PRAGMA user_version = 999")
        result = shell.runs("db", "check", *form)

        assert result.code == 1
        assert "version 999" in result.err
        assert "in order" not in result.out

    def test_of_something_else_is_one_sentence(self, shell: Shell) -> None:
        (shell.data_dir / "tgllm.db").write_bytes(b"no database" * 1000)
        result = shell.runs("db", "check")

        assert result.code == 1
        assert "tgllm.db" in result.err
        assert "Traceback" not in result.err


@pytest.mark.usefixtures("database")
class TestBackup:
    def test_into_a_named_file(self, shell: Shell) -> None:
        target = shell.folder / "copy.db"
        result = shell.runs("db", "backup", str(target))

        assert (result.code, result.out) == (0, f"The backup is written and checked: {target}\n")
        assert target.is_file()

    def test_into_the_data_folder_by_default(self, shell: Shell) -> None:
        result = shell.runs("db", "backup")

        (made,) = shell.data_dir.glob("tgllm.db.backup-*Z")
        assert str(made) in result.out

    def test_never_over_another_file(self, shell: Shell) -> None:
        target = shell.folder / "copy.db"
        target.write_text("mine")

        assert shell.runs("db", "backup", str(target)).code == 1
        assert target.read_text() == "mine"
