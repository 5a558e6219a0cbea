"""Failures that repeat and plugins that log without end leave a log that can be read, and nothing goes uncounted."""

import io
import json
from typing import Any

import pytest

from tgllm.observe import repetition
from tgllm.observe.logs import configure_logging, flush_logging, get_logger
from tgllm.testing.clock import ManualClock

pytestmark = pytest.mark.usefixtures("restored_logging")


@pytest.fixture
def stream(clock: ManualClock) -> io.StringIO:
    stream = io.StringIO()
    configure_logging("json", "info", stream, clock)
    return stream


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


async def test_a_failure_that_repeats_is_one_line_a_second_with_its_number(
    stream: io.StringIO, clock: ManualClock
) -> None:
    log = get_logger("x")
    for number in range(200):
        log.warning("send.failed", reason="refused", outbox=number, chat=number)
    await clock.advance(1)
    log.info("another.thing")
    for _ in range(50):
        log.warning("send.failed", reason="refused")
    await clock.advance(1)
    flush_logging()

    found = lines(stream)
    assert [line.get("repeated") for line in found] == [None] * repetition.FAILURES + [195, None, 50]
    assert found[repetition.FAILURES]["outbox"] == 199
    assert sum(line.get("repeated", 1) for line in found if line["event"] == "send.failed") == 250


async def test_failures_of_other_kinds_are_all_written(stream: io.StringIO) -> None:
    log = get_logger("x")
    for number in range(100):
        log.warning("send.failed", reason=f"reason {number}")

    assert len(lines(stream)) == 100


async def test_kinds_that_are_forgotten_are_counted_first(stream: io.StringIO) -> None:
    log = get_logger("x")
    for _ in range(20):
        log.warning("a", reason="first")
    for number in range(repetition._MOST_KINDS + 10):
        log.warning("b", reason=f"reason {number}")

    assert [line["repeated"] for line in lines(stream) if "repeated" in line] == [20 - repetition.FAILURES]


async def test_failures_that_come_slowly_are_all_written(stream: io.StringIO, clock: ManualClock) -> None:
    for _ in range(20):
        get_logger("x").error("poller.failed", reason="refused")
        await clock.advance(1)

    assert [line.get("repeated") for line in lines(stream)] == [None] * 20


async def test_information_is_never_held_back(stream: io.StringIO) -> None:
    for _ in range(300):
        get_logger("x").info("update.ended")

    assert len(lines(stream)) == 300


async def test_a_plugin_that_logs_ten_thousand_lines_leaves_a_few(stream: io.StringIO, clock: ManualClock) -> None:
    log = get_logger("plugin.noisy")
    for number in range(10_000):
        log.info("line", number=number)
    get_logger("plugin.quiet").info("quiet.line")
    await clock.advance(1)
    get_logger("x").info("another.thing")

    found = lines(stream)
    (suppressed,) = [line for line in found if line["event"] == "log.suppressed"]
    assert len(found) == repetition.PLUGIN_LINES + 3
    assert suppressed["lines"] == 10_000 - repetition.PLUGIN_LINES
    assert suppressed["logger_name"] == "plugin.noisy"


async def test_the_end_of_the_program_tells_what_was_held_back(stream: io.StringIO) -> None:
    for _ in range(9):
        get_logger("x").error("poller.failed", reason="refused")
    flush_logging()
    flush_logging()

    assert [line.get("repeated") for line in lines(stream)] == [None] * repetition.FAILURES + [4]
