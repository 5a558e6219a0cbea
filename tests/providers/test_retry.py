"""What is tried again, when, and how often."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterator

import pytest

from tgllm.api import (
    AuthFailed,
    BadResponse,
    ContextTooLong,
    Finished,
    ModelNotFound,
    ProviderError,
    QuotaExceeded,
    RateLimited,
    ReasoningDelta,
    Refused,
    StreamEvent,
    TextDelta,
    Unavailable,
    Unsupported,
    Waiting,
)
from tgllm.providers.retry import Retry
from tgllm.testing.clock import ManualClock

Step = StreamEvent | Exception


class Service:
    """Answers each call with the next script; counts calls, and streams that were left open."""

    def __init__(self, *scripts: list[Step]) -> None:
        self.scripts: Iterator[list[Step]] = iter(scripts)
        self.calls = 0
        self.open = 0

    async def stream(self) -> AsyncGenerator[StreamEvent, None]:
        self.calls += 1
        self.open += 1
        try:
            for step in next(self.scripts):
                if isinstance(step, Exception):
                    raise step
                yield step
        finally:
            self.open -= 1

    async def call(self) -> str:
        self.calls += 1
        (step,) = next(self.scripts)
        if isinstance(step, Exception):
            raise step
        return "done"


DONE: list[Step] = [TextDelta("hi"), Finished()]


def chance(value: float) -> Callable[[], float]:
    return lambda: value


class Run:
    """Collects a stream while virtual time passes."""

    def __init__(self, service: Service, **policy: float) -> None:
        self.clock = ManualClock()
        self.events: list[StreamEvent] = []
        values = {"chance": chance(policy.pop("chance", 1.0)), **policy}
        retry = Retry(self.clock, **values)  # type: ignore[arg-type]  of the test
        self.task = asyncio.create_task(self._collect(retry.stream(service.stream)))

    async def _collect(self, events: AsyncGenerator[StreamEvent, None]) -> None:
        async for event in events:
            self.events.append(event)

    async def after(self, seconds: float) -> list[StreamEvent]:
        await self.clock.advance(seconds)
        return self.events


class TestStreams:
    async def test_an_answer_passes_through(self) -> None:
        service = Service(DONE)

        assert await Run(service).after(0) == DONE
        assert (service.calls, service.open) == (1, 0)

    async def test_a_failure_is_tried_again_after_a_wait_that_is_told(self) -> None:
        service = Service([Unavailable()], [Unavailable()], DONE)
        run = Run(service)

        assert await run.after(0.9) == [Waiting("retry", 1.0)]
        assert await run.after(0.2) == [Waiting("retry", 1.0), Waiting("retry", 2.0)]
        assert await run.after(2.0) == [Waiting("retry", 1.0), Waiting("retry", 2.0), *DONE]

    async def test_the_wait_is_a_random_part(self) -> None:
        run = Run(Service([Unavailable()], [Unavailable()], DONE), chance=0.25)

        assert (await run.after(9))[:2] == [Waiting("retry", 0.25), Waiting("retry", 0.5)]

    async def test_the_third_failure_is_final(self) -> None:
        service = Service([Unavailable("1")], [Unavailable("2")], [Unavailable("3")], DONE)
        run = Run(service)
        await run.after(60)

        with pytest.raises(Unavailable, match="3"):
            await run.task
        assert (service.calls, service.open) == (3, 0)

    async def test_a_wait_that_is_asked_for_is_kept(self) -> None:
        run = Run(Service([RateLimited(retry_after=7.5)], [Unavailable(retry_after=4.0)], DONE))

        assert await run.after(7.4) == [Waiting("rate_limit", 7.5)]
        assert (await run.after(4.2))[1:] == [Waiting("retry", 4.0), *DONE]

    async def test_a_wait_longer_than_the_limit_is_left_to_the_person(self) -> None:
        service = Service([RateLimited(retry_after=59)], DONE)
        run = Run(service)
        await run.after(100)

        with pytest.raises(RateLimited) as caught:
            await run.task
        assert caught.value.retry_after == 59
        assert service.calls == 1

    async def test_a_wait_grows_no_longer_than_the_limit(self) -> None:
        run = Run(Service(*[[Unavailable()]] * 4, DONE), attempts=5, max_wait=3)

        waits = [event.seconds for event in await run.after(60) if isinstance(event, Waiting)]
        assert waits == [1, 2, 3, 3]

    @pytest.mark.parametrize(
        "kind",
        [
            AuthFailed,
            BadResponse,
            ContextTooLong,
            ModelNotFound,
            ProviderError,
            QuotaExceeded,
            Refused,
            Unsupported,
            ValueError,
        ],
    )
    async def test_other_errors_are_final(self, kind: type[Exception]) -> None:
        service = Service([kind("no")], DONE)
        run = Run(service)
        await run.after(60)

        with pytest.raises(kind, match="no"):
            await run.task
        assert service.calls == 1

    @pytest.mark.parametrize("piece", [TextDelta("a"), ReasoningDelta("a")])
    async def test_nothing_is_tried_again_after_a_piece_of_the_answer(self, piece: StreamEvent) -> None:
        service = Service([piece, Unavailable("cut")], DONE)
        run = Run(service)
        await run.after(60)

        with pytest.raises(Unavailable, match="cut"):
            await run.task
        assert run.events == [piece]

    async def test_a_wait_in_a_queue_is_no_piece_of_the_answer(self) -> None:
        run = Run(Service([Waiting("queue"), Unavailable()], DONE))

        assert (await run.after(60))[-2:] == DONE

    async def test_an_empty_answer_is_asked_for_once_more(self) -> None:
        run = Run(Service([Finished()], DONE))

        assert await run.after(60) == [Waiting("retry", 1.0), *DONE]

    async def test_a_second_empty_answer_is_the_answer(self) -> None:
        service = Service([Finished()], [Finished()], DONE)
        run = Run(service)

        assert await run.after(60) == [Waiting("retry", 1.0), Finished()]
        assert service.calls == 2

    @pytest.mark.parametrize("script", [[Finished("length")], [ReasoningDelta("hm"), Finished()]])
    async def test_an_empty_answer_with_a_reason_stands(self, script: list[Step]) -> None:
        service = Service(script, DONE)

        assert await Run(service).after(60) == script
        assert service.calls == 1

    async def test_closing_it_closes_the_attempt(self) -> None:
        service = Service(DONE)
        events = Retry(ManualClock()).stream(service.stream)
        await anext(events)
        assert service.open == 1

        await events.aclose()

        assert service.open == 0

    async def test_cancelling_it_ends_the_wait(self) -> None:
        run = Run(Service([Unavailable()], DONE))
        await run.after(0)

        run.task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await run.task
        assert run.clock.sleepers == 0


class TestCalls:
    async def test_a_call_is_tried_again(self) -> None:
        clock = ManualClock()
        service = Service([RateLimited(retry_after=2)], DONE[-1:])
        task = asyncio.create_task(Retry(clock).call(service.call))
        await clock.advance(1.9)
        assert not task.done()

        await clock.advance(0.2)
        assert await task == "done"

    async def test_the_last_failure_is_raised(self) -> None:
        clock = ManualClock()
        service = Service(*[[Unavailable(str(number))] for number in range(5)])
        task = asyncio.create_task(Retry(clock, attempts=2).call(service.call))
        await clock.advance(60)

        with pytest.raises(Unavailable, match="1"):
            await task
        assert service.calls == 2
