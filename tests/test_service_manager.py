"""The program reports its state to the service manager that started it."""

import asyncio
import signal
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from program_support import Launch
from tgllm.testing.emulator import Emulator, Fault

Wait = Callable[[str], Awaitable[list[str]]]


@pytest.fixture
def path(tmp_path: Path) -> str:
    return str(tmp_path / "notify")


@pytest.fixture
async def wait(path: str) -> AsyncIterator[Wait]:
    """Waits for a line that begins like this; returns all lines so far."""
    lines = list[str]()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
        receiver.bind(path)
        receiver.setblocking(False)

        async def until(start: str) -> list[str]:
            while not any(line.startswith(start) for line in lines):
                datagram = await asyncio.get_running_loop().sock_recv(receiver, 65_536)
                lines.extend(datagram.decode().split("\n"))
            return lines

        yield until


async def test_it_is_ready_when_it_runs_shows_life_and_says_that_it_stops(
    launch: Launch, path: str, wait: Wait
) -> None:
    bot = await launch("run", NOTIFY_SOCKET=path, WATCHDOG_USEC="200000")
    lines = await wait("STATUS=receiving messages")
    assert lines.index("READY=1") > lines.index("STATUS=opening the database and the plugins")
    lines.clear()
    await wait("WATCHDOG=1")
    bot.send(signal.SIGTERM)
    lines = await wait("STATUS=finishing")
    code, printed = await bot.end()

    assert code == 0, printed
    assert "STOPPING=1" in lines
    assert "EXTEND_TIMEOUT_USEC=60000000" in lines


async def test_it_names_what_it_waits_for(emu: Emulator, launch: Launch, path: str, wait: Wait) -> None:
    emu.faults.add(Fault.bad_gateway("getMe", times=None))
    bot = await launch("run", NOTIFY_SOCKET=path)
    lines = await wait("STATUS=waiting for Telegram: ")
    assert "READY=1" in lines
    emu.faults.clear()
    await wait("STATUS=receiving messages")
    bot.send(signal.SIGTERM)
    await wait("STOPPING=1")

    assert (await bot.end())[0] == 0


async def test_a_start_that_needs_a_person_fails(emu: Emulator, launch: Launch, path: str, wait: Wait) -> None:
    bot = await launch("run", NOTIFY_SOCKET=path, TGLLM_BOT_TOKEN="1:WRONG")
    lines = await wait("STATUS=opening")
    code, printed = await bot.end()

    assert code == 1, printed
    assert "READY=1" not in lines
