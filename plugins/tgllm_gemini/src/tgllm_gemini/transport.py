"""What is done to requests and answers of the client that the SDK is given.

The SDK takes one number as its time limit, sends it to the server as the limit of the whole answer, and leaves answers
that nobody reads any more to the garbage collector. None of that suits a stream that may be stopped.
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
    """An ``httpx.Request``, as far as it matters here."""

    headers: MutableMapping[str, str]
    extensions: MutableMapping[str, Any]


class _Response(Protocol):
    """An ``httpx.Response``, as far as it matters here."""

    async def aclose(self) -> None: ...


_held: ContextVar[list[_Response] | None] = ContextVar("held", default=None)


def hooks(present: Mapping[str, list[Callable[..., Any]]]) -> dict[str, list[Callable[..., Any]]]:
    """The event hooks for a client that has those in ``present``."""
    return {
        "request": [*present.get("request", ()), _prepare],
        "response": [*present.get("response", ()), _hold],
    }


class Holding:
    """The connections that an answer came over, so that they can be closed at once when nobody listens any more."""

    def __init__(self) -> None:
        self._responses: list[_Response] = []

    async def items(self, source: AsyncIterator[_T]) -> AsyncGenerator[_T, None]:
        """What ``source`` yields, with its connections closed at the end."""
        try:
            while True:
                # Only while the SDK runs: between two pieces the context belongs to whoever reads them.
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
