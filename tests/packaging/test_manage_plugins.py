"""Commands of docs/howto/manage-plugins.md, in an environment with the core alone."""

import json
from pathlib import Path
from typing import Any

import pytest

from plugin_support import write_wheel

pytestmark = pytest.mark.packaging

SOURCE = """
from tgllm import hookimpl
from tgllm.api import ChatCommand, PluginInfo

@hookimpl
def tgllm_plugin_info():
    return PluginInfo(id="weather", title="Weather", api="1.0")

@hookimpl
def tgllm_commands():
    return [ChatCommand("weather", "Weather", lambda call: "Rain")]
"""


def weather(folder: Path, version: str, *requires: str) -> Path:
    points = {"tgllm": {"weather": "tgllm_weather"}}
    modules = {"tgllm_weather.py": SOURCE}
    return write_wheel(folder, "tgllm-weather", version, requires=requires, groups=points, modules=modules)


def test_a_plugin_comes_and_goes_and_a_conflict_changes_nothing(core: Any, tmp_path: Path) -> None:
    before = core.packages()

    tried = core.run("tgllm", "plugins", "install", "--dry-run", weather(tmp_path, "1.0", "tgllm>=1.0"))
    assert "tgllm-weather" in tried.stdout
    assert core.packages() == before

    refused = core.run(
        "tgllm", "plugins", "install", "--yes", weather(tmp_path, "3.0", "tgllm>=1.0", "pydantic<2"), check=False
    )
    assert refused.returncode == 1
    assert "nothing was changed: " in refused.stderr
    assert "tgllm-weather 3.0 needs pydantic<2" in refused.stderr
    assert core.packages() == before

    wheel = weather(tmp_path, "1.0", "tgllm>=1.0")
    done = json.loads(core.run("tgllm", "plugins", "install", "--yes", "--json", wheel).stdout)
    assert (done["ok"], done["environment"]["kind"]) == (True, "pip")
    assert done["changes"] == {"tgllm-weather": {"before": None, "after": "1.0"}}
    assert [each["provides"] for each in done["plugins"]] == [["command /weather"]]

    gone = json.loads(core.run("tgllm", "plugins", "uninstall", "--yes", "--json", "weather").stdout)
    assert gone["changes"] == {"tgllm-weather": {"before": "1.0", "after": None}}
    assert core.packages() == before


def test_what_tgllm_needs_is_not_uninstalled(core: Any) -> None:
    for name, reason in (("tgllm", "tgllm itself is no plugin"), ("pydantic", "tgllm itself needs it")):
        refused = core.run("tgllm", "plugins", "uninstall", "--yes", name, check=False)

        assert (refused.returncode, reason in refused.stderr) == (1, True)
