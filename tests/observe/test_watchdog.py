"""The watchdog, look by look, and as a thread."""

import asyncio
import threading

import pytest

from tgllm.api.clock import SystemClock
from tgllm.observe.watchdog import HELD_SECONDS, INTERVAL_SECONDS, LAG_SECONDS, LoopHold, LoopWatchdog
from tgllm.testing.clock import ManualClock

LOOKS = round(HELD_SECONDS / INTERVAL_SECONDS)


class Bench:
    """A watchdog whose looks the test makes."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.clock = ManualClock()
        self.seen: list[LoopHold] = []
        self.cpu = 0.0
        monkeypatch.setattr("os.times", lambda: type("Times", (), {"user": self.cpu, "system": 0.0}))
        self.watchdog = LoopWatchdog(asyncio.get_running_loop(), self.clock, self.seen.append)

    def look(self, seconds: float = INTERVAL_SECONDS, *, busy: bool = False) -> None:
        self.clock._elapsed += seconds
        self.cpu += seconds if busy else 0.0
        self.watchdog.look()

    @property
    def frames(self) -> list[bool]:
        return [held.frame is not None for held in self.seen]


@pytest.fixture
async def bench(monkeypatch: pytest.MonkeyPatch) -> Bench:
    return Bench(monkeypatch)


async def test_a_loop_that_answers_is_not_held(bench: Bench) -> None:
    for _ in range(3 * LOOKS):
        bench.look()
        await asyncio.sleep(0)
    assert bench.seen == []


async def test_a_held_loop_is_seen_with_its_stack_and_at_its_end(bench: Bench) -> None:
    for _ in range(LOOKS + 2):
        bench.look()
    await asyncio.sleep(0)
    bench.look()
    bench.look()
    assert bench.frames == [True, True, False]
    frame = bench.seen[0].frame
    names = []
    while frame is not None:
        names.append(frame.f_code.co_name)
        frame = frame.f_back
    assert "test_a_held_loop_is_seen_with_its_stack_and_at_its_end" in names
    assert bench.seen[-1].seconds == pytest.approx(HELD_SECONDS + INTERVAL_SECONDS)


async def test_a_process_that_was_suspended_held_nothing(bench: Bench) -> None:
    bench.look()
    bench.look(3600.0)
    await asyncio.sleep(0)
    bench.look()
    assert bench.seen == []


async def test_code_that_stops_the_watchdog_as_well_is_seen_afterwards(bench: Bench) -> None:
    bench.look()
    bench.clock._elapsed += 5.0
    bench.cpu += 5.0
    await asyncio.sleep(0)
    bench.look(0.0)
    assert bench.frames == [False]
    bench.look()
    bench.look(5.0, busy=True)
    assert bench.frames == [False, True]


async def test_the_thread_sees_a_blocked_loop() -> None:
    noticed, ended = threading.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()

    def observe(held: LoopHold) -> None:
        if held.frame is None:
            loop.call_soon_threadsafe(ended.set)
        else:
            noticed.set()

    with LoopWatchdog(loop, SystemClock(), observe):
        assert noticed.wait(60)
        await ended.wait()


async def test_the_lag_is_that_of_the_last_seconds_and_of_a_call_that_waits(bench: Bench) -> None:
    bench.look()
    await asyncio.sleep(0)
    bench.look()
    assert bench.watchdog.lag() == 0.0
    bench.look(3.0)
    assert bench.watchdog.lag() == 3.0, "a call waits"
    await asyncio.sleep(0)
    bench.look()
    assert bench.watchdog.lag() == 3.0, "it was late"
    for _ in range(round(LAG_SECONDS / INTERVAL_SECONDS)):
        await asyncio.sleep(0)
        bench.look()
    assert bench.watchdog.lag() <= INTERVAL_SECONDS
