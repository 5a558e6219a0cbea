"""Slow and blocking calls are warned about with the name of the plugin; every call can be traced."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tgllm.api.errors import PluginError
from tgllm.plugins.calls.call_watch import BLOCKING_SECONDS, QUIET_SECONDS, SLOW_SECONDS, Callee, CallWatch
from tgllm.plugins.calls.runner import HookRunner
from tgllm.plugins.calls.tracing import TraceWriter, reading

Call = Callable[..., Awaitable[Any]]


class HandClock:
    """A clock that only ``tick`` moves, also within plain functions."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def tick(self, seconds: float) -> None:
        self.seconds += seconds

    def now(self) -> float:
        return 1_800_000_000.0 + self.seconds

    def monotonic(self) -> float:
        return self.seconds

    async def sleep(self, seconds: float) -> None:
        self.tick(seconds)


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
async def runner() -> AsyncIterator[HookRunner]:
    runner = HookRunner(5, 0.1)
    yield runner
    await runner.aclose()


@pytest.fixture
def watch(clock: HandClock, logs: Any, tmp_path: Path) -> CallWatch:
    return CallWatch(clock, logs("plugins"), TraceWriter(tmp_path))


@pytest.fixture
def call(watch: CallWatch, runner: HookRunner) -> Call:
    async def call(function: Callable[..., object], *, hook: str = "tgllm_after_reply", waits: bool = True) -> object:
        return await watch.call(runner, Callee("weather", hook, function, waits))

    return call


class Moves:
    """Functions of a plugin that take time: the clock is moved instead."""

    def __init__(self, clock: HandClock) -> None:
        self._clock = clock

    def plain(self, seconds: float) -> Callable[[], None]:
        return lambda: self._clock.tick(seconds)

    def blocking(self, seconds: float) -> Callable[[], Awaitable[str]]:
        async def hook() -> str:
            await asyncio.sleep(0)
            self._clock.tick(seconds)
            await asyncio.sleep(0)
            return "done"

        return hook

    def waiting(self, seconds: float) -> Callable[[], Awaitable[None]]:
        async def hook() -> None:
            other = asyncio.get_running_loop().create_future()
            asyncio.get_running_loop().call_soon(lambda: (self._clock.tick(seconds), other.set_result(None)))
            await other

        return hook


@pytest.fixture
def moves(clock: HandClock) -> Moves:
    return Moves(clock)


def warned(logs: Any) -> list[dict[str, Any]]:
    return [values for _, level, event, values in logs.lines if (level, event) == ("warning", "plugin.slow")]


async def test_a_plain_function_that_blocks_is_named(call: Call, moves: Moves, logs: Any) -> None:
    await call(moves.plain(BLOCKING_SECONDS / 2))
    assert warned(logs) == []

    await call(moves.plain(BLOCKING_SECONDS))

    (values,) = warned(logs)
    assert (values["plugin"], values["hook"], values["blocked"]) == ("weather", "tgllm_after_reply", BLOCKING_SECONDS)
    assert values["at"].startswith("test_call_watch.py:")


async def test_an_asynchronous_function_that_blocks_between_two_waits_is_named(
    call: Call, moves: Moves, logs: Any
) -> None:
    outcome = await call(moves.blocking(BLOCKING_SECONDS))

    assert outcome.value == "done"
    assert [values["blocked"] for values in warned(logs)] == [BLOCKING_SECONDS]


async def test_an_asynchronous_function_that_takes_long_is_named_if_people_wait(
    call: Call, moves: Moves, logs: Any
) -> None:
    await call(moves.waiting(SLOW_SECONDS), waits=False)
    assert warned(logs) == []

    await call(moves.waiting(SLOW_SECONDS))

    assert [(values["seconds"], values["blocked"]) for values in warned(logs)] == [(SLOW_SECONDS, 0.0)]


async def test_the_same_hook_is_named_again_only_after_a_while(
    call: Call, moves: Moves, logs: Any, clock: HandClock
) -> None:
    for _ in range(3):
        await call(moves.plain(1))
    await call(moves.plain(1), hook="tgllm_on_error")
    assert [(values["hook"], values["since_last"]) for values in warned(logs)] == [
        ("tgllm_after_reply", 0),
        ("tgllm_on_error", 0),
    ]

    clock.tick(QUIET_SECONDS)
    await call(moves.plain(1))

    assert warned(logs)[2]["since_last"] == 2


async def cancelled() -> None:
    raise asyncio.CancelledError


async def raising() -> None:
    raise LookupError("secret words")


