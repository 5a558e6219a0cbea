"""Signs of life while nothing comes."""

import asyncio
from collections.abc import AsyncGenerator

import pytest

from tgllm.api import Finished, StreamEvent, TextDelta, Unavailable, Waiting
from tgllm.providers.streams.waiting import NEWS_SECONDS, with_news


class Source:
    """A stream that waits for a signal before each event."""

    def __init__(self, *events: StreamEvent | Exception) -> None:
        self.events = events
        self.go = asyncio.Event()
        self.closed = False

    async def stream(self) -> AsyncGenerator[StreamEvent, None]:
        try:
            for event in self.events:
                await self.go.wait()
                if isinstance(event, Exception):
                    raise event
                yield event
        finally:
            self.closed = True


async def test_silence_is_reported_and_loses_nothing() -> None:
    source = Source(TextDelta("a"), TextDelta("b"), Finished("stop"))
    events = with_news(source.stream(), 0.001)

    quiet = [await anext(events) for _ in range(3)]
    source.go.set()
    rest = [event async for event in events]

    assert quiet == [Waiting("queue")] * 3
    assert [event for event in rest if not isinstance(event, Waiting)] == [*source.events]
    assert source.closed


async def test_without_silence_there_is_no_waiting() -> None:
    source = Source(TextDelta("a"), Finished("stop"))
    source.go.set()

    assert [event async for event in with_news(source.stream())] == [*source.events]


async def test_an_error_passes() -> None:
    source = Source(TextDelta("a"), Unavailable("gone"))
    source.go.set()
    events = with_news(source.stream())

    assert await anext(events) == TextDelta("a")
    with pytest.raises(Unavailable, match="gone"):
        await anext(events)


@pytest.mark.parametrize("how", ["close", "cancel"])
async def test_leaving_early_closes_the_stream(how: str) -> None:
    source = Source(TextDelta("a"))
    events = with_news(source.stream(), 0.001)
    assert await anext(events) == Waiting("queue")

    if how == "close":
        await events.aclose()
    else:
        waiting = asyncio.ensure_future(anext(with_news(source.stream(), 60)))
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        await events.aclose()

    assert source.closed


def test_it_is_more_often_than_the_bot_gives_up() -> None:
    assert NEWS_SECONDS < 120 / 2
