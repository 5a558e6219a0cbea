"""pytest fixtures for plugins: an emulated Telegram, and the bot on it.

Needs ``pip install "tgllm[testing]"``. Put ``pytest_plugins = ["tgllm.testing.fixtures"]`` into ``conftest.py``.
"""

from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager
from functools import partial
from pathlib import Path

import pytest
import pytest_asyncio

from tgllm.providers.network import VARIABLE
from tgllm.testing.bot import RunningBot, running_bot
from tgllm.testing.emulator import Emulator
from tgllm.testing.scripted import ScriptedProvider

__all__ = ["StartBot", "emulator", "no_real_requests", "scripted", "start_bot"]

StartBot = Callable[..., AbstractAsyncContextManager[RunningBot]]
"""``tgllm.testing.bot.running_bot`` without its first two arguments."""


@pytest.fixture(autouse=True)
def no_real_requests(monkeypatch: pytest.MonkeyPatch) -> None:
    """Requests of providers to other machines are errors."""
    monkeypatch.setenv(VARIABLE, "0")


@pytest_asyncio.fixture
async def emulator() -> AsyncGenerator[Emulator, None]:
    """A running Telegram of the test's own."""
    async with Emulator() as emulator:
        yield emulator


@pytest.fixture
def scripted() -> ScriptedProvider:
    """A provider that answers what the test says; give it to ``start_bot`` as ``provider``."""
    return ScriptedProvider()


@pytest.fixture
def start_bot(emulator: Emulator, tmp_path: Path) -> StartBot:
    """What runs the bot on the emulator: an async context manager with the keywords of ``running_bot``.

    The database is in a folder of the test's own, so that a second start is a restart.
    """
    return partial(running_bot, emulator, tmp_path)
