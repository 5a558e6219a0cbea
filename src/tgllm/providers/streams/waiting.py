"""Signs of life for answers that begin late, as those of a server that first loads the model."""

import asyncio
from collections.abc import AsyncGenerator

from tgllm.api.events import StreamEvent, Waiting

__all__ = ["NEWS_SECONDS", "with_news"]

NEWS_SECONDS = 10.0
"""Time without an event after which ``Waiting`` is reported; less than the bot's idle timeout."""


async def with_news(
    events: AsyncGenerator[StreamEvent, None], seconds: float = NEWS_SECONDS
) -> AsyncGenerator[StreamEvent, None]:
    """Yield the events, and ``Waiting`` each time that none has come for ``seconds``.

    The timeouts of the connection still apply; the bot's own idle timeout doesn't.
    """
    coming: asyncio.Future[StreamEvent] | None = None
    try:
        while True:
            coming = asyncio.ensure_future(anext(events))
            while not (await asyncio.wait({coming}, timeout=seconds))[0]:
                yield Waiting("queue")
            try:
                event = coming.result()
            except StopAsyncIteration:
                return
            yield event
    finally:
        if coming is not None and not coming.done():
            coming.cancel()
            await asyncio.wait({coming})
        await events.aclose()
