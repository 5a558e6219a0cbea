"""``tgllm plugins list``, and ``trace`` as docs/howto/manage-plugins.md shows it."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

from cli_support import Shell


def listed(shell: Shell, *args: str) -> dict[str, dict[str, Any]]:
    return {item["plugin"]: item for item in shell.reads("plugins", "list", "--json", *args)}


def test_built_in_plugins_with_what_they_bring(shell: Shell) -> None:
    echo = listed(shell)["echo"]

    assert echo.keys() == {"plugin", "package", "version", "api", "state", "provides", "note"}
    assert (echo["package"], echo["api"], echo["state"], echo["note"]) == ("tgllm", "1.0", "active", "")
    assert echo["provides"] == ["provider echo"]


def test_a_broken_plugin_with_the_reason(shell: Shell, install: Callable[..., None]) -> None:
    install("tgllm-broken", "raise RuntimeError('boom')", tgllm={"broken": "tgllm_broken"})
    broken = listed(shell)["broken"]

    assert (broken["package"], broken["version"], broken["state"]) == ("tgllm-broken", "1.2.3", "quarantined")
    assert "boom" in broken["note"]


def test_what_a_plugin_prints_while_it_is_loaded_is_no_part_of_the_list(
    shell: Shell, install: Callable[..., None]
) -> None:
    source = "print('Welcome to my plugin!')\nraise RuntimeError('boom')"
    install("tgllm-loud", source, tgllm={"loud": "tgllm_loud"})

    result = shell.runs("plugins", "list", "--json")

    assert "boom" in {item["plugin"]: item["note"] for item in json.loads(result.out)}["loud"]
    assert result.err == "Welcome to my plugin!\n"


def test_wrong_settings_of_a_plugin_dont_stop_the_list(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TGLLM_PLUGINS__ECHO__NO_SUCH", "1")
    plugins = listed(shell)

    assert plugins["echo"]["state"] == "misconfigured"
    assert "no_such" in plugins["echo"]["note"]
    assert plugins["basics"]["state"] == "active"


def test_a_disabled_plugin(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TGLLM_DISABLE_PLUGINS", "echo")

    assert listed(shell)["echo"]["state"] == "disabled"


def test_without_plugins(shell: Shell, install: Callable[..., None]) -> None:
    install("tgllm-broken", "raise RuntimeError('boom')", tgllm={"broken": "tgllm_broken"})
    plugins = listed(shell, "--no-plugins")

    assert plugins["echo"]["state"] == "active"
    assert "boom" not in str(plugins)


def test_lines_for_a_pipe(shell: Shell) -> None:
    lines = shell.runs("plugins", "list").out.splitlines()

    assert lines[0] == "Plugin\tPackage\tVersion\tAPI\tState\tProvides\tNote"
    assert any(line.startswith("echo\ttgllm\t") and "\tprovider echo\t" in line for line in lines)


def test_a_plugin_that_ends_the_process_is_left_out_after_the_second_time_until_it_is_tried_again(
    shell: Shell, install: Callable[..., None]
) -> None:
    install("tgllm-deadly", "import os\nos._exit(7)", tgllm={"deadly": "tgllm_deadly"})
    command = [sys.executable, "-m", "tgllm", "plugins", "list", "--json"]

    def run() -> subprocess.CompletedProcess[str]:
        place = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
        return subprocess.run(
            command, capture_output=True, text=True, env=place, cwd=shell.folder, timeout=60, check=False
        )

    assert [run().returncode for _ in range(2)] == [7, 7]
    found = {item["plugin"]: item for item in json.loads(run().stdout)}
    assert found["deadly"]["state"] == "quarantined"
    assert "tgllm plugins retry deadly" in found["deadly"]["note"]
    assert found["echo"]["state"] == "active"
    assert shell.runs("plugins", "retry", "deadly").out == "The plugin deadly is loaded again at the next start.\n"
    assert shell.runs("plugins", "retry", "deadly").code == 1
    assert run().returncode == 7


def test_shell_commands_of_packages_with_their_state(shell: Shell, install: Callable[..., None]) -> None:
    works = "import typer\nprint('loud')\napp = typer.Typer()"
    install("tgllm-good", works, tgllm__cli={"greet": "tgllm_good:app", "config": "tgllm_good:app"})
    install("tgllm-bad", "raise RuntimeError('boom')", tgllm__cli={"wave": "tgllm_bad:app"})
    install("tgllm-other", works, tgllm__cli={"greet": "tgllm_other:app"})
    found = [
        (item["plugin"], item["package"], item["state"], item["provides"], item["note"])
        for item in json.loads(shell.runs("plugins", "list", "--json").out)
        if item["plugin"].startswith("tgllm ") and item["package"] in {"tgllm-good", "tgllm-bad", "tgllm-other"}
    ]
    assert [each[:4] for each in found] == [
        ("tgllm config", "tgllm-good", "quarantined", []),
        ("tgllm greet", "tgllm-good", "active", ["shell command tgllm greet"]),
        ("tgllm greet", "tgllm-other", "quarantined", []),
        ("tgllm wave", "tgllm-bad", "quarantined", []),
    ]
    notes = [each[4] for each in found]
    assert notes[0] == "the name is taken by tgllm itself"
    assert notes[2] == "the name is taken by the package tgllm-good"
    assert "RuntimeError: boom" in notes[3]


WEATHER = """
import asyncio
import functools
from pydantic import BaseModel, Field, SecretStr
from tgllm import hookimpl
from tgllm.api import ChatCommand, PluginInfo

