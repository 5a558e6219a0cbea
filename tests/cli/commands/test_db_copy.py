"""``tgllm db copy``, as docs/howto/move-to-postgresql.md shows it."""

import re
import tomllib
from contextlib import closing
from pathlib import Path

import pytest

from cli_support import Shell
from doc_pages.marks import ROOT
from tgllm.cli.commands.db_copy import place_of
from tgllm.config.model import Config
from tgllm.db.engine.place import Server
from tgllm.db.engine.sqlite import connect


def fill(shell: Shell) -> None:
    with shell.new_database() as conn:
        conn.execute("INSERT INTO users (id, created_at, updated_at) VALUES (7, 1, 1)")


@pytest.mark.sqlite  # from folder to folder
def test_a_data_folder_is_copied_to_another(shell: Shell) -> None:
    fill(shell)
    result = shell.runs("db", "copy", str(shell.data_dir), str(shell.folder / "new"))

    assert result.code == 0
    (row,) = [line.split("\t") for line in result.out.splitlines() if line.startswith("users\t")]
    assert (row[1], len(row[2])) == ("1", 16)
    assert str(shell.folder / "new" / "tgllm.db") in result.out
    with closing(connect(shell.folder / "new" / "tgllm.db")) as conn:
        assert [row["id"] for row in conn.execute("SELECT id FROM users")] == [7]


@pytest.mark.sqlite  # from folder to folder
def test_a_second_copy_to_the_same_place_is_refused(shell: Shell) -> None:
    fill(shell)
    order = ("db", "copy", str(shell.data_dir), str(shell.folder / "new"))
    assert shell.runs(*order).code == 0
    result = shell.runs(*order)
    assert result.code == 1
    assert "content already" in result.err


@pytest.mark.postgres
def test_a_server_is_named_without_its_password(shell: Shell, empty_postgres_url: str) -> None:
    fill(shell)
    url = empty_postgres_url.replace("@", ":hush-hush@", 1)
    found = shell.reads("db", "copy", str(shell.data_dir), url, "--json")

    assert found["target"] == empty_postgres_url
    assert found["tables"]["users"]["rows"] == 1
    result = shell.runs("db", "copy", str(shell.data_dir), url)
    assert result.code == 1
    assert "hush-hush" not in result.out + result.err


def test_arguments_name_files_folders_and_servers(tmp_path: Path) -> None:
    (tmp_path / "old.db").mkdir()
    (tmp_path / "plain").touch()
    found = [place_of(str(tmp_path / name)) for name in ("data", "new.sqlite", "old.db", "plain")]
    assert found == [tmp_path / name for name in ("data/tgllm.db", "new.sqlite", "old.db/tgllm.db", "plain")]
    assert place_of("postgresql://bot@db.example.org/bot") == Server("postgresql://bot@db.example.org/bot")


def test_the_settings_of_the_page_are_valid() -> None:
    page = (ROOT / "docs" / "howto" / "move-to-postgresql.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)
    config = Config.model_validate(tomllib.loads(block))
    assert config.database.url is not None
    assert config.database.url.get_secret_value() in page
