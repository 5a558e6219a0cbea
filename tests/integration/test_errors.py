"""What a person, the log and the database are told when a provider fails."""

import json
import signal
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import pytest

from program_support import PATIENCE, Launch
from sentry_support import sentry_server
from tgllm.testing.emulator import EmulatedChat, EmulatedMessage, EmulatedUser, Emulator
from tgllm.testing.fake_providers import FakeError, FakeServer
from tgllm.testing.fake_providers.base.deviations import is_possible

pytestmark = pytest.mark.timeout(300)

Stored = Callable[[str], Awaitable[list[dict[str, Any]]]]


@pytest.fixture
def ask_after(emu: Emulator, ann: EmulatedUser, chat: EmulatedChat, launch: Launch, fake: FakeServer, api: Any) -> Any:
    """Ask a question after each preparation; what the bot answers to each, and what it has logged by its end."""

    async def answers(*preparations: Callable[[], None], **settings: str) -> tuple[list[str], list[dict[str, Any]]]:
        bot = await launch("run", TGLLM_ADMIN_IDS=str(ann.id), **api.settings(fake) | settings)
        # A notice to the admin, who is the person, may come first.
        notice = f"The provider {api.provider} "
        told: list[EmulatedMessage] = []
        for prepare in preparations:
            prepare()
            said = await ann.say("Hello?")
            told.append(
                await emu.wait_for_message(
                    chat, lambda found: found.from_bot and notice not in found.text, after=said, timeout=PATIENCE
                )
            )
        bot.send(signal.SIGTERM)
        code, printed = await bot.end()
        assert code == 0, printed
        assert fake.key not in printed
        return [message.text for message in told], [json.loads(line) for line in printed.splitlines()]

    return answers


@pytest.fixture
def ask(ask_after: Any) -> Any:
    """Ask one question; what the bot answers, and what it has logged by its end."""

    async def answer(**settings: str) -> tuple[str, list[dict[str, Any]]]:
        (told,), log = await ask_after(lambda: None, **settings)
        return told, log

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


async def test_a_server_error_is_no_alarm_and_a_warning_in_sentry(
    ask: Any, fake: FakeServer, emu: Emulator, stored: Stored
) -> None:
    fake.fault("", fake.errors.internal(), times=None)

    with sentry_server() as sentry:
        told, log = await ask(SENTRY_DSN=sentry.dsn, SENTRY_ENVIRONMENT="staging")

    assert "this code" not in told
    assert not [line for line in log if "error_id" in line]
    assert await stored("SELECT * FROM errors") == []
    assert [row["payload"] for row in await stored("SELECT payload FROM outbox") if "⚠️" in row["payload"]] == []
    (event,) = sentry.events
    assert (event["level"], event["environment"], event["tags"]["event"]) == ("warning", "staging", "turn.failed")
    assert "500" in event["exception"]["values"][0]["value"]


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


async def test_a_complete_answer_of_a_gateway_has_no_complaint_below_it(
    ask_after: Any, fake: FakeServer, stored: Stored
) -> None:
    every = ["pretty json", "no finish reason", "cut after the end"]
    deviations = [each for each in every if is_possible(each, has_done=fake.has_done)]

    told, log = await ask_after(*[partial(fake.deviate, each, ["It is ", f"{each}."]) for each in deviations])

    assert told == [f"It is {each}." for each in deviations]
    assert {row["status"] for row in await stored("SELECT status FROM requests")} == {"ok"}
    assert not [line for line in log if line["event"] == "turn.failed"]


async def test_the_words_of_a_gateway_reach_the_log_and_not_the_chat(
    ask_after: Any, fake: FakeServer, stored: Stored
) -> None:
    forms = ["pretty json", "event: error", "page"]

    told, log = await ask_after(
        *[partial(fake.fail_in_place, form, f"The gateway is on strike: {form} ({fake.key})") for form in forms]
    )

    assert "strike" not in " ".join(told)
    texts = [row["error_text"] for row in await stored("SELECT error_text FROM requests ORDER BY id")]
    lines = [line["error"] for line in log if line["event"] == "turn.failed"]
    for found in (texts, lines):
        assert [form for form, text in zip(forms, found, strict=True) if f"on strike: {form}" not in text] == []
    assert fake.key not in " ".join(texts)


async def test_exhausted_credit_with_the_status_of_an_invalid_request_is_told_to_the_admins(
    ask: Any, fake: FakeServer, stored: Stored
) -> None:
    words = "Your credit balance is too low to access the API."
    error = {"error": {"message": words, "type": "invalid_request_error", "code": 400}}
    fake.fault("", FakeError(400, error), times=None)

    told, _ = await ask()

    assert "credit" in told
    rows = await stored("SELECT payload FROM outbox")
    assert any("has no credit or quota left" in str(row["payload"]) for row in rows)
