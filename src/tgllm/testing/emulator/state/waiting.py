"""Waiting for a future with the server's clock."""

import asyncio
from typing import Any

from tgllm.api.clock import Clock

__all__ = ["settled_within"]


async def settled_within(future: asyncio.Future[Any], clock: Clock, seconds: float) -> bool:
    """Wait at most ``seconds`` of ``clock`` for ``future``; return whether it is done."""
    timer = asyncio.ensure_future(clock.sleep(seconds))
    try:
        await asyncio.wait({future, timer}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        timer.cancel()
        await asyncio.wait({timer})
    return future.done()
