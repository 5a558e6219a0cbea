"""Base class of the fake servers, which listen on the loopback interface."""

import asyncio
import functools
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any, ClassVar, Self, TypeVar

from aiohttp import web

from tgllm.api.clock import Clock, SystemClock
from tgllm.api.events import ToolCall
from tgllm.api.types import Usage
from tgllm.testing.changes import LOOK_SECONDS, Changes
from tgllm.testing.fake_providers.base.answers import Answer, Step, echo
from tgllm.testing.fake_providers.base.call import Call, read_body
from tgllm.testing.fake_providers.base.deviations import in_form, is_possible
from tgllm.testing.fake_providers.base.errors import Errors, FakeError, Refusal
from tgllm.testing.fake_providers.base.faults import Fault, Faults, Trouble
from tgllm.testing.fake_providers.base.journal import FakeRequest, note
from tgllm.testing.fake_providers.base.playing import ConnectionCut, Player
from tgllm.testing.fake_providers.base.serving import HOST, Serving
from tgllm.testing.fake_providers.base.wire import Wire, estimate_tokens

__all__ = ["GATEWAY", "Endpoint", "FakeServer", "Route"]

T = TypeVar("T")
Endpoint = Callable[[Call], Awaitable[web.StreamResponse]]
Route = tuple[str, str, Endpoint]
"""HTTP method, path as in aiohttp, and handler."""
GATEWAY = "/gateway"
"""Folder below which a server answers as it does at its root, as a gateway in front of it would."""
_WAIT_SECONDS = 30.0


