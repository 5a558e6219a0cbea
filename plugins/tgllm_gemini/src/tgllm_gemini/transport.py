"""Event hooks for the client that the SDK uses.

The SDK has a single timeout, sends it to the server as the deadline of the whole answer, and leaves responses that are
no longer read to the garbage collector. None of this suits a stream that can be stopped.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Generator, Mapping, MutableMapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Protocol, TypeVar

from tgllm.providers.http import CONNECT_SECONDS

__all__ = ["Holding", "hooks"]

_T = TypeVar("_T")
_SERVER_TIMEOUT = "X-Server-Timeout"


class _Request(Protocol):
    """The used part of ``httpx.Request``."""

    headers: MutableMapping[str, str]
    extensions: MutableMapping[str, Any]


class _Response(Protocol):
    """The used part of ``httpx.Response``."""

    async def aclose(self) -> None: ...


_held: ContextVar[list[_Response] | None] = ContextVar("held", default=None)


def hooks(present: Mapping[str, list[Callable[..., Any]]]) -> dict[str, list[Callable[..., Any]]]:
    """Return the event hooks for a client that already has the hooks in ``present``."""
    return {
        "request": [*present.get("request", ()), _prepare],
        "response": [*present.get("response", ()), _hold],
    }


class Holding:
    """Responses of one streamed answer, closed as soon as the stream is stopped."""

    def __init__(self) -> None:
        self._responses: list[_Response] = []

    async def items(self, source: AsyncIterator[_T]) -> AsyncGenerator[_T, None]:
        """Yield the items of ``source``, and close its connections at the end."""
        try:
            while True:
                # Set only while the SDK runs: between two items the context belongs to the consumer.
                with self._noted():
                    item = await anext(source, None)
                if item is None:
                    return
                yield item
        finally:
            if isinstance(source, AsyncGenerator):
                await source.aclose()
            for response in self._responses:
                await response.aclose()

    @contextmanager
    def _noted(self) -> Generator[None]:
        token = _held.set(self._responses)
        try:
            yield
        finally:
            _held.reset(token)


async def _prepare(request: _Request) -> None:
    request.headers.pop(_SERVER_TIMEOUT, None)
    limits = request.extensions.get("timeout")
    if isinstance(limits, dict):
        request.extensions["timeout"] = {**limits, "connect": CONNECT_SECONDS, "pool": CONNECT_SECONDS}


async def _hold(response: _Response) -> None:
    responses = _held.get()
    if responses is not None:
        responses.append(response)
