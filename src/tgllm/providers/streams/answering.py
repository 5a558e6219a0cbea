"""One answer over HTTP: its request, a changed second request, and the stream to its end."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from contextlib import aclosing, suppress
from typing import Protocol

from tgllm.api.errors import ProviderError
from tgllm.api.events import StreamEvent, ToolCallDelta, Waiting
from tgllm.providers.http import ProviderHttp
from tgllm.providers.sse import NotAStream, ServerComment, ServerEvent, read_events

__all__ = ["LAST_EVENT_SECONDS", "EventReader", "read_answer", "until_accepted"]

LAST_EVENT_SECONDS = 3.0
"""Timeout of the next piece of an answer after the finish reason, for services that neither say that nothing follows
nor disconnect; what is no piece, such as a sign of life, does not prolong it."""
_LAST_BYTES_SECONDS = 0.5


class EventReader(Protocol):
    """Converts the server-sent events of one answer."""

    @property
    def done(self) -> bool:
        """Whether the service said that nothing follows."""
        ...

    @property
    def finished(self) -> bool:
        """Whether the answer is complete: what follows, or the lack of it, does no harm to it."""
        ...

    def take(self, event: ServerEvent) -> Iterator[StreamEvent]:
        """Yield the events of the answer in one event of the stream."""
        ...


async def until_accepted(
    attempt: Callable[[], AsyncGenerator[StreamEvent, None]], mend: Callable[[ProviderError], Awaitable[bool]]
) -> AsyncGenerator[StreamEvent, None]:
    """Yield the events of an attempt; one that fails before its answer begins is repeated if ``mend`` returns true."""
    while True:
        begun = False
        try:
            async with aclosing(attempt()) as events:
                async for event in events:
                    begun = begun or not isinstance(event, Waiting | ToolCallDelta)
                    yield event
            return
        except ProviderError as error:
            if begun or not await mend(error):
                raise


async def read_answer(
    http: ProviderHttp, path: str, body: bytes, reader: EventReader
) -> AsyncGenerator[StreamEvent, None]:
    """Send a request and yield the events that the reader finds, up to the end of the response.

    Raises:
        ProviderError: the request failed, or the answer is not a stream of events.
    """
    async with aclosing(http.stream(path, body)) as chunks, aclosing(read_events(chunks)) as events:
        try:
            async for event in events:
                if isinstance(event, ServerComment):
                    # Reported, so that the chat shows that the service is alive.
                    yield Waiting("queue")
                    continue
                for found in reader.take(event):
                    yield found
                if reader.finished:
                    break
        except NotAStream as error:
            raise http.failure(0 if error.after_events else 200, error.beginning) from None
        until = _last_moment()
        while not reader.done and (later := await _next(events, until)):
            for found in reader.take(later):
                until = _last_moment()
                yield found
        if reader.done:
            await _read_to_the_end(chunks)


def _last_moment() -> float:
    return asyncio.get_running_loop().time() + LAST_EVENT_SECONDS


async def _next(events: AsyncGenerator[ServerEvent | ServerComment, None], until: float) -> ServerEvent | None:
    """Return the next event after the finish reason, such as usage; None if none comes soon.

    The answer is complete, so neither silence nor a closed connection is an error any more.
    """
    with suppress(TimeoutError, ProviderError):
        async with asyncio.timeout_at(until):
            async for event in events:
                if isinstance(event, ServerEvent):
                    return event
    return None


async def _read_to_the_end(chunks: AsyncGenerator[bytes, None]) -> None:
    """Read the rest of the response, usually nothing, so that the connection can be reused."""
    with suppress(TimeoutError, ProviderError):
        async with asyncio.timeout(_LAST_BYTES_SECONDS):
            async for _ in chunks:
                pass
