"""All packages of this folder together, the bad ones among them."""

import json
import os
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tgllm.plugins import HostLimits, PluginHost
from tgllm.testing.bot import running_bot
from tgllm.testing.emulator import Emulator

pytestmark = pytest.mark.once

PACKAGES = sorted(path.parent for path in (Path(__file__).parent / "packages").glob("*/pyproject.toml"))
ACTIVE = {
    "bad_authorize",
    "bad_before_request",
    "bad_command",
    "bad_provider",
    "good_10",
    "good_all",
    "good_texts",
    "hang_async",
    "zz_clash",
}
"""Those that are in order until they are used."""


def pip_install(target: Path) -> None:
    options = ["--quiet", "--disable-pip-version-check", "--no-deps", "--no-build-isolation", "--no-index"]
    command = [sys.executable, "-m", "pip", "install", *options, "--target", str(target), *map(str, PACKAGES)]
    subprocess.run(command, check=True, timeout=120)


@pytest.mark.timeout(180)
def test_the_list_shows_each_with_its_state_and_the_reason(tmp_path: Path) -> None:
    pip_install(tmp_path / "site")
    environ = {key: value for key, value in os.environ.items() if not key.startswith("TGLLM_")}
    environ |= {"PYTHONPATH": str(tmp_path / "site"), "TGLLM_DATA_DIR": str(tmp_path / "data")}

    command = [sys.executable, "-m", "tgllm", "plugins", "list", "--json"]
    done = subprocess.run(command, env=environ, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=120)

    assert done.returncode == 0, done.stderr
    listed = {entry["plugin"]: entry for entry in json.loads(done.stdout)}
    assert {"echo", "basics", "files"} | {path.name for path in PACKAGES} <= listed.keys()
    for path in PACKAGES:
        entry = listed[path.name]
        assert (entry["package"], entry["version"]) == (f"tgllm-test-{path.name.replace('_', '-')}", "0.3.0")
        expected = "active" if path.name in ACTIVE else "quarantined"
        noted = expected == "quarantined" or path.name in {"good_texts", "zz_clash"}
        assert (path.name, entry["state"], bool(entry["note"])) == (path.name, expected, noted)
    assert listed["good_all"]["provides"][:2] == ["provider parrot", "command /greet"]
    assert listed["hang_import"]["note"] == "its import did not end within 20 s"


async def test_the_bot_answers(site: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    site.install(*(path.name for path in PACKAGES))
    limits = HostLimits(import_seconds=4, hook_seconds=3, async_seconds=2, grace_seconds=0.1)
    monkeypatch.setattr(PluginHost, "load", partial(PluginHost.load, limits=limits))
    async with Emulator() as emulator:
        ann = emulator.add_user(first_name="Ann")
        async with running_bot(emulator, tmp_path, admins=[ann.id], plugins=site.found()) as bot:
            for text, answer in (("/ping", "Bot ready"), ("good morning all", "good morning all")):
                said = await ann.say(text)
                # The admins read of the plugins that are quarantined, too.
                await emulator.wait_for_message(ann.private_chat(), lambda found: found.text == answer, after=said)  # noqa: B023  called before the next round of the loop
            states = {record.id: record.state for record in bot.core.host.records}

    assert {plugin_id for plugin_id, state in states.items() if state == "active"} == {
        "basics",
        "echo",
        "files",
        "basic_tools",
        "basic_memory",
        "good_10",
        "good_all",
        "good_texts",
        "bad_command",
        "bad_provider",
        "zz_clash",
    }