class Settings(BaseModel):
    key: SecretStr = Field(description="Key of the service.")
    city: str = Field("Paris", description="Where.")
    places: list[str] = Field(default_factory=functools.partial(list), description="Others.")

@hookimpl
def tgllm_plugin_info():
    return PluginInfo(id="weather", title="Weather", api="1.0", settings=Settings, env={"key": "WEATHER_KEY"})

@hookimpl
def tgllm_commands():
    return [ChatCommand("weather", "Weather", lambda call: "Rain"), ChatCommand("ping", "Mine", lambda call: "")]
"""


def checks(shell: Shell, monkeypatch: pytest.MonkeyPatch, *names: str) -> tuple[int, dict[str, dict[str, str]]]:
    """Check plugins, and return the exit code and the states by plugin and check."""
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(sys.path))
    result = shell.runs("plugins", "check", *names, "--json")
    found = {
        each["plugin"]: {check["name"]: f"{check['state']}: {check['detail']}" for check in each["checks"]}
        for each in json.loads(result.out)
    }
    return result.code, found


def test_a_plugin_is_checked_in_a_process_of_its_own(
    shell: Shell, install: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    install("tgllm-weather", WEATHER, tgllm={"weather": "tgllm_weather"})
    install("tgllm-broken", "\n\nraise RuntimeError('boom')", tgllm={"broken": "tgllm_broken"})
    monkeypatch.setenv("WEATHER_KEY", "secret-key-1")

    code, weather = checks(shell, monkeypatch, "weather")
    assert (code, weather["weather"]["Loading"]) == (0, "ok: command /weather")
    assert weather["weather"]["Settings"] == "ok: valid: key, city, places"
    assert weather["weather"]["Names"].startswith("warning: command /ping of the plugin weather is taken")
    assert weather["weather"]["Requires"].startswith("warning: its package doesn't require tgllm")
    assert "secret-key-1" not in str(weather)

    code, broken = checks(shell, monkeypatch, "broken")
    assert code == 1
    assert broken["broken"]["Loading"] == "failed: its import raised RuntimeError: boom (tgllm_broken.py:3)"
    assert listed(shell)["broken"]["note"] == "its import raised RuntimeError: boom (tgllm_broken.py:3)"


def test_a_plugin_that_ends_its_process_is_a_failed_check(
    shell: Shell, install: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    install("tgllm-deadly", "import os\nos._exit(7)", tgllm={"deadly": "tgllm_deadly"})

    assert checks(shell, monkeypatch, "deadly") == (
        1,
        {"deadly": {"Loading": "failed: it ends the process with exit code 7 while it is loaded"}},
    )


def test_what_is_known_about_a_plugin(
    shell: Shell, install: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    install("tgllm-weather", WEATHER, tgllm={"weather": "tgllm_weather"})
    monkeypatch.setenv("WEATHER_KEY", "secret-key-1")

    (info,) = shell.reads("plugins", "info", "weather", "--json")

    assert (info["title"], info["state"], info["version"], info["api"]) == ("Weather", "active", "1.2.3", "1.0")
    assert info["hooks"] == ["tgllm_commands", "tgllm_plugin_info"]
    assert info["settings"] == [
        {"name": "key", "default": "", "is_set": True, "variable": "WEATHER_KEY", "description": "Key of the service."},
        {"name": "city", "default": "Paris", "is_set": False, "variable": "", "description": "Where."},
        {"name": "places", "default": "partial", "is_set": False, "variable": "", "description": "Others."},
    ]
    assert info["stored"] == {"values": 0, "bytes": 0, "planned_jobs": 0}
    by_package = shell.runs("plugins", "info", "Tgllm_Weather")
    assert (by_package.code, "secret-key-1" in by_package.out) == (0, False)
    assert shell.runs("plugins", "info", "wether").err.startswith(
        "tgllm: no plugin wether is installed (did you mean weather?)"
    )


def test_calls_are_traced_as_they_happen(shell: Shell, install: Callable[..., None]) -> None:
    install("tgllm-weather", WEATHER, tgllm={"weather": "tgllm_weather"})
    command = [sys.executable, "-m", "tgllm", "plugins", "trace", "weather", "--count", "2", "--json"]
    place = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=place, cwd=shell.folder
    ) as trace:
        assert trace.stderr is not None
        assert "No bot runs on this data folder" in trace.stderr.readline()
        listed(shell)
        out, _ = trace.communicate(timeout=60)

    calls = [json.loads(line) for line in out.splitlines()]
    assert [(call["hook"], call["result"]) for call in calls] == [
        ("import", "module"),
        ("tgllm_plugin_info", "PluginInfo"),
    ]
