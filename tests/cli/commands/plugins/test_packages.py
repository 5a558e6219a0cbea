"""``tgllm plugins install``, ``upgrade`` and ``uninstall``: names, JSON, and what stays of a plugin."""

import json
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from cli_support import Shell
from tgllm.db.tables import kv
from tgllm.plugins.installing.process import Ended

Install = Callable[..., None]

SOURCE = """
from tgllm import hookimpl
from tgllm.api import PluginInfo

@hookimpl
def tgllm_plugin_info():
    return PluginInfo(id="weather", title="Weather", api="1.0")
"""
KNOWN: Mapping[str, Any] = {"package": "tgllm-weather", "version": "1.2.3", "api": "1.0", "hooks": [], "active": True}


@pytest.fixture
def weather(install: Install) -> None:
    install("tgllm-weather", SOURCE, tgllm={"weather": "tgllm_weather"})


@pytest.mark.usefixtures("weather")
@pytest.mark.parametrize("name", [" tgllm-weather", "tgllm-weather ", "Tgllm.Weather", "weather", " weather"])
def test_a_name_stands_for_exactly_one_package(shell: Shell, name: str) -> None:
    planned = shell.reads("plugins", "uninstall", "--dry-run", "--json", "--", name)["planned"]

    assert planned == {"tgllm-weather": {"before": "1.2.3", "after": None}}


@pytest.mark.usefixtures("weather")
@pytest.mark.parametrize(
    ("action", "name", "reason"),
    [
        ("uninstall", "tgllm-weather==9.9", "names a version or an extra: write tgllm-weather"),
        ("uninstall", "--index-url=http://127.0.0.1", "there is no package --index-url"),
        ("uninstall", "tgllm-weather --yes", "there is no package tgllm-weather --yes"),
        ("upgrade", "--index-url=http://127.0.0.1", "there is no package --index-url"),
        ("install", "--index-url=http://127.0.0.1", "names no package"),
        ("install", "./nowhere", "there is no ./nowhere"),
    ],
)
def test_a_refusal_is_an_object_with_json(shell: Shell, action: str, name: str, reason: str) -> None:
    result = shell.runs("plugins", action, "--yes", "--json", "--", name)

    told = json.loads(result.out)
    assert (result.code, told["ok"], told["changed"]) == (1, False, False)
    assert reason in told["problem"]


@pytest.mark.usefixtures("weather")
def test_with_json_nothing_is_asked_among_the_output(shell: Shell) -> None:
    result = shell.runs("plugins", "uninstall", "--json", "weather")

    told = json.loads(result.out)
    assert (result.code, told["ok"], "add --yes" in told["problem"]) == (1, False, True)


@pytest.mark.usefixtures("weather")
def test_an_uninstalled_plugin_is_not_listed_as_missing(
    shell: Shell, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with shell.new_database() as conn, conn:
        kv.set_value(conn, "plugins", "weather", dict(KNOWN), 0)

    async def uninstalled(*_args: object) -> Ended:
        for path in (home / "site-packages").iterdir():
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        return Ended(0, ())

    monkeypatch.setattr("tgllm.cli.commands.plugins.packages.carry_out", uninstalled)

    assert shell.reads("plugins", "uninstall", "--yes", "--json", "weather")["ok"]

    assert "weather" not in {each["plugin"] for each in shell.reads("plugins", "list", "--json")}


@pytest.mark.usefixtures("weather")
def test_a_damaged_database_does_not_keep_a_plugin(shell: Shell) -> None:
    shell.data_dir.mkdir()
    (shell.data_dir / "tgllm.db").write_bytes(b"no database" * 1000)

    result = shell.runs("plugins", "uninstall", "--dry-run", "weather")

    assert (result.code, "tgllm-weather" in result.out, "tgllm.db" in result.out) == (0, True, True)
