"""pytest fixtures for plugins: an emulated Telegram, and the bot on it.

Needs ``pip install "tgllm[testing]"``. Put ``pytest_plugins = ["tgllm.testing.fixtures"]`` into ``conftest.py``.
"""

from collections.abc import AsyncGenerator, Callable, Generator, Mapping
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


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Add the chats to the report of a failed test that uses ``emulator``: who said what, buttons, drafts."""
    report = yield
    fixtures: Mapping[str, object] = getattr(item, "funcargs", {})
    emulator = fixtures.get("emulator")
    if report.failed and isinstance(emulator, Emulator):
        report.sections.append(("chats", emulator.transcripts))
    return report


@pytest.fixture(autouse=True)
def no_real_requests(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forbid requests of providers to other machines."""
    monkeypatch.setenv(VARIABLE, "0")


@pytest_asyncio.fixture
async def emulator() -> AsyncGenerator[Emulator, None]:
    """Provide a running emulator."""
    async with Emulator() as emulator:
        yield emulator


@pytest.fixture
def scripted() -> ScriptedProvider:
    """Provide a provider with scripted answers; pass it to ``start_bot`` as ``provider``."""
    return ScriptedProvider()


@pytest.fixture
def start_bot(emulator: Emulator, tmp_path: Path) -> StartBot:
    """Provide a function that runs the bot on the emulator: a context manager with the keywords of ``running_bot``.

    The data folder is the same for all starts in a test, so that the second one is a restart.
    """
    return partial(running_bot, emulator, tmp_path)
