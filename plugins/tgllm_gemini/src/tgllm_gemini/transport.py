"""Event hooks for the client that the SDK uses.

The SDK has a single timeout, sends it to the server as the deadline of the whole answer, and leaves responses that are
no longer read to the garbage collector. None of this suits a stream that can be stopped. It also reads events less
leniently than the toolkit does, so it gets them rewritten.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Generator, Mapping, MutableMapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial
from typing import Any, Protocol, TypeVar

from tgllm.providers.http import CONNECT_SECONDS
from tgllm.providers.json_values import encode_json
from tgllm.providers.sse import NotAStream, ServerComment, read_events
from tgllm.providers.stream_documents import IN_PLACE, Fail, data_of, is_complaint, read_documents, status_of

__all__ = ["Holding", "hooks"]

_T = TypeVar("_T")
_ANSWERS = frozenset({"candidates", "promptFeedback", "prompt_feedback", "usageMetadata", "usage_metadata"})
_SERVER_TIMEOUT = "X-Server-Timeout"


class _Request(Protocol):
    """The used part of ``httpx.Request``."""

    headers: MutableMapping[str, str]
    extensions: MutableMapping[str, Any]


class _Response(Protocol):
    """The used part of ``httpx.Response``."""

    is_success: bool
    aiter_bytes: Callable[[], AsyncIterator[bytes]]

    async def aclose(self) -> None: ...


_held: ContextVar["Holding | None"] = ContextVar("held", default=None)


def hooks(present: Mapping[str, list[Callable[..., Any]]]) -> dict[str, list[Callable[..., Any]]]:
    """Return the event hooks for a client that already has the hooks in ``present``."""
    return {
        "request": [*present.get("request", ()), _prepare],
        "response": [*present.get("response", ()), _hold],
    }


class Holding:
    """Responses of one streamed answer, closed as soon as the stream is stopped."""

    def __init__(self, fail: Fail) -> None:
        """Begin without responses; ``fail`` returns the error for a status and a body."""
        self._responses: list[_Response] = []
        self._fail = fail

    def add(self, response: _Response) -> None:
        """Add a response, whose events are rewritten to the form that the SDK reads."""
        self._responses.append(response)
        if response.is_success:
            response.aiter_bytes = partial(_rewritten, response.aiter_bytes, self._fail)

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
        token = _held.set(self)
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
    holding = _held.get()
    if holding is not None:
        holding.add(response)


async def _rewritten(read: Callable[[], AsyncIterator[bytes]], fail: Fail) -> AsyncGenerator[bytes, None]:
    """Yield one event in the API's own form for each document of a stream."""
    try:
        async for event in read_events(read()):
            if isinstance(event, ServerComment):
                continue
            for document in read_documents(event, data_of(event), fail):
                if document.keys() & _ANSWERS and not document.get("error"):
                    yield b"data: " + encode_json(document) + b"\n\n"
                elif is_complaint(document):
                    raise fail(status_of(document), encode_json(document))
                elif event.bare:
                    raise fail(IN_PLACE, encode_json(document))
    except NotAStream as error:
        raise fail(0 if error.after_events else IN_PLACE, error.beginning) from None