class FakeServer(ABC):
    """Fake server of an API, running within its ``async with`` block.

    ``key`` is the only valid key; ``port`` 0 chooses a free one; ``write_bytes`` is the number of bytes in a write of
    an answer, None writes whole events.
    """

    default_key: ClassVar[str]
    has_done: ClassVar[bool] = True
    """Whether the API has OpenAI's format, in which a stream ends with ``[DONE]``."""
    call_forms: ClassVar[frozenset[str]] = frozenset()
    """Forms in which calls of tools can be streamed, besides the usual one."""

    def __init__(
        self, *, key: str | None = None, port: int = 0, clock: Clock | None = None, write_bytes: int | None = 7
    ) -> None:
        self.key = key or self.default_key
        self.gateway_key = self.key
        """The key below ``/gateway``; can be changed before a request."""
        self.clock = clock or SystemClock()
        self.requests: list[FakeRequest] = []
        """All requests in order of arrival."""
        self.models: dict[str, dict[str, Any]] = {}
        """Entries of the model list by id; can be changed at any time."""
        self.open_streams = 0
        """Number of answers that are being written."""
        self.context_window: int | None = None
        """If set, conversations of more tokens (of four characters) are refused as too long, for every model."""
        self.changes = Changes()
        self.faults = Faults()
        self.write_bytes = write_bytes
        """Bytes in a write of an answer; None writes whole events. Can be changed at any time."""
        self.refuses_tools = False
        """Whether requests with tools are refused, as for a model that can't call them. Can be changed at any time."""
        self._answers: deque[Answer] = deque()
        self._calls = 0
        self._in_place: Answer | None = None
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
        """Bind the port and serve. Raises OSError if the port is in use."""
        await self._serving.start(self._app())

    async def stop(self) -> None:
        """Close the port and all connections; answers and the journal are kept for the next start."""
        await self._serving.stop()

    @property
    def base_url(self) -> str:
        """Base URL, without a version or a path."""
        return f"http://{HOST}:{self._serving.port}"

    @property
    def open_connections(self) -> int:
        """Number of open connections, including idle ones."""
        return self._serving.connections

    # --- answers and faults ---------------------------------------------------------------

    @property
    @abstractmethod
    def errors(self) -> Errors:
        """Factory of the API's error bodies."""

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
        """Add an answer to the queue; see ``Answer`` for its parts. Without one, the server echoes the question."""
        answer = Answer.of(text, reasoning)
        self.order(
            replace(answer, usage=usage, finish=finish, trailing_usage=trailing_usage, error=error, endless=endless)
        )

    def deviate(self, name: str, text: str | Sequence[Step]) -> None:
        """Add a complete answer that is streamed with a deviation from the API's format; see ``DEVIATIONS``.

        Raises:
            NotImplementedError: the format of the API has no such deviation.
        """
        if not is_possible(name, has_done=self.has_done):
            raise NotImplementedError(f"{type(self).__name__} has no deviation {name!r}")
        self.order(replace(Answer.of(text, ""), deviation=name))

    def break_with(self, form: str, text: str | Sequence[Step]) -> None:
        """Add an answer that breaks after this text, in one of ``BREAKS``."""
        self.order(replace(Answer.of(text, ""), broken=form))

    def fail_in_place(self, form: str, words: str) -> None:
        """Send an error in place of every answer from now on, with the status 200, in one of ``ERROR_FORMS``."""
        self._in_place = Answer(body=in_form(form, words))

    def call(
        self,
        *calls: ToolCall,
        text: str | Sequence[Step] = "",
        reasoning: str | Sequence[str] = "",
        usage: Usage | None = None,
        finish: str | None = None,
        form: str = "",
    ) -> None:
        """Add an answer that says this text, and then calls tools, all at once.

        Args:
            calls: the calls; one without an id gets one of the API's. The arguments need not be JSON.
            text: as in ``answer``.
            reasoning: as in ``answer``.
            usage: as in ``answer``.
            finish: the API's finish reason. None: the one for an answer with calls.
            form: how the calls are streamed, one of ``call_forms``; empty: the usual way.

        Raises:
            NotImplementedError: the API has no such form.
        """
        if form and form not in self.call_forms:
            raise NotImplementedError(f"{type(self).__name__} has no form {form!r} of calls")
        said = Answer.of(text, reasoning)
        self.order(replace(said, steps=(*said.steps, *calls), usage=usage, finish=finish, call_form=form))

    def order(self, answer: Answer) -> None:
        """Add an answer to the queue, as an ``Answer``."""
        steps = tuple(self._named(step) if isinstance(step, ToolCall) else step for step in answer.steps)
        self._answers.append(replace(answer, steps=steps))

    @abstractmethod
    def refuse(self) -> None:
        """Block the next request by the API's content filter, with the API's response to that."""

    @abstractmethod
    def add_model(self, model: str, *, context_window: int, vision: bool = False, reasoning: bool = False) -> None:
        """Add a chat model; ``context_window`` is in tokens. What the API's list does not contain is ignored."""

    def fault(self, path: str, trouble: Trouble, *, times: int | None = 1, skip: int = 0) -> Fault:
        """Activate a fault for the next ``times`` requests whose path contains ``path``; None: for all of them.

        It begins after the next ``skip`` of these requests.
        """
        return self.faults.add(Fault(path, trouble, times, skip=skip))

    async def wait_for(self, predicate: Callable[[], T | None], timeout: float = _WAIT_SECONDS) -> T:
        """Return the first value of ``predicate`` that is truthy.

        It is called immediately, at each change and every 50 ms. Raises TimeoutError after ``timeout`` seconds of real
        time, with the requests.
        """
        try:
            async with asyncio.timeout(timeout):
                return await self.changes.first(predicate, LOOK_SECONDS)
        except TimeoutError:
            seen = "\n".join(f"{r.method} {r.path} {r.status}" for r in self.requests)
            raise TimeoutError(f"nothing of the kind within {timeout:g} s; requests:\n{seen}") from None

    # --- for subclasses ---------------------------------------------------------------------

    @abstractmethod
    def _routes(self) -> Iterable[Route]:
        """Return the routes of the API."""

    @abstractmethod
    def _given_key(self, request: web.Request) -> str | None:
        """Return the key of the request, or None."""

    def _call_id(self, number: int) -> str:
        """Return the API's id of the n-th call of a tool; may be empty if the API has none."""
        return f"call_{number:024d}"

    def _named(self, call: ToolCall) -> ToolCall:
        if call.id:
            return call
        self._calls += 1
        return replace(call, id=self._call_id(self._calls))

    def _check_length(self, text: str) -> None:
        """Raise Refusal for a conversation above ``context_window``."""
        tokens = estimate_tokens(text)
        if self.context_window is not None and tokens > self.context_window:
            raise Refusal(self.errors.too_long(tokens, self.context_window))

    async def _play(self, call: Call, wire: Wire, question: str, *, stream: bool) -> web.StreamResponse:
        """Respond with the next answer of the queue, or echo the question."""
        answer = self._in_place or (self._answers.popleft() if self._answers else echo(question))
        if answer.error is not None and answer.fails_at_once:
            raise Refusal(answer.error)
        player = Player(call.request, wire, self.clock, self.write_bytes)
        call.recorded.status = 200
        self.open_streams += 1
        self.changes.bump()
        try:
            return await (player.stream(answer) if stream else player.whole(answer))
        finally:
            self.open_streams -= 1
            self.changes.bump()

    # --- request handling -------------------------------------------------------------------

    def _app(self) -> web.Application:
        app = web.Application(client_max_size=256 * 1024 * 1024)
        for method, path, endpoint in self._routes():
            for place in ("", GATEWAY):
                app.router.add_route(method, place + path, functools.partial(self._handle, endpoint))
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
        below = request.path.startswith(f"{GATEWAY}/")
        if given != (self.gateway_key if below else self.key):
            raise Refusal(self.errors.wrong_key(given or ""))

    def _cut(self, call: Call) -> web.StreamResponse:
        """Abort the connection; aiohttp does not send the returned response, because the transport is closed."""
        call.recorded.status = 0
        if call.request.transport is not None:
            call.request.transport.abort()
        return web.Response()


def _failed(error: FakeError) -> web.Response:
    headers = {"Content-Type": error.content_type, **error.headers}
    return web.Response(body=error.content, status=error.status, headers=headers)
