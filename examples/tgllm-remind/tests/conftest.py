"""The emulated Telegram and the bot on it, at the time of a clock that the test sets."""

from typing import TYPE_CHECKING

import pytest

from tgllm.testing.clock import ManualClock
from tgllm.testing.scripted import GivenPlugin
from tgllm_remind import plugin

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager

    from tgllm.testing.bot import RunningBot
    from tgllm.testing.emulator import EmulatedUser, Emulator
    from tgllm.testing.fixtures import StartBot

pytest_plugins = ["tgllm.testing.fixtures"]


@pytest.fixture
def clock() -> ManualClock:
    """Midnight of Thursday, 2026-01-01, UTC."""
    return ManualClock()


@pytest.fixture
def ann(emulator: "Emulator") -> "EmulatedUser":
    return emulator.add_user(first_name="Ann", username="ann")


@pytest.fixture
def start(start_bot: "StartBot", ann: "EmulatedUser", clock: ManualClock) -> "StartBot":
    """Starts the bot with the plugin; Ann is its owner."""

    def begin(**settings: object) -> "AbstractAsyncContextManager[RunningBot]":
        given = GivenPlugin.of("remind", plugin)
        return start_bot(**{"admins": [ann.id], "plugins": [given], "clock": clock, **settings})

    return begin
