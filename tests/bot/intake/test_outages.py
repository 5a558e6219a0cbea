"""Telegram fails for a while: what the log of the running bot says of it, and how seldom."""

import io
import json
from typing import Any

import pytest

from bot_support import HastyClock, PatientClock, Start
from tgllm.bot.intake import poller
from tgllm.bot.telegram.outage import REPEAT_SECONDS
from tgllm.observe.logs import configure_logging
from tgllm.testing.emulator import EmulatedUser, Emulator, Fault

pytestmark = pytest.mark.usefixtures("restored_logging")


class OutageClock(HastyClock):
    """A hasty clock that stands until the test sets it."""

    at = 0.0

    def monotonic(self) -> float:
        return self.at


@pytest.fixture
def stream() -> io.StringIO:
    stream = io.StringIO()
    configure_logging("json", "info", stream)
    return stream


def lines(stream: io.StringIO, event: str) -> list[dict[str, Any]]:
    found = [json.loads(line) for line in stream.getvalue().splitlines()]
    return [line for line in found if line["event"] == event]


async def fails(emu: Emulator, fault: Fault, times: int = 3) -> None:
    """Wait until so many more calls have failed, and the failures before the last one were handled."""
    seen = fault.hits
    await emu.wait_for(lambda: fault.hits >= seen + times)


async def answered(emu: Emulator, ann: EmulatedUser, word: str) -> None:
    await ann.say(word)
    await emu.wait_for_message(ann.private_chat(), lambda message: message.from_bot and message.text == word)


async def first_failure(
    emu: Emulator, ann: EmulatedUser, stream: io.StringIO, method: str, event: str
) -> tuple[Fault, dict[str, Any]]:
    """Let a method fail after an answer, and return the fault with the only line about it."""
    await answered(emu, ann, "before")
    gateway = emu.faults.add(Fault.bad_gateway(method, times=None))
    await ann.say("during")
    await fails(emu, gateway)
    (line,) = lines(stream, event)
    assert (line["level"], line["failures"]) == ("warning", 1)
    return gateway, line


async def test_an_outage_is_logged_at_once_then_rarely_and_with_its_duration_at_the_end(
    emu: Emulator, ann: EmulatedUser, start: Start, stream: io.StringIO
) -> None:
    clock = OutageClock()
    async with start(clock=clock):
        gateway, first = await first_failure(emu, ann, stream, "getUpdates", "poller.failed")
        assert "502" in first["reason"]

        clock.at += REPEAT_SECONDS
        await fails(emu, gateway)
        _, second = lines(stream, "poller.failed")
        assert second["reason"] == first["reason"]
        assert second["failures"] > first["failures"]

        cut = emu.faults.add(Fault.cut_before("getUpdates", times=None))
        emu.faults.remove(gateway)
        await fails(emu, cut)
        *_, third = lines(stream, "poller.failed")
        assert third["reason"] != first["reason"]
        assert len(lines(stream, "poller.failed")) == 3
        assert lines(stream, "telegram.reached_again") == []

        clock.at += 30.0
        emu.faults.clear()
        await answered(emu, ann, "after")
        await answered(emu, ann, "and again")

    (over,) = lines(stream, "telegram.reached_again")
    assert (over["level"], over["after"], over["seconds"]) == ("info", "poller.failed", REPEAT_SECONDS + 30)
    assert over["failures"] == gateway.hits + cut.hits
    assert len(lines(stream, "poller.failed")) == 3
    assert emu.token not in stream.getvalue()


async def test_sends_that_fail_are_one_outage_too(
    emu: Emulator, ann: EmulatedUser, start: Start, stream: io.StringIO
) -> None:
    clock = OutageClock()
    async with start(clock=clock):
        gateway, _ = await first_failure(emu, ann, stream, "sendMessage", "send.failed")

        clock.at += 90.0
        emu.faults.clear()
        await emu.wait_for_message(ann.private_chat(), lambda message: message.from_bot and message.text == "during")
        await answered(emu, ann, "after")

    (over,) = lines(stream, "telegram.reached_again")
    assert (over["after"], over["failures"], over["seconds"]) == ("send.failed", gateway.hits, 90.0)
    assert len(lines(stream, "send.failed")) == 1


async def test_a_server_without_long_polling_is_not_asked_without_a_pause(
    emu: Emulator, ann: EmulatedUser, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    own, asked = 0.0625, list[int]()
    monkeypatch.setattr(poller, "HASTY_PAUSE_SECONDS", own)
    empty = Fault.raw("getUpdates", b'{"ok": true, "result": []}', times=None)

    class Counting(PatientClock):
        """Remembers how many empty answers came before each pause after hasty answers."""

        async def sleep(self, seconds: float) -> None:
            if seconds == own:
                asked.append(empty.hits)
            await super().sleep(0 if seconds == own else seconds)

    emu.faults.add(empty)
    async with start(clock=Counting()):
        await emu.wait_for(lambda: len(asked) >= 4)
        paused = len(asked)
        emu.faults.clear()
        await answered(emu, ann, "hello")
        await answered(emu, ann, "again")

    assert asked[:4] == [poller.MOST_HASTY + each for each in range(1, 5)]
    # An answer that had to be waited for, or one with updates, begins anew.
    assert len(asked) <= paused + 2
