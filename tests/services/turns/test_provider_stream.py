"""Streams of providers that keep to the contract, and of those that don't."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Any, cast

import pytest

from tgllm.api import Finished, ReasoningDelta, StreamEvent, TextDelta, Waiting
from tgllm.plugins.calls.outcome import Raised, Returned
from tgllm.services.turns.provider_stream import Streams

Begin = Callable[[], AsyncGenerator[StreamEvent, None]]


@pytest.fixture
def taken() -> list[StreamEvent]:
    return []


async def play(begin: Begin, taken: list[StreamEvent], streams: Streams | None = None) -> Returned[bool] | Raised:
    return await (streams or Streams(0)).play(begin, taken.append)


async def cut(playing: "asyncio.Task[Any]", reached: Awaitable[object]) -> None:
    await reached
    playing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await playing


async def test_events_are_handed_on_up_to_the_end(taken: list[StreamEvent]) -> None:
    async def stream() -> AsyncGenerator[StreamEvent, None]:
        yield TextDelta("a")
        yield Finished()
        yield TextDelta("after the end")

    assert await play(stream, taken) == Returned(value=True)
    assert taken == [TextDelta("a"), Finished()]


async def test_a_missing_end_is_said(taken: list[StreamEvent]) -> None:
    async def stream() -> AsyncGenerator[StreamEvent, None]:
        yield TextDelta("a")

    assert await play(stream, taken) == Returned(value=False)


@pytest.mark.parametrize("error", [ValueError(), SystemExit(3), GeneratorExit(), asyncio.CancelledError()], ids=repr)
async def test_whatever_is_raised_comes_back_as_a_value(error: BaseException, taken: list[StreamEvent]) -> None:
    async def stream() -> AsyncGenerator[StreamEvent, None]:
        yield TextDelta("a")
        raise error

    assert await play(stream, taken) == Raised(error)
    assert taken == [TextDelta("a")]


@pytest.mark.parametrize("what", [None, "text", []])
async def test_what_is_no_stream_comes_back_as_an_error(what: object, taken: list[StreamEvent]) -> None:
    assert isinstance(await play(lambda: cast("AsyncGenerator[StreamEvent, None]", what), taken), Raised)


async def test_an_error_at_the_first_call_comes_back_too(taken: list[StreamEvent]) -> None:
    def begin() -> AsyncGenerator[StreamEvent, None]:
        raise SystemExit

    assert isinstance(await play(begin, taken), Raised)


async def test_an_event_that_can_not_be_taken_ends_the_stream() -> None:
    closed = asyncio.Event()

    async def stream() -> AsyncGenerator[StreamEvent, None]:
        try:
            yield TextDelta("a")
        finally:
            closed.set()

    def take(event: StreamEvent) -> None:
        raise TypeError

    assert isinstance(await Streams(0).play(stream, take), Raised)
    assert closed.is_set()


async def test_a_finished_stream_that_fails_while_it_closes_is_whole(taken: list[StreamEvent]) -> None:
    async def stream() -> AsyncGenerator[StreamEvent, None]:
        try:
            yield Finished()
        finally:
            raise OSError

    assert await play(stream, taken) == Returned(value=True)


async def test_a_finished_stream_that_hangs_while_it_closes_is_left_alone(taken: list[StreamEvent]) -> None:
    release, cancelled = asyncio.Event(), asyncio.Event()

    async def stream() -> AsyncGenerator[StreamEvent, None]:
        try:
            yield Finished()
        finally:
            while not release.is_set():
                try:
                    await release.wait()
                except asyncio.CancelledError:
                    cancelled.set()

    assert await play(stream, taken) == Returned(value=True)
    await cancelled.wait()
    release.set()


async def test_a_cut_stream_is_closed(taken: list[StreamEvent]) -> None:
    waiting, closed = asyncio.Event(), asyncio.Event()

    async def stream() -> AsyncGenerator[StreamEvent, None]:
        try:
            waiting.set()
            await asyncio.Event().wait()
            yield TextDelta("never")
        finally:
            closed.set()

    await cut(asyncio.create_task(play(stream, taken, Streams(60))), waiting.wait())
    assert closed.is_set()


async def test_a_cut_stream_that_goes_on_is_not_listened_to(taken: list[StreamEvent]) -> None:
    waiting, go_on, over = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def stream() -> AsyncGenerator[StreamEvent, None]:
        try:
            yield TextDelta("a")
            while not go_on.is_set():
                try:
                    waiting.set()
                    await go_on.wait()
                except asyncio.CancelledError:
                    continue
            yield TextDelta("late")
        finally:
            over.set()

    await cut(asyncio.create_task(play(stream, taken)), waiting.wait())
    go_on.set()
    await over.wait()
    assert taken == [TextDelta("a")]


async def test_what_was_given_up_is_cancelled_once_more_at_the_end(taken: list[StreamEvent]) -> None:
    waiting, over = asyncio.Event(), asyncio.Event()
    streams = Streams(0.001)

    async def stream() -> AsyncGenerator[StreamEvent, None]:
        try:
            waiting.set()
            await asyncio.Event().wait()
            yield TextDelta("never")
        except asyncio.CancelledError:
            try:
                await asyncio.Event().wait()
            finally:
                over.set()

    await cut(asyncio.create_task(play(stream, taken, streams)), waiting.wait())
    assert not over.is_set()
    await streams.aclose()
    await over.wait()


@pytest.mark.parametrize(
    ("made", "kind"), [(None, "NoneType"), ([TextDelta("a"), Finished()], "list"), (iter(()), "tuple_iterator")]
)
async def test_what_is_no_stream_is_told_by_its_kind(made: Any, kind: str, taken: list[StreamEvent]) -> None:
    played = await play(lambda: made, taken)
    assert isinstance(played, Raised)
    assert str(played.error).startswith(f"generate returned a {kind} instead of an async generator")


async def test_a_coroutine_in_place_of_a_stream_is_closed_and_told(taken: list[StreamEvent]) -> None:
    async def generate() -> list[StreamEvent]:
        return [TextDelta("a"), Finished()]

    played = await play(cast("Begin", generate), taken)
    assert isinstance(played, Raised)
    assert "returned a coroutine" in str(played.error)
    assert taken == []


@pytest.mark.parametrize(
    "error", [KeyboardInterrupt(), RecursionError(), MemoryError(), StopAsyncIteration()], ids=repr
)
async def test_what_ends_a_program_elsewhere_ends_only_the_stream(
    error: BaseException, taken: list[StreamEvent]
) -> None:
    async def stream() -> AsyncGenerator[StreamEvent, None]:
        yield TextDelta("a")
        raise error

    assert isinstance(await play(stream, taken), Raised)


@pytest.mark.parametrize(
    "error", [KeyboardInterrupt(), SystemExit(), GeneratorExit(), asyncio.CancelledError()], ids=repr
)
async def test_whatever_a_finished_stream_raises_while_it_closes_the_answer_is_whole(
    error: BaseException, taken: list[StreamEvent]
) -> None:
    async def stream() -> AsyncGenerator[StreamEvent, None]:
        try:
            yield Finished()
        finally:
            raise error

    assert await play(stream, taken) == Returned(value=True)


@pytest.mark.parametrize("event", [TextDelta("x"), TextDelta(""), ReasoningDelta("x"), Waiting("queue"), 7], ids=repr)
async def test_an_endless_stream_that_never_suspends_can_be_cut(event: StreamEvent, taken: list[StreamEvent]) -> None:
    begun, closed = asyncio.Event(), asyncio.Event()

    async def stream() -> AsyncGenerator[StreamEvent, None]:
        try:
            begun.set()
            while True:
                yield event
        finally:
            closed.set()

    playing = asyncio.create_task(play(stream, taken))
    await begun.wait()
    await cut(playing, asyncio.sleep(0))
    assert closed.is_set()
