"""Control API over HTTP: ``/_control/...``, in JSON, for other processes and the chat page."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import Any, TypeVar

from aiohttp import web

from tgllm.testing.emulator.control.actions import ACTIONS, Action
from tgllm.testing.emulator.control.request import ControlRequest, read_control_request
from tgllm.testing.emulator.control.views import chat_view, message_view, state_view
from tgllm.testing.emulator.server.loopback import require_key
from tgllm.testing.emulator.state.records import EmulatedMessage
from tgllm.testing.emulator.world.transcript import transcript
from tgllm.testing.emulator.world.world import World

__all__ = ["HttpControl"]

T = TypeVar("T")

# Timeout of waiting requests; clients repeat them.
_LONG_POLL_SECONDS = 25.0


class HttpControl:
    """Handlers of control requests, which need the control key in a header."""

    def __init__(self, world: World, key: str) -> None:
        self._world = world
        self._key = key

    def add_routes(self, app: web.Application) -> None:
        """Add the routes to an application."""
        for name, action in ACTIONS.items():
            app.router.add_post(f"/_control/{name}", self._guarded(action))
        readers: dict[str, Action] = {
            "state": self._state,
            "chat": self._chat,
            "transcript": self._transcript,
            "journal": self._journal,
            "callback": self._callback,
            "wait": self._wait,
        }
        for name, reader in readers.items():
            app.router.add_get(f"/_control/{name}", self._guarded(reader))
        app.router.add_get("/_control/file", self._file)
        app.router.add_route("*", "/_control/{name:.*}", self._nothing)

    async def _nothing(self, request: web.Request) -> web.Response:
        words = f"there is no {request.method} {request.match_info['name']} in the control API"
        return web.json_response({"error": words}, status=404)

    def _guarded(self, action: Action) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def handle(request: web.Request) -> web.Response:
            require_key(request, self._key)
            try:
                answer = await action(await read_control_request(self._world, request))
            except (ValueError, LookupError, TypeError) as error:
                return web.json_response({"error": str(error)}, status=400)
            return web.json_response(answer, dumps=_dumps)

        return handle

    async def _state(self, request: ControlRequest) -> dict[str, Any]:
        await self._changed_since(request)
        return state_view(self._world)

    async def _chat(self, request: ControlRequest) -> dict[str, Any]:
        await self._changed_since(request)
        return chat_view(self._world, request.chat())

    async def _changed_since(self, request: ControlRequest) -> None:
        """With ``since``, wait until the version differs from it."""
        since, changes = request.number("since", -1), self._world.changes
        await _at_most(_LONG_POLL_SECONDS, changes.first(lambda: changes.version != since))

    async def _transcript(self, request: ControlRequest) -> dict[str, Any]:
        return {"transcript": transcript(request.chat())}

    async def _journal(self, request: ControlRequest) -> dict[str, Any]:
        """Return the calls after number ``after``, of one ``method`` if given."""
        after, method = request.number("after", 0), request.fields.get("method")
        calls = [c for c in self._world.journal if c.number > after and method in {None, c.method}]
        return {"calls": [asdict(call) for call in calls]}

    async def _callback(self, request: ControlRequest) -> dict[str, Any]:
        """Wait for the bot's answer to a button press; null after the timeout."""
        query = self._world.callbacks.get(request.text("id"))
        if query is None:
            raise LookupError("there is no such callback query")
        answer = await _at_most(_LONG_POLL_SECONDS, self._world.changes.first(lambda: query.answer))
        return {"answer": answer}

    async def _wait(self, request: ControlRequest) -> dict[str, Any]:
        """Wait for the oldest message of a bot that contains ``text`` and is newer than message ``after``."""
        chat, text, after = request.chat(), request.text("text", ""), request.number("after", 0)
        # In this order of arguments min returns the constant for "nan".
        seconds = min(_LONG_POLL_SECONDS, float(request.text("timeout", "10")))

        def found() -> EmulatedMessage | None:
            return next((m for m in chat.messages if m.id > after and m.from_bot and text in m.text), None)

        message = await _at_most(seconds, self._world.changes.first(found))
        return {"message": message_view(message) if message else None}

    async def _file(self, request: web.Request) -> web.Response:
        require_key(request, self._key)
        file = self._world.files.by_id(request.query.get("id", ""))
        if file is None:
            raise web.HTTPNotFound
        return web.Response(body=file.content, content_type="application/octet-stream")


async def _at_most(seconds: float, awaitable: Awaitable[T]) -> T | None:
    try:
        async with asyncio.timeout(seconds):
            return await awaitable
    except TimeoutError:
        return None


def _dumps(value: object) -> str:
    return json.dumps(value, ensure_ascii=True, default=str)
