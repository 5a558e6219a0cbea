"""A fake of an LLM API on the loopback interface: what the three have in common."""

import asyncio
import functools
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any, ClassVar, Self, TypeVar

from aiohttp import web

from tgllm.api.clock import Clock, SystemClock
from tgllm.api.types import Usage
from tgllm.testing.changes import LOOK_SECONDS, Changes
from tgllm.testing.fake_providers.base.answers import Answer, Step, echo
from tgllm.testing.fake_providers.base.call import Call, read_body
from tgllm.testing.fake_providers.base.errors import Errors, FakeError, Refusal
from tgllm.testing.fake_providers.base.faults import Fault, Faults, Trouble
from tgllm.testing.fake_providers.base.journal import FakeRequest, note
from tgllm.testing.fake_providers.base.playing import ConnectionCut, Player
from tgllm.testing.fake_providers.base.serving import HOST, Serving
from tgllm.testing.fake_providers.base.wire import Wire, estimate_tokens

__all__ = ["Endpoint", "FakeServer", "Route"]

T = TypeVar("T")
Endpoint = Callable[[Call], Awaitable[web.StreamResponse]]
Route = tuple[str, str, Endpoint]
"""The HTTP method, the path as aiohttp writes it, and what answers."""
_WAIT_SECONDS = 30.0


