"""Waiting for a server that is loading its model."""

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing

from tgllm.api.clock import Clock
from tgllm.api.errors import ProviderError, Unavailable
from tgllm.api.events import StreamEvent, Waiting
from tgllm.providers.failure import Failure, explain

__all__ = ["ModelLoading", "explain_local", "patiently"]

_PAUSE_SECONDS = 2.0


class ModelLoading(Unavailable):
    """The server is loading the model, as llama.cpp says with 503 (tools/server: GET /health)."""


def explain_local(failure: Failure) -> ProviderError:
    """Map a failure of a local server to an error."""
    error = explain(failure)
    if isinstance(error, Unavailable) and "loading model" in failure.message.lower():
        return ModelLoading(str(error))
    return error


async def patiently(
    attempt: Callable[[], AsyncGenerator[StreamEvent, None]], clock: Clock, seconds: float
) -> AsyncGenerator[StreamEvent, None]:
    """Yield the events of an attempt, which is repeated while the model is loading, for at most ``seconds``.

    Raises:
        ProviderError: the error of the last attempt.
    """
    end = clock.monotonic() + seconds
    while True:
        begun = False
        try:
            async with aclosing(attempt()) as events:
                async for event in events:
                    begun = begun or not isinstance(event, Waiting)
                    yield event
            return
        except ModelLoading:
            if begun or clock.monotonic() >= end:
                raise
        yield Waiting("queue", _PAUSE_SECONDS)
        await clock.sleep(_PAUSE_SECONDS)
