"""``tgllm db``."""

import json
import shlex
import sqlite3
from contextlib import closing

import pytest

from cli_support import Shell
from tgllm.db.engine.lock import lock_data_folder
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

        (made,) = (shell.data_dir / "backups").glob("*Z.tar")
        assert str(made) in result.out

    def test_never_over_another_file(self, shell: Shell) -> None:
        target = shell.folder / "copy.db"
        target.write_text("mine")

        assert shell.runs("db", "backup", str(target)).code == 1
        assert target.read_text() == "mine"

    def test_as_json(self, shell: Shell) -> None:
        made = shell.reads("db", "backup", "--json", "--no-files")
        (listed,) = shell.reads("db", "backups", "--json")

        assert (made["path"], made["size"], made["files"]) == (listed["path"], listed["size"], 0)
        assert listed["problem"] is None

    def test_into_a_folder(self, shell: Shell) -> None:
        (shell.folder / "usb").mkdir()

        assert shell.runs("db", "backup", "usb").code == 0
        assert len(list((shell.folder / "usb").glob("*.tar"))) == 1

    def test_a_copy_of_the_database_says_what_is_not_in_it(self, shell: Shell) -> None:
        with shell.database() as conn:
            conn.execute(
                "INSERT INTO files (path, mime, size, sha256, created_at) VALUES ('files/x', 'text/plain', 1, ?, 1)",
                ("a" * 64,),
            )
        assert "1 file that people have sent is not in it" in shell.runs("db", "backup", "copy.db").out

    def test_the_list_of_an_empty_folder_says_what_to_do(self, shell: Shell) -> None:
        assert "Make one with: tgllm db backup" in shell.runs("db", "backups").err


@pytest.mark.usefixtures("database")
class TestRestore:
    def test_there_and_back(self, shell: Shell) -> None:
        with shell.database() as conn:
            conn.execute("INSERT INTO kv VALUES ('s', 'k', '1', 1)")
        shell.runs("db", "backup", "b.tar")
        with shell.database() as conn:
            conn.execute("DELETE FROM kv")
        result = shell.runs("db", "restore", "b.tar")

        assert result.code == 0, result.err
        assert "The backup b.tar is restored. Start the bot again." in result.out
        with shell.database() as conn:
            assert conn.execute("SELECT count(*) FROM kv").fetchone()[0] == 1
        (aside,) = shell.data_dir.glob("before-restore-*")
        assert f"tgllm db restore {aside}" in result.out
        back = shell.reads("db", "restore", str(aside), "--json")
        assert (back["source"], back["files"], back["files_missing"]) == (str(aside), 0, 0)
        with shell.database() as conn:
            assert conn.execute("SELECT count(*) FROM kv").fetchone()[0] == 0

    def test_a_lost_database_comes_back_by_the_command_that_the_error_names(self, shell: Shell) -> None:
        shell.runs("db", "backup")
        mark_known(shell.data_dir / "tgllm.db")
        (shell.data_dir / "tgllm.db").unlink()
        told = shell.runs("db", "check").err
        command = told[told.index("tgllm --data-dir") :].partition(" . ")[0]

        assert shell.runs(*shlex.split(command)[1:]).code == 0
        assert shell.runs("db", "init").code == 0
        assert shell.runs("db", "check").code == 0

    def test_while_the_bot_runs_it_is_refused(self, shell: Shell) -> None:
        shell.runs("db", "backup", "b.tar")
        with lock_data_folder(shell.data_dir):
            result = shell.runs("db", "restore", "b.tar")

        assert result.code == 1
        assert "Stop it first" in result.err

    def test_a_backup_of_the_bot_of_another_token_is_refused(
        self, shell: Shell, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with shell.database() as conn:
            conn.execute("""INSERT INTO kv VALUES ('bot', 'account', '{"id": 7, "username": "seven"}', 1)""")
        shell.runs("db", "backup", "b.tar")
        monkeypatch.setenv("TGLLM_BOT_TOKEN", "42:" + "A" * 35)
        result = shell.runs("db", "restore", "b.tar")

        assert (result.code, "@seven" in result.err) == (1, True)
        assert shell.runs("db", "restore", "b.tar", "--other-bot").code == 0

    def test_what_is_no_backup_is_refused_in_a_sentence(self, shell: Shell) -> None:
        (shell.folder / "photo.jpg").write_bytes(b"\xff\xd8" * 1000)
        for name in ("photo.jpg", "nowhere.tar"):
            result = shell.runs("db", "restore", name)
            assert result.code == 1
            assert name in result.err
            assert "Traceback" not in result.err