@pytest.mark.parametrize(
    ("function", "result"),
    [
        (lambda: None, "None"),
        (lambda: "secret words", "str"),
        (lambda: ["secret words", 1], "list of 2"),
        (raising, "raised LookupError"),
        (cancelled, "raised CancelledError"),
    ],
)
async def test_the_trace_has_the_kind_of_each_result_and_nothing_of_the_value(
    call: Call, tmp_path: Path, clock: HandClock, function: Callable[..., object], result: str
) -> None:
    with reading(tmp_path) as trace:
        await call(function)
        (entry,) = trace.read()

    times = {"at": clock.now(), "seconds": 0, "blocked": 0}
    assert entry == {**times, "plugin": "weather", "hook": "tgllm_after_reply", "result": result}


async def test_a_call_that_takes_too_long_and_one_that_is_stopped_are_traced(watch: CallWatch, tmp_path: Path) -> None:
    runner = HookRunner(0.01, 0.1)
    with reading(tmp_path) as trace:
        await watch.call(runner, Callee("weather", "tgllm_button", asyncio.Event().wait))
        task = asyncio.create_task(watch.call(HookRunner(60, 0.1), Callee("weather", "/rain", asyncio.Event().wait)))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

        assert [entry["result"] for entry in trace.read()] == ["timed out after 0.01 s", "cancelled"]


async def test_a_plain_function_that_runs_aside_is_traced(watch: CallWatch, runner: HookRunner, tmp_path: Path) -> None:
    with reading(tmp_path) as trace:
        await watch.call_aside(runner, Callee("weather", "tgllm_startup", lambda: 7))

        assert [entry["result"] for entry in trace.read()] == ["int"]


async def test_exceptions_and_results_pass_through_the_timed_steps(call: Call) -> None:
    class Odd:
        def __await__(self) -> Iterator[Any]:
            yield from asyncio.sleep(0).__await__()
            return 5

    async def catching() -> str:
        try:
            await asyncio.wait_for(asyncio.Event().wait(), 0)
        except TimeoutError:
            return "caught"
        return "missed"

    assert (await call(catching)).value == "caught"
    assert (await call(Odd)).value == 5


def test_a_second_reader_is_refused(tmp_path: Path) -> None:
    with reading(tmp_path), pytest.raises(PluginError, match="another tgllm plugins trace runs"), reading(tmp_path):
        pass


def test_a_reader_that_has_gone_or_is_too_slow_stops_nothing(tmp_path: Path) -> None:
    writer = TraceWriter(tmp_path)
    with reading(tmp_path) as trace:
        for _ in range(5_000):
            writer.write({"plugin": "weather" * 10})
        assert 0 < len(trace.read()) < 5_000
    writer.write({"plugin": "weather"})
    (tmp_path / "plugins.trace").write_text("a file", encoding="utf-8")
    writer.write({"plugin": "weather"})

    assert (tmp_path / "plugins.trace").read_text(encoding="utf-8") == "a file"


class OddList(list[object]):
    """A list whose length can't be asked for."""

    def __len__(self) -> int:
        raise RuntimeError


class Unsure(Exception):
    """An error that is neither true nor false."""

    def __bool__(self) -> bool:
        raise RuntimeError


def raising_with_a_cause() -> None:
    raise LookupError from Unsure()


@pytest.mark.parametrize(("function", "result"), [(OddList, "OddList"), (raising_with_a_cause, "raised Unsure")])
async def test_results_of_odd_classes_are_traced(
    call: Call, tmp_path: Path, function: Callable[..., object], result: str
) -> None:
    with reading(tmp_path) as trace:
        await call(function)

        assert [entry["result"] for entry in trace.read()] == [result]


class WrapsItself:
    """A callable object that is said to be a wrapper of itself, and whose attributes are itself."""

    def __init__(self, clock: HandClock) -> None:
        self._clock = clock

    def __call__(self) -> None:
        self._clock.tick(BLOCKING_SECONDS)

    def __getattr__(self, name: str) -> Any:
        return self


async def test_an_odd_function_that_is_slow_is_named_without_its_place(call: Call, logs: Any, clock: HandClock) -> None:
    await call(WrapsItself(clock))

    assert [values["at"] for values in warned(logs)] == [""]


async def test_a_giant_name_is_shortened_in_the_trace(call: Call, tmp_path: Path) -> None:
    with reading(tmp_path) as trace:
        await call(type("\N{SNOWMAN}" * 100_000, (), {}), hook='"' * 100_000)
        (entry,) = trace.read()

    assert (entry["result"], entry["hook"]) == ("\N{SNOWMAN}" * 200 + "…", '"' * 200 + "…")


def test_a_file_in_the_place_of_the_pipe_is_refused(tmp_path: Path) -> None:
    (tmp_path / "plugins.trace").write_text("a file", encoding="utf-8")

    with pytest.raises(PluginError, match="is no pipe"), reading(tmp_path):
        pass

    assert (tmp_path / "plugins.trace").read_text(encoding="utf-8") == "a file"
