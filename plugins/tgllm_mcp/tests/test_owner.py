"""Servers that die, hang, flood or lie: each costs its own tools alone, for as long as it takes."""

import asyncio
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from mcp_servers.running import Running, Web, raw, sdk
from tgllm.api import ToolFailed
from tgllm_mcp import owner as owners
from tgllm_mcp import stdio

Start = Callable[..., Any]


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(owners, "_FIRST_PAUSE", 0.05)
    monkeypatch.setattr(owners, "_LONGEST_PAUSE", 0.2)


def failures(running: Running) -> list[str]:
    return [str(values["reason"]) for event, values in running.log.lines if event == "mcp.failed"]


async def test_a_server_that_is_killed_in_a_call_costs_its_tools_alone_and_comes_back(start: Start) -> None:
    running = await start(one=raw("killed", prefix="one_"), two=raw("good", prefix="two_"))

    with pytest.raises(ToolFailed, match="unknown whether"):
        await running.call("one_echo")
    assert (await running.call("two_echo", a=1)).text == '{"a": 1}'
    await running.until(lambda: "one_echo" not in running.specs)
    await running.until(lambda: "one_echo" in running.specs)

    assert (await running.call("two_echo", a=2)).text == '{"a": 2}'
    assert failures(running)[0] == "it has closed its output"


async def test_a_server_on_the_network_that_is_restarted(start: Start, web: Web) -> None:
    await web.start()
    running = await start(one={"url": web.url, "connect_timeout": 120, "prefix": ""})
    handler = running.specs["add"].handler
    await web.kill()

    # A turn that holds the old list of tools, before and after the end was noticed.
    with pytest.raises(ToolFailed):
        await handler(running.use("add", a=1, b=2))
    await running.until(lambda: not running.specs)
    with pytest.raises(ToolFailed, match="not made"):
        await handler(running.use("add", a=1, b=2))
    await web.start()
    await running.until(lambda: "env" in running.specs)

    assert "3" in (await running.call("add", a=1, b=2)).text
    assert any("no connection to http://127.0.0.1" in reason for reason in failures(running))


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        (raw("exits"), "it has closed its output"),
        (raw("silent", connect_timeout=0.5), "it has not answered in 0.5 seconds (connect_timeout)"),
        (raw("endless noise"), "it has written 1000 times a line that is no message to its standard output"),
        ({"command": "no-such-program"}, "its program no-such-program is not found: install it"),
        ({"command": "cat", "cwd": "/nowhere"}, "its folder /nowhere does not exist"),
        (raw("bad list"), "its answer breaks the protocol"),
        ({"command": "cat", "env": {"KEY": "${NOT_SET_ANYWHERE}"}}, "variable NOT_SET_ANYWHERE is not set"),
        ({"url": "http://127.0.0.1:9/mcp"}, "there is no connection to http://127.0.0.1:9: is it running"),
    ],
    ids=lambda value: value[:20] if isinstance(value, str) else "",
)
async def test_what_is_wrong_is_said_in_words(start: Start, settings: dict[str, Any], reason: str) -> None:
    running = await start(bad=settings, good=raw("good"))

    assert reason in failures(running)[0]
    assert (await running.call("echo", a=1)).text == '{"a": 1}'


async def test_a_program_that_is_not_executable(start: Start, tmp_path: Path) -> None:
    (tmp_path / "program").write_text("#!/bin/sh\n")

    running = await start(bad={"command": str(tmp_path / "program")})

    assert failures(running)[0] == "its program program may not be run by the bot's user"


async def test_the_last_words_of_a_program_are_kept_without_secrets(start: Start) -> None:
    running = await start(bad=raw("exits", env={"API_KEY": "topsecret123"}))

    assert running.servers.owners["bad"].last_words == "API_KEY=[hidden] is wrong, giving up"
    assert "topsecret123" not in running.log.text


async def test_noise_is_skipped(start: Start) -> None:
    running = await start(one=raw("noise"))

    assert (await running.call("echo", a=1)).text == '{"a": 1}'


async def test_a_result_of_100_megabytes_ends_the_connection_not_the_bot(start: Start) -> None:
    running = await start(one=raw("huge"))

    with pytest.raises(ToolFailed, match="unknown whether"):
        await running.call("echo")
    await running.until(lambda: not running.specs)
    await running.until(lambda: running.specs)

    assert failures(running) == ["it has sent a message of more than 8 MB"]


async def test_a_storm_of_changes_is_few_lists(start: Start) -> None:
    running = await start(one=raw("storm"))

    await running.until(lambda: "call_5001" in running.specs)

    assert sum(event == "mcp.tools_changed" for event, _ in running.log.lines) <= 3


async def test_pages_without_end_are_cut(start: Start) -> None:
    running = await start(one=raw("many"))

    assert len(running.specs) == 500


async def test_names_are_made_valid_and_bad_schemas_left_out(start: Start) -> None:
    running = await start(one=raw("names", prefix="p_"))

    names = sorted(running.specs)
    assert len(names) == 4
    assert all(name.startswith("p_") and len(name) <= 64 for name in names)
    assert "more than 32768" in running.log.text


async def test_a_call_that_is_cancelled_leaves_the_connection_usable(start: Start) -> None:
    running = await start(one=raw("silent calls"))

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.2):
            await running.call("echo")

    assert running.servers.owners["one"].state == "ready"


async def test_a_program_that_does_not_want_to_end_is_ended(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stdio, "_GRACE", 0.1)
    others = children()
    running = await start(one=raw("stubborn"))
    started = children() - others

    await running.servers.aclose()

    assert started
    assert not children() & started
    assert running.specs == {}
    assert running.servers.owners["one"].state == "closed"


async def test_a_shutdown_in_the_middle_of_a_call(start: Start) -> None:
    running = await start(one=raw("silent calls"))
    task = asyncio.create_task(running.call("echo"))
    await asyncio.sleep(0)

    await running.servers.aclose()

    with pytest.raises(ToolFailed):
        await task


async def test_many_servers_at_once(start: Start) -> None:
    running = await start(**{f"s{number}": raw("good", prefix=f"s{number}_") for number in range(8)})

    assert len(running.specs) == 8
    await running.servers.aclose()
    assert running.specs == {}


async def test_a_server_that_is_switched_off_is_not_started(start: Start) -> None:
    running = await start(one=raw("good", enabled=False))

    assert running.servers.owners == {}


async def test_patterns_and_roles(start: Start) -> None:
    running = await start(
        one=sdk(include=["add", "e*", "fail"], exclude=["fa*"], read=["e*"], access="admin", timeout=5),
        two=sdk(prefix="two_", include=["add", "env"], trust_hints=True, danger="write"),
    )

    found = {name: (spec.danger, spec.access) for name, spec in running.specs.items()}
    assert found == {
        "add": ("dangerous", "admin"),
        "env": ("read", "admin"),
        "two_add": ("read", "user"),
        "two_env": ("write", "user"),
    }
    assert running.specs["add"].title == "🔌 Adding"
    assert running.specs["add"].timeout == 5
    assert "title" not in str(running.specs["add"].schema)


def children() -> set[int]:
    """Return the child processes of this one."""
    found = set[int]()
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            state, parent = stat.read_text(errors="replace").rpartition(")")[2].split()[:2]
            if int(parent) == os.getpid() and state != "Z":
                found.add(int(stat.parent.name))
    return found
