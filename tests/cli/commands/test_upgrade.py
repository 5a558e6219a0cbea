"""``tgllm upgrade``."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import tgllm
from cli_support import Shell

PLUGIN = """
from tgllm import hookimpl
from tgllm.api import PluginInfo

@hookimpl
def tgllm_plugin_info():
    return PluginInfo(id="sheep", title="Sheep", api="{api}")
"""


def checks(shell: Shell, *args: str, code: int = 0) -> dict[str, tuple[str, str]]:
    result = shell.runs("upgrade", "--check", "--json", *args)
    assert result.code == code, result.err
    said = json.loads(result.out)
    assert said["ok"] == (code == 0)
    return {each["name"]: (each["state"], each["detail"]) for each in said["checks"]}


@pytest.fixture
def sheep(home: Path, install: Callable[..., None]) -> Callable[..., None]:
    """Install a plugin whose package requires something."""

    def make(*requires: str, api: str = "1.0") -> None:
        install("tgllm-sheep", PLUGIN.format(api=api), tgllm={"sheep": "tgllm_sheep"})
        (info,) = (home / "site-packages").glob("tgllm_sheep-*.dist-info")
        with (info / "METADATA").open("a", encoding="utf-8") as file:
            file.writelines(f"Requires-Dist: {line}\n" for line in requires)

    return make


def test_all_is_well(shell: Shell, sheep: Callable[..., None]) -> None:
    sheep("tgllm >=1.0, <2 ; python_version > '3'", "tgllm >9 ; extra == 'more'", "sheepdog", "not a requirement !!")
    with shell.new_database():
        pass
    shell.runs("db", "backup")
    found = checks(shell)

    assert {state for state, _ in found.values()} == {"ok"}
    assert found["Plugin sheep"][1] == "tgllm-sheep 1.2.3 is for tgllm <2,>=1.0, API 1.0"
    assert "up to date" in found["Database"][1]
    assert "Plugin echo" not in found
    hint = shell.runs("upgrade").out
    assert "pip install --upgrade tgllm " in hint
    assert "tgllm-sheep" in hint


@pytest.mark.parametrize(("to", "state"), [("1.9", "ok"), ("2.0", "failed"), ("2.0rc1", "failed"), ("0.0.9", "failed")])
def test_a_version_that_is_not_installed_yet_is_checked(
    shell: Shell, sheep: Callable[..., None], to: str, state: str
) -> None:
    sheep("tgllm>=1.0,<2.0.dev0")
    found = checks(shell, "--to", to, code=int(state == "failed"))

    assert found["Plugin sheep"][0] == state
    assert to in found["tgllm"][1]
    if state == "failed":
        assert f"not {to}. Upgrade it too: pip install --upgrade tgllm-sheep" in found["Plugin sheep"][1]


def test_a_package_that_does_not_fit_the_installed_version(shell: Shell, sheep: Callable[..., None]) -> None:
    sheep("tgllm>=900")
    assert "is for tgllm >=900" in checks(shell, code=1)["Plugin sheep"][1]


def test_a_plugin_for_another_api(shell: Shell, sheep: Callable[..., None]) -> None:
    sheep("tgllm", api="9.0")
    state, detail = checks(shell, code=1)["Plugin sheep"]
    assert state == "failed"
    assert "needs API 9.0" in detail


def test_an_older_database_is_only_looked_at(shell: Shell) -> None:
    with shell.new_database() as conn:
        conn.execute("PRAGMA user_version = 1")
    path = shell.data_dir / "tgllm.db"
    before = path.read_bytes()
    found = checks(shell)

    assert found["Database"][0] == "warning"
    assert "will be updated from version 1 to" in found["Database"][1]
    assert found["Disk space"][0] == "ok"
    assert found["Backup"] == ("warning", "there is none: make one with tgllm db backup")
    assert path.read_bytes() == before


def test_a_newer_database_names_the_version_that_used_it(shell: Shell) -> None:
    with shell.new_database() as conn:
        conn.execute("""INSERT INTO kv VALUES ('database', 'tgllm', '"7.8.9"', 1)""")
        conn.execute("PRAGMA user_version = 999")
    assert "last used by tgllm 7.8.9" in checks(shell, code=1)["Database"][1]


def test_a_damaged_database_is_told_before_the_upgrade(shell: Shell) -> None:
    with shell.new_database() as conn:
        conn.execute("PRAGMA foreign_keys = OFF")
        conn.execute("INSERT INTO facts (lane, user_id, text, created_at) VALUES (':1:', 7, 'x', 1)")
    state, detail = checks(shell, code=1)["Database"]
    assert (state, "restore a backup" in detail) == ("failed", True)


def test_settings_that_no_longer_exist_are_named(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TGLLM_CONFIG", str(shell.writes_config("no_such_key = 1\n[turns]\nold_name = 2\n")))
    result = shell.runs("upgrade", "--check")

    assert result.code == 1
    assert "no_such_key" in result.out
    assert "turns.old_name" in result.out


def test_a_wrong_version_is_refused(shell: Shell) -> None:
    result = shell.runs("upgrade", "--to", "next")
    assert result.code == 2
    assert "next is no version" in result.err


def test_without_a_database_nothing_is_made(shell: Shell) -> None:
    found: dict[str, Any] = checks(shell)
    assert found["tgllm"] == ("ok", f"{tgllm.__version__} is installed")
    assert not (shell.data_dir / "tgllm.db").exists()