class FakeServer(ABC):
    """Serves one API while its ``async with`` block lasts.

    ``key`` is the only one that it takes; ``port`` 0 finds a free one; ``write_bytes`` is how many bytes of an answer
    are written at a time, None for whole events.
    """

    default_key: ClassVar[str]

    def __init__(
        self, *, key: str | None = None, port: int = 0, clock: Clock | None = None, write_bytes: int | None = 7
    ) -> None:
        self.key = key or self.default_key
        self.clock = clock or SystemClock()
        self.requests: list[FakeRequest] = []
        """All requests in the order of their arrival."""
        self.models: dict[str, dict[str, Any]] = {}
        """What the list of models says, by id; may be changed at any time."""
        self.open_streams = 0
        """Answers that are being written."""
        self.context_window: int | None = None
        """If set, a conversation of more tokens (of four characters) is refused as too long, whatever the model."""
        self.changes = Changes()
        self.faults = Faults()
        self._write_bytes = write_bytes
        self._answers: deque[Answer] = deque()
        self._serving = Serving(port)

    # --- the server -----------------------------------------------------------------------

    async def __aenter__(self) -> Self:
        """Start serving."""
        await self.start()
        return self

    async def __aexit__(self, *_exc: object) -> None:
        """Stop serving."""
        await self.stop()

    async def start(self) -> None:
        """Bind the port and serve. Raises OSError when the port is taken."""
        await self._serving.start(self._app())

    async def stop(self) -> None:
        """Close the port and cut all connections; what was ordered and seen stays for the next start."""
        await self._serving.stop()

    @property
    def base_url(self) -> str:
        """Where it listens, without a version or a path."""
        return f"http://{HOST}:{self._serving.port}"

    @property
    def open_connections(self) -> int:
        """Connections that clients hold open, idle ones included."""
        return self._serving.connections

    # --- what it does ---------------------------------------------------------------------

    @property
    @abstractmethod
    def errors(self) -> Errors:
        """Makes the API's own error bodies."""

    def answer(
        self,
        text: str | Sequence[Step] = "",
        *,
        reasoning: str | Sequence[str] = "",
        usage: Usage | None = None,
        finish: str | None = None,
        trailing_usage: bool = False,
        error: FakeError | None = None,
        endless: bool = False,
    ) -> None:
        """Order the next answer; see ``Answer`` for what each part means. Without an order it echoes the question."""
        answer = Answer.of(text, reasoning)
        self.order(
            replace(answer, usage=usage, finish=finish, trailing_usage=trailing_usage, error=error, endless=endless)
        )

    def order(self, answer: Answer) -> None:
        """Order the next answer as a value."""
        self._answers.append(answer)

    @abstractmethod
    def refuse(self) -> None:
        """Order that the next question is blocked by the API's filter, in the API's own way."""

    @abstractmethod
    def add_model(self, model: str, *, context_window: int, vision: bool = False, reasoning: bool = False) -> None:
        """Offer one more chat model; ``context_window`` is in tokens. What the API does not tell of it is dropped."""

    def fault(self, path: str, trouble: Trouble, *, times: int | None = 1) -> Fault:
        """Let trouble strike the next ``times`` requests whose path contains ``path``; None: all of them."""
        return self.faults.add(Fault(path, trouble, times))

    async def wait_for(self, predicate: Callable[[], T | None], timeout: float = _WAIT_SECONDS) -> T:
        """The first value of ``predicate`` that is true in the sense of Python.

        It is tested now, at each change and every 50 ms. Raises TimeoutError after ``timeout`` real seconds,
        with the requests.
        """
        try:
            async with asyncio.timeout(timeout):
                return await self.changes.first(predicate, LOOK_SECONDS)
        except TimeoutError:
            seen = "\n".join(f"{r.method} {r.path} {r.status}" for r in self.requests)
            raise TimeoutError(f"nothing of the kind within {timeout:g} s; requests:\n{seen}") from None

    # --- for the three ----------------------------------------------------------------------

    @abstractmethod
    def _routes(self) -> Iterable[Route]:
        """What it serves."""

    @abstractmethod
    def _given_key(self, request: web.Request) -> str | None:
        """The key that the client sent; None if it sent none."""

    def _check_length(self, text: str) -> None:
        """Raises Refusal for a conversation above ``context_window``."""
        tokens = estimate_tokens(text)
        if self.context_window is not None and tokens > self.context_window:
            raise Refusal(self.errors.too_long(tokens, self.context_window))

    async def _play(self, call: Call, wire: Wire, question: str, *, stream: bool) -> web.StreamResponse:
        """Answer with the next order, or with the question."""
        answer = self._answers.popleft() if self._answers else echo(question)
        if answer.error is not None and answer.fails_at_once:
            raise Refusal(answer.error)
        player = Player(call.request, wire, self.clock, self._write_bytes)
        call.recorded.status = 200
        self.open_streams += 1
        self.changes.bump()
        try:
            return await (player.stream(answer) if stream else player.whole(answer))
        finally:
            self.open_streams -= 1
            self.changes.bump()

    # --- each request -----------------------------------------------------------------------

    def _app(self) -> web.Application:
        app = web.Application(client_max_size=256 * 1024 * 1024)
        for method, path, endpoint in self._routes():
            app.router.add_route(method, path, functools.partial(self._handle, endpoint))
        app.router.add_route("*", "/{tail:.*}", functools.partial(self._handle, self._nowhere))
        return app

    async def _nowhere(self, call: Call) -> web.StreamResponse:
        raise Refusal(self.errors.not_found(call.request.path))

    async def _handle(self, endpoint: Endpoint, request: web.Request) -> web.StreamResponse:
        recorded = note(request)
        call = Call(request, recorded)
        self.requests.append(recorded)
        try:
            return await self._answer(endpoint, call)
        except ConnectionResetError:
            recorded.closed_by_client = True
            raise
        except asyncio.CancelledError:
            recorded.closed_by_client = not self._serving.stopping
            raise
        finally:
            recorded.done = True
            self.changes.bump()

    async def _answer(self, endpoint: Endpoint, call: Call) -> web.StreamResponse:
        try:
            await read_body(call)
            self.changes.bump()
            self._check_key(call.request)
            await self.faults.strike(call.request.path)
            response = await endpoint(call)
        except Refusal as refusal:
            response = _failed(refusal.error)
        except ConnectionCut:
            return self._cut(call)
        call.recorded.status = response.status
        return response

    def _check_key(self, request: web.Request) -> None:
        given = self._given_key(request)
        if given != self.key:
            raise Refusal(self.errors.wrong_key(given or ""))

    def _cut(self, call: Call) -> web.StreamResponse:
        """Abort the connection; aiohttp finds it closed when it comes to write what is returned."""
        call.recorded.status = 0
        if call.request.transport is not None:
            call.request.transport.abort()
        return web.Response()


def _failed(error: FakeError) -> web.Response:
    headers = {"Content-Type": error.content_type, **error.headers}
    return web.Response(body=error.content, status=error.status, headers=headers)
