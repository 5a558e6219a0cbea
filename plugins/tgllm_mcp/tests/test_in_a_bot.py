"""Tools of real servers in the real bot, on the emulated Telegram: from the question to the answer."""

import asyncio
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from mcp_servers.running import raw, sdk
from tgllm.testing.bot import RunningBot, running_bot
from tgllm.testing.emulator import EmulatedUser, Emulator
from tgllm.testing.scripted import GivenPlugin, ScriptedProvider, calling
from tgllm_mcp import plugin

MCP = GivenPlugin.of("mcp", plugin)


@pytest.fixture
async def emu() -> AsyncIterator[Emulator]:
    async with Emulator() as emulator:
        yield emulator


async def until_ready(bot: RunningBot, person: EmulatedUser, *servers: str) -> None:
    """Ask for the state of the servers until these are connected: a busy machine takes longer than the start waits."""
    async with asyncio.timeout(60):
        while True:
            state = (await bot.talk.say(person, "/mcp")).text
            if all(f"✅ {server}:" in state for server in servers):
                return


async def test_a_model_calls_a_tool_of_a_server(emu: Emulator, tmp_path: Path) -> None:
    ann, provider = emu.add_user(first_name="Ann"), ScriptedProvider(tools=True)
    servers = {"sums": sdk(prefix="", read=["add"]), "bad": {"command": "no-such-program"}}
    async with running_bot(
        emu, tmp_path, admins=[ann.id], plugins=[MCP], provider=provider, plugins__mcp__servers=servers
    ) as bot:
        await until_ready(bot, ann, "sums")
        provider.answer(calling("add", a=2, b=40), calling("add", a="x", b=1))
        provider.answer("It is 42.")
        answer = await bot.talk.say(ann, "What is 2 + 40?")
        state = await bot.talk.say(ann, "/mcp")

    assert "It is 42." in answer.text
    good, bad = provider.results
    assert ("42" in good.text, good.is_error, bad.is_error) == (True, False, True)
    assert {"add", "env", "die"} & set(provider.offered) == {"add"}  # the others are closed
    assert "✅ sums:" in state.text
    assert "⚠️ bad: its program no-such-program is not found" in state.text


async def test_a_server_that_dies_in_a_call_costs_one_result(emu: Emulator, tmp_path: Path) -> None:
    ann, provider = emu.add_user(first_name="Ann"), ScriptedProvider(tools=True)
    servers = {"one": raw("killed", prefix="one_", read=["*"]), "two": raw("good", prefix="two_", read=["*"])}
    async with running_bot(
        emu, tmp_path, admins=[ann.id], plugins=[MCP], provider=provider, plugins__mcp__servers=servers
    ) as bot:
        await until_ready(bot, ann, "one", "two")
        provider.answer(calling("one_echo", a=1), calling("two_echo", a=2))
        provider.answer("Only one worked.")
        answer = await bot.talk.say(ann, "Try both")

    assert "Only one worked." in answer.text
    lost, found = provider.results
    assert (lost.is_error, "unknown whether" in lost.text) == (True, True)
    assert (found.is_error, '{"a": 2}' in found.text) == (False, True)


@pytest.mark.parametrize(
    ("program", "args", "tool", "arguments", "words"),
    [
        ("mcp-server-time", [], "get_current_time", {"timezone": "Europe/Berlin"}, "Europe/Berlin"),
        ("mcp-server-git", [], "git_status", {"repo_path": "."}, "On branch"),
    ],
)
async def test_servers_of_other_people(
    start: Any, tmp_path: Path, program: str, args: list[str], tool: str, arguments: dict[str, str], words: str
) -> None:
    from git import Repo  # noqa: PLC0415  a requirement of one of the servers

    Repo.init(tmp_path)
    command = str(Path(sys.executable).with_name(program))
    running = await start(one={"command": command, "args": args, "prefix": "", "cwd": str(tmp_path)})

    result = await running.call(tool, **arguments)

    assert not result.is_error, result.text
    assert words in result.text
