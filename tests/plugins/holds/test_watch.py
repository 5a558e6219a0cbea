"""What happens while the event loop is blocked."""

import signal
import sys
from dataclasses import dataclass, field
from typing import Any

import pytest

from tgllm.observe.watchdog import LoopHold
from tgllm.plugins.discovery import FoundPlugin
from tgllm.plugins.holds.interrupt import NUMBER, BlockedTheLoop, StillBlocksTheLoop, interruptible
from tgllm.plugins.holds.log import HoldLog
from tgllm.plugins.holds.owners import CORE, Owners
from tgllm.plugins.holds.watch import HoldLimits, HoldWatch
from tgllm.testing.clock import ManualClock

LIMITS = HoldLimits(plugin_seconds=10, again_seconds=2, shutdown_seconds=20)


@dataclass
class Bench:
    """A watch, and what it has done."""

    clock: ManualClock
    logs: Any
    record: HoldLog = field(default_factory=HoldLog)
    stopping: bool = False
    ended: int = 0
    interrupts: int = 0

    def __post_init__(self) -> None:
        self.watch = HoldWatch(
            self.clock, self.logs("held"), LIMITS, stopping=lambda: self.stopping, end_process=self._end
        )

    def _end(self) -> None:
        self.ended += 1

    def own(self, plugin_id: str = "here") -> None:
        """Make this module the plugin's."""
        self.watch.attach(Owners([FoundPlugin(plugin_id, "p", "1", __name__)]), self.record)

    def observe(self, *seconds: float) -> None:
        for each in seconds:
            self.watch.observe(LoopHold(each, sys._getframe()))


@pytest.fixture
def bench(clock: ManualClock, logs: Any, monkeypatch: pytest.MonkeyPatch) -> Bench:
    bench = Bench(clock, logs)

    def count() -> None:
        bench.interrupts += 1

    monkeypatch.setattr("tgllm.plugins.holds.watch.interrupt", count)
    bench.watch.attach(Owners(), bench.record)
    return bench


def test_a_block_is_logged_once_with_its_end(bench: Bench) -> None:
    bench.own()
    bench.observe(1.0, 1.25, 1.5)
    bench.watch.observe(LoopHold(3.2, None))
    assert [event for _, _, event, _ in bench.logs.lines] == ["loop.held", "loop.released"]
    held, released = (values for _, _, _, values in bench.logs.lines)
    assert (held["plugin"], held["function"], held["seconds"]) == ("here", "observe", 1.0)
    assert str(held["at"]).startswith("holds/test_watch.py:")
    assert any("test_watch.py" in line for line in held["stack"].splitlines())
    assert released == {"plugin": "here", "seconds": 3.2}
    last = bench.record.last("here")
    assert last is not None
    assert (last.seconds, last.began) == (3.2, bench.clock.now() - 1.0)


def test_blocks_are_counted_for_each_plugin(bench: Bench) -> None:
    bench.own()
    for _ in range(2):
        bench.clock._elapsed += 60
        bench.observe(1.0, 2.0)
        bench.watch.observe(LoopHold(3.0, None))
    assert (bench.record.count("here"), bench.record.count(CORE)) == (2, 0)


def test_a_block_that_was_seen_only_afterwards_is_the_core_s(bench: Bench) -> None:
    bench.own()
    bench.watch.observe(LoopHold(5.0, None))
    assert (bench.record.count(CORE), bench.record.count("here")) == (1, 0)


def test_a_plugin_is_interrupted_after_its_limit_and_again(bench: Bench) -> None:
    bench.own()
    counts = []
    for seconds in (1.0, 9.75, 10.0, 11.75, 12.0, 14.0):
        bench.observe(seconds)
        counts.append(bench.interrupts)
    assert counts == [0, 0, 1, 1, 2, 3]
    assert bench.ended == 0


def test_the_core_is_not_interrupted(bench: Bench) -> None:
    bench.observe(1.0, 100.0)
    assert (bench.interrupts, bench.ended) == (0, 0)


def test_a_shutdown_interrupts_a_plugin_at_once_and_ends_the_process_after_its_limit(bench: Bench) -> None:
    bench.own()
    bench.observe(1.0, 1.25)
    bench.stopping = True
    bench.observe(1.5)
    assert (bench.interrupts, bench.ended) == (1, 0)
    bench.observe(21.25)
    assert bench.ended == 0
    bench.observe(21.5)
    assert bench.ended == 1
    assert "bot.shutdown_forced" in bench.logs.events("error")


def test_a_loop_that_runs_again_gets_the_whole_limit_again(bench: Bench) -> None:
    bench.stopping = True
    bench.observe(1.0, 20.0)
    bench.watch.observe(LoopHold(20.5, None))
    bench.observe(1.0, 20.0)
    assert bench.ended == 0


def test_the_first_error_can_be_caught_and_the_second_not_by_mistake(bench: Bench) -> None:
    bench.own()
    caught: list[type[BaseException]] = []
    with interruptible(bench.watch._error_for):
        signal.raise_signal(NUMBER)
        for seconds in (10.0, 12.0):
            bench.observe(seconds)
            try:
                signal.raise_signal(NUMBER)
            except BaseException as error:  # noqa: BLE001  the interrupt is no Exception
                caught.append(type(error))
    assert caught == [BlockedTheLoop, StillBlocksTheLoop]
    assert not issubclass(StillBlocksTheLoop, Exception)


def test_code_that_is_not_the_plugin_s_is_not_interrupted(bench: Bench) -> None:
    bench.own()
    bench.observe(10.0)
    bench.watch.attach(Owners(), bench.record)
    with interruptible(bench.watch._error_for):
        signal.raise_signal(NUMBER)


def test_a_block_that_began_at_startup_and_ended_after_it_is_not_reported(bench: Bench) -> None:
    watch = HoldWatch(bench.clock, bench.logs("held"), LIMITS)
    watch.observe(LoopHold(1.0, sys._getframe()))
    watch.attach(Owners(), bench.record)
    watch.observe(LoopHold(1.5, None))
    assert bench.logs.lines == []
    watch.observe(LoopHold(2.0, None))
    assert bench.logs.events("error") == ["loop.held"]


def test_a_block_that_began_at_startup_and_still_lasts_is_reported_and_interrupted(bench: Bench) -> None:
    bench.watch = HoldWatch(bench.clock, bench.logs("held"), LIMITS)
    bench.observe(1.0)
    bench.own()
    bench.observe(1.25, 10.0)
    bench.watch.observe(LoopHold(12.0, None))
    assert [event for _, _, event, _ in bench.logs.lines] == ["loop.held", "loop.released"]
    assert bench.interrupts == 1
