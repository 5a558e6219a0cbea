"""The bot with a web server, and questions to it."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tgllm.testing.bot import RunningBot, running_bot
from tgllm.testing.emulator import EmulatedMessage, EmulatedUser, Emulator
from tgllm.testing.scripted import ScriptedProvider
from web_support import get, samples


@pytest.fixture
def provider() -> ScriptedProvider:
    return ScriptedProvider()


@pytest.fixture
def watched(
    emu: Emulator, ann: EmulatedUser, tmp_path: Path, provider: ScriptedProvider
) -> Callable[..., AbstractAsyncContextManager[RunningBot]]:
    """Starts the bot with a web server on a free port, and metrics."""

    @asynccontextmanager
    async def start(**changes: Any) -> AsyncIterator[RunningBot]:
        settings: dict[str, Any] = {"web__port": 0, "web__metrics": True, "provider": provider, **changes}
        async with running_bot(emu, tmp_path, admins=[ann.id], **settings) as bot:
            yield bot

    return start


@pytest.fixture
def ask(emu: Emulator, ann: EmulatedUser) -> Callable[[str], Awaitable[EmulatedMessage]]:
    """Says something for Ann, and returns the answer."""

    async def ask(text: str) -> EmulatedMessage:
        asked = await ann.say(text)
        return await emu.wait_for_message(
            ann.private_chat(), lambda message: message.from_bot and message.text != "Thinking...", after=asked
        )

    return ask


@pytest.fixture
def scrape() -> Callable[[RunningBot], Awaitable[dict[str, float]]]:
    """Returns all samples of a bot."""

    async def scrape(bot: RunningBot) -> dict[str, float]:
        assert bot.web_port is not None
        got = await get(bot.web_port, "/metrics")
        assert got.status == 200
        return samples(got.body)

    return scrape
