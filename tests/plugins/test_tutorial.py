"""The tutorial's code works, step by step, as it stands on the page."""

import subprocess
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from docs_support import blocks, read_page
from plugin_support import LoadHost
from tgllm.api import ChatInfo, ChatMessage, ChatRequest, CommandCall, TextDelta, TextPart, UserInfo
from tgllm.plugins import PluginHost

PAGE = read_page("tutorial/first-plugin.md")
TOML = blocks("tutorial/first-plugin.md", "toml")
PYTHON = blocks("tutorial/first-plugin.md")
FIRST, SECOND, TEST = PYTHON
REQUEST = ChatRequest("loud", (ChatMessage("user", (TextPart("good morning"),)),))


class Source:
    def for_plugin(self, plugin_id: str, env_names: Mapping[str, str]) -> Mapping[str, object]:
        return {"mark": "!!!"} if plugin_id == "shout" else {}


def install(site: Any, module: str) -> None:
    project = tomllib.loads(TOML[0])["project"]
    site.add(project["name"], project["version"], project["entry-points"]["tgllm"], {"tgllm_shout": module})


async def answer(host: PluginHost) -> str:
    (shout,) = [owned for owned in host.providers if owned.plugin_id == "shout"]
    provider = shout.spec.create(shout.context)
    return "".join([event.text async for event in provider.generate(REQUEST) if isinstance(event, TextDelta)])


async def test_the_provider_of_step_two_shouts(site: Any, load_host: LoadHost) -> None:
    install(site, FIRST)

    host = await load_host()

    assert {record.id: record.state for record in host.records} == dict.fromkeys(
        ("basic_memory", "basic_tools", "basics", "echo", "files", "shout"), "active"
    )
    assert await answer(host) == "GOOD MORNING "


async def test_the_command_and_the_setting_of_step_three_work(
    site: Any, load_host: LoadHost, user: UserInfo, chat: ChatInfo
) -> None:
    install(site, SECOND)

    host = await load_host(settings=Source())

    assert await answer(host) == "GOOD MORNING !!!"
    (owned,) = [owned for owned in host.commands if owned.plugin_id == "shout"]
    for args, text in (("hello", "HELLO!!!"), ("", "WHAT?!!!")):
        assert await owned.command.handler(CommandCall("shout", args, user, chat, owned.context)) == text


def test_the_test_of_step_four_passes(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(TOML[0] + TOML[1], encoding="utf-8")
    (tmp_path / "tgllm_shout.py").write_text(SECOND, encoding="utf-8")
    (tmp_path / "test_shout.py").write_text(TEST, encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60)

    assert done.returncode == 0, done.stdout
    assert "1 passed" in done.stdout
