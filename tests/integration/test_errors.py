"""What a person, the log and the database are told when a provider fails."""

import json
import signal
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from program_support import Launch
from tgllm.testing.emulator import EmulatedChat, EmulatedUser, Emulator
from tgllm.testing.fake_providers import FakeServer

Stored = Callable[[str], Awaitable[list[dict[str, Any]]]]


@pytest.fixture
def ask(emu: Emulator, ann: EmulatedUser, chat: EmulatedChat, launch: Launch, fake: FakeServer, api: Any) -> Any:
    """Ask a question; what the bot answers, and what it has logged by its end."""

    async def answer(**settings: str) -> tuple[str, list[dict[str, Any]]]:
        bot = await launch("run", TGLLM_ADMIN_IDS=str(ann.id), **api.settings(fake) | settings)
        await ann.say("Hello?")
        told = await emu.wait_for_message(chat, timeout=45)
        bot.send(signal.SIGTERM)
        code, printed = await bot.end()
        assert code == 0, printed
        assert fake.key not in printed
        return told.text, [json.loads(line) for line in printed.splitlines()]

    return answer


async def test_a_server_error_is_told_in_kind_words_and_logged(ask: Any, fake: FakeServer, stored: Stored) -> None:
    fake.fault("", fake.errors.internal(), times=None)

    told, log = await ask()

    assert told == "The provider can't be reached now. Try again in a moment, or choose another model."
    (row,) = await stored("SELECT status, error_code, error_text FROM requests")
    assert (row["status"], row["error_code"]) == ("failed", "unavailable")
    assert "500" in row["error_text"]
    (line,) = [line for line in log if line["event"] == "turn.failed"]
    assert "500" in str(line)


async def test_a_server_that_recovers_is_asked_again(ask: Any, fake: FakeServer, stored: Stored) -> None:
    fake.fault("", fake.errors.internal())

    told, _ = await ask()

    assert told == "Hello?"
    assert [row["status"] for row in await stored("SELECT status FROM requests")] == ["ok"]


async def test_a_wrong_key_is_not_told_to_anybody(ask: Any, fake: FakeServer, api: Any, stored: Stored) -> None:
    told, log = await ask(**{api.variable: "sk-wrong-0123456789"})

    assert told == "The provider refused the bot's key. Choose another model, or ask the bot's admin to renew the key."
    (row,) = await stored("SELECT * FROM requests")
    assert row["error_code"] == "auth_failed"
    assert "sk-wrong-0123456789" not in f"{told} {log} {row}"
