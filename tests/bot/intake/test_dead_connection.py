"""A connection of getUpdates that is dead without being closed is replaced, whatever the other calls do."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import pytest

from bot_support import Start
from http_support import get
from tgllm.bot.intake import poller
from tgllm.testing.emulator import EmulatedUser, Emulator
from tgllm.web import health


@dataclass
class Path:
    """The network between the bot and Telegram, on which connections of getUpdates can die in silence."""

    port: int
    dead: bool = False
    polls: list[int] = field(default_factory=list[int])
    """The connection of each getUpdates, by its number."""
    others: set[int] = field(default_factory=set[int])
    """The connections of other calls."""
    swallowed: int = 0
    own_port: int = 0
    made: int = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.made += 1
        number, is_dead = self.made, False
        there_reader, there_writer = await asyncio.open_connection("127.0.0.1", self.port)
        back = asyncio.create_task(pump(there_reader, writer))
        try:
            while piece := await reader.read(65536):
                if b"/getUpdates" in piece:
                    self.polls.append(number)
                    is_dead = is_dead or self.dead
                elif piece.startswith(b"POST"):
                    self.others.add(number)
                if is_dead:
                    self.swallowed += 1
                else:
                    # The emulator answers to its own name only.
                    there_writer.write(piece.replace(b":%d" % self.own_port, b":%d" % self.port))
        finally:
            back.cancel()
            for each in (there_writer, writer):
                each.close()


async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while piece := await reader.read(65536):
            writer.write(piece)


@pytest.fixture
async def path(emu: Emulator, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Path]:
    monkeypatch.setattr(poller, "GRACE_SECONDS", 0.0)
    monkeypatch.setattr(health, "LATE_SECONDS", 0.0)
    path = Path(urlsplit(emu.base_url).port or 0)
    server = await asyncio.start_server(path.serve, "127.0.0.1", 0)
    path.own_port = server.sockets[0].getsockname()[1]
    monkeypatch.setattr(emu.__class__, "base_url", f"http://127.0.0.1:{path.own_port}")
    yield path
    server.close()


async def test_another_connection_is_opened_and_sends_hide_nothing(
    emu: Emulator, ann: EmulatedUser, start: Start, path: Path
) -> None:
    async with start(sending__poll_timeout=1, web__port=0) as bot:
        await ann.say("hello")
        await emu.wait_for_message(ann.private_chat())
        first = path.polls[-1]
        assert first not in path.others, "getUpdates has a connection of its own"
        made = len(set(path.polls))
        path.dead = True
        await emu.wait_for(lambda: path.swallowed)

        await bot.core.notifier.bot_notify_admin("still sending")
        await emu.wait_for(lambda: "still sending" in ann.private_chat().bot_texts)
        await emu.wait_for(lambda: len(set(path.polls)) > made, timeout=60)
        assert bot.web_port is not None
        page = await get(bot.web_port, "/readyz")
        assert (page.status, "not reached" in page.body) == (503, True)
        path.dead = False
        await ann.say("again")
        await emu.wait_for(lambda: "again" in ann.private_chat().bot_texts)
        assert path.polls[-1] != first
