"""Bot API over HTTP: ``/bot{token}/{method}`` and ``/file/bot{token}/{path}``."""

import asyncio
import inspect
import json
from functools import partial
from typing import TypeGuard, cast

from aiohttp import web

from tgllm.testing.emulator.limits.faults import Fault, FaultKind
from tgllm.testing.emulator.limits.rates import is_metered
from tgllm.testing.emulator.methods.call import Described
from tgllm.testing.emulator.methods.table import HANDLERS, MethodCall
from tgllm.testing.emulator.protocol.errors import (
    BotApiError,
    ConnectionCutError,
    not_found,
    too_many_requests,
    unauthorized,
)
from tgllm.testing.emulator.protocol.parameters import MethodSpec, method_spec
from tgllm.testing.emulator.server.file_download import send_file
from tgllm.testing.emulator.server.parameter_values import read_parameters
from tgllm.testing.emulator.server.reading import read_request
from tgllm.testing.emulator.state.bots import EmulatedBot
from tgllm.testing.emulator.state.files import MAX_DOWNLOAD_BYTES, MAX_UPLOAD_BYTES
from tgllm.testing.emulator.world.world import World

__all__ = ["MAX_REQUEST_BYTES", "BotApi"]

MAX_REQUEST_BYTES = MAX_UPLOAD_BYTES + 4 * 1024 * 1024
_HTML = "<html><head><title>{0}</title></head><body><h1>{0} Bad Gateway</h1></body></html>"


class BotApi:
    """Request handlers of the Bot API, on the state of a world."""

    def __init__(self, world: World) -> None:
        self._world = world

    def add_routes(self, app: web.Application) -> None:
        """Add the routes to an application."""
        app.router.add_route("*", "/bot{token}/{method}", self._method)
        app.router.add_get("/file/bot{token}/{path:.+}", self._file)
        app.router.add_route("*", "/bot{nothing:.*}", _nothing_there)

    async def _method(self, request: web.Request) -> web.Response:
        try:
            bot, spec = self._bot(request), _spec(request)
            raw, uploads = await read_request(request)
        except BotApiError as error:
            return _failed(error)
        params, wrong = read_parameters(spec, {**raw, **uploads})
        method_call = MethodCall(self._world, bot, spec, params, uploads, partial(_is_connected, request))
        call = self._world.journal.open(bot.id, spec.name, params, self._world.clock.monotonic())
        self._world.changes.bump()
        try:
            response = await self._answer(method_call, wrong)
            call.status = response.status
        except ConnectionCutError:
            response = _cut(request)
            call.status = 0
        except BotApiError as error:
            call.status, call.error = error.code, error.description
            response = _failed(error)
        except asyncio.CancelledError:
            call.status = 0
            raise
        self._world.changes.bump()
        return response

    def _bot(self, request: web.Request) -> EmulatedBot:
        bot = self._world.bots.get(request.match_info["token"])
        if bot is None:
            raise unauthorized()
        return bot

    async def _answer(self, call: MethodCall, wrong: BotApiError | None) -> web.Response:
        fault = self._world.faults.take(call.spec.name, call.get("chat_id"))
        if fault is not None:
            self._world.changes.bump()
            if fault.kind is FaultKind.HTML:
                return _html(fault.status)
            if fault.kind is FaultKind.RAW:
                return web.Response(body=fault.body, status=fault.status, headers=fault.headers)
            await _strike_before(fault)
        if wrong is not None:
            raise wrong
        result = await self._carry_out(call)
        if fault is not None:
            await _strike_after(fault)
        if isinstance(result, Described):
            return _json({"ok": True, "result": result.result, "description": result.description})
        return _json({"ok": True, "result": result}) if not _has_raw(result) else _with_raw(result)

    async def _carry_out(self, call: MethodCall) -> object:
        self._charge(call)
        handler = HANDLERS.get(call.spec.name)
        if handler is None:
            return _without_handler(call.spec)
        result = handler(call)
        return await result if inspect.isawaitable(result) else result

    def _charge(self, call: MethodCall) -> None:
        chat = call.find_chat() if is_metered(call.spec.name) else None
        wait = None if chat is None else self._world.meter.charge(call.bot.id, chat)
        if wait is not None:
            raise too_many_requests(wait)

    async def _file(self, request: web.Request) -> web.StreamResponse:
        try:
            self._bot(request)
            file = self._world.files.by_path(request.match_info["path"])
            if file is None or file.size > MAX_DOWNLOAD_BYTES:
                raise BotApiError(404, "Not Found")
            return await send_file(self._world, request, file)
        except BotApiError as error:
            return _failed(error)


async def _nothing_there(request: web.Request) -> web.Response:
    del request
    return _failed(BotApiError(404, "Not Found"))


def _spec(request: web.Request) -> MethodSpec:
    spec = method_spec(request.match_info["method"])
    if spec is None:
        raise not_found()
    return spec


def _is_connected(request: web.Request) -> bool:
    return request.transport is not None and not request.transport.is_closing()


def _without_handler(spec: MethodSpec) -> object:
    if spec.returns_true:
        return True
    raise BotApiError(501, f"Not Implemented: the emulator does not model {spec.name}")


async def _strike_before(fault: Fault) -> None:
    if fault.error is not None:
        raise fault.error
    if fault.kind is FaultKind.CUT_BEFORE:
        raise ConnectionCutError
    if fault.kind is FaultKind.HOLD_BEFORE:
        await fault.released.wait()


async def _strike_after(fault: Fault) -> None:
    if fault.kind is FaultKind.CUT_AFTER:
        raise ConnectionCutError
    if fault.kind is FaultKind.HOLD_AFTER:
        await fault.released.wait()


def _json(body: object, status: int = 200) -> web.Response:
    return web.Response(body=_encoded(body), status=status, content_type="application/json")


def _encoded(body: object) -> bytes:
    """Encode as JSON in UTF-8, or in ASCII if it contains a lone surrogate, as an injected update may."""
    try:
        return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
    except UnicodeEncodeError:
        return json.dumps(body, separators=(",", ":")).encode()


def _has_raw(result: object) -> TypeGuard[list[object]]:
    """Return whether the result holds updates that are given as bytes."""
    return isinstance(result, list) and any(isinstance(each, bytes) for each in cast("list[object]", result))


def _with_raw(result: list[object]) -> web.Response:
    """Respond with updates of which some are given as bytes, which need not be JSON."""
    parts = [each if isinstance(each, bytes) else _encoded(each) for each in result]
    body = b'{"ok":true,"result":[' + b",\n".join(parts) + b"]}"
    return web.Response(body=body, content_type="application/json")


def _failed(error: BotApiError) -> web.Response:
    response = _json(error.to_json(), error.code)
    if error.retry_after is not None:
        response.headers["Retry-After"] = str(error.retry_after)
    return response


def _html(status: int) -> web.Response:
    return web.Response(text=_HTML.format(status), status=status, content_type="text/html")


def _cut(request: web.Request) -> web.Response:
    """Abort the connection; aiohttp does not send the returned response, because the transport is closed."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response()
