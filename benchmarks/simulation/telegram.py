"""Telegram in memory: the emulator's methods without HTTP, with delays and faults of the network."""

# ruff: noqa: SLF001  it takes the place of what sessions and servers do behind their doors

import asyncio
import inspect
import json
from typing import Any, cast

from aiogram import Bot
from aiogram.methods.base import TelegramMethod
from aiohttp import ClientConnectorError, ServerDisconnectedError
from aiohttp.client_reqrep import ConnectionKey

from benchmarks.simulation.loop import run_now
from benchmarks.simulation.outside import Outside, Request
from tgllm.bot.telegram.answers import UnreadableAnswer
from tgllm.bot.telegram.get_updates import RawGetUpdates
from tgllm.bot.telegram.session import BotSession
from tgllm.testing.emulator import BotApiError
from tgllm.testing.emulator.limits.rates import is_metered
from tgllm.testing.emulator.methods.call import MethodCall, Upload
from tgllm.testing.emulator.methods.table import HANDLERS
from tgllm.testing.emulator.protocol.errors import too_many_requests
from tgllm.testing.emulator.protocol.parameters import method_spec
from tgllm.testing.emulator.server.parameter_values import read_parameters

__all__ = ["Network"]

_FAULTS = ("429", "502", "500", "refused", "cut before", "cut after", "slow")


class Network:
    """What is between the bot and Telegram."""

    def __init__(self) -> None:
        """Create it; ``outside`` is set by each schedule."""
        self.outside: Outside = cast("Outside", None)
        self._validators: dict[Any, Any] = {}
        """Models with which responses are validated, for all lives: a session builds its own."""

    def crash(self) -> None:
        """Execute a part of the requests that are on the way; the others are lost with their connections."""
        for request in self.outside.on_the_way:
            if self.outside.network.random() < 0.5:
                _execute(request)
        self.outside.on_the_way.clear()
        self.outside.world.disconnect()

    async def request(self, session: BotSession, bot: Bot, method: TelegramMethod[Any], seconds: float) -> Any:  # noqa: ANN401  results of any kind
        """Make a call, in place of ``BotSession._request``."""
        session._kept = self._validators
        name = method.__api_method__
        fault = self._fault() if name != "getMe" else ""
        await asyncio.sleep(self.outside.network.uniform(0.001, 0.05))
        if fault == "refused":
            raise ClientConnectorError(_KEY, ConnectionRefusedError(111, "refused"))
        if fault == "cut before":
            raise ServerDisconnectedError
        if fault == "502":
            raise UnreadableAnswer("HTTP 502 with a web page (502) in place of JSON", "check {setting}", 502)
        if fault in {"429", "500"}:
            status, text = (
                (429, "Too Many Requests: retry after 1") if fault == "429" else (500, "Internal Server Error: restart")
            )
            parameters = {"parameters": {"retry_after": 1}} if fault == "429" else {}
            answer = {"ok": False, "error_code": status, "description": text, **parameters}
            return session.check_response(bot, method, status, json.dumps(answer)).result
        status, answer = await self._executed(session, bot, method)
        await asyncio.sleep(self.outside.network.uniform(0.001, 0.2 if fault != "slow" else 2 * seconds))
        if fault == "slow":
            raise TimeoutError
        if fault == "cut after":
            raise ServerDisconnectedError
        if isinstance(method, RawGetUpdates):
            return (
                answer["result"]
                if status == 200
                else session.check_response(bot, method, status, json.dumps(answer)).result
            )
        return session.check_response(bot, method, status, json.dumps(answer)).result

    def _fault(self) -> str:
        if self.outside.network.random() >= self.outside.faults:
            return ""
        self.outside.struck += 1
        return self.outside.network.choice(_FAULTS)

    async def _executed(self, session: BotSession, bot: Bot, method: TelegramMethod[Any]) -> tuple[int, dict[str, Any]]:
        """Execute a call after a while, unless the program crashes before and the request is lost."""
        sent = self._sent(session, bot, method)
        if isinstance(method, RawGetUpdates):
            return await self._answered(HANDLERS["getUpdates"](sent.call))
        self.outside.on_the_way.append(sent)
        await asyncio.sleep(self.outside.network.uniform(0.001, 0.1))
        self.outside.on_the_way.remove(sent)
        return _execute(sent)

    async def _answered(self, result: Any) -> tuple[int, dict[str, Any]]:  # noqa: ANN401  JSON
        try:
            return 200, {"ok": True, "result": await result}
        except BotApiError as error:
            return error.code, error.to_json()

    def _sent(self, session: BotSession, bot: Bot, method: TelegramMethod[Any]) -> Request:
        raw: dict[str, object] = {}
        files: dict[str, Any] = {}
        for name, value in method.model_dump(warnings=False).items():
            prepared = session.prepare_value(value, bot=bot, files=files)
            if prepared:
                raw[name] = prepared
        uploads = {
            name: Upload(file.filename or name, "application/octet-stream", b"x") for name, file in files.items()
        }
        spec = method_spec(method.__api_method__)
        assert spec is not None  # noqa: S101  aiogram knows no others
        params, wrong = read_parameters(spec, {**raw, **uploads})
        emulator = self.outside.world.emulator
        return Request(MethodCall(emulator.world, emulator.bot, spec, params, uploads, lambda: True), wrong)


def _execute(request: Request) -> tuple[int, dict[str, Any]]:
    call = request.call
    world = call.world
    journal = world.journal.open(call.bot.id, call.spec.name, call.params, world.clock.monotonic())
    try:
        if request.wrong is not None:
            raise request.wrong
        chat = call.find_chat() if is_metered(call.spec.name) else None
        wait = None if chat is None else world.meter.charge(call.bot.id, chat)
        if wait is not None:
            raise too_many_requests(wait)
        handler = HANDLERS.get(call.spec.name)
        result: object = True if handler is None else handler(call)
        if inspect.iscoroutine(result):
            result = run_now(result)
        journal.status = 200
    except BotApiError as error:
        journal.status = error.code
        return error.code, error.to_json()
    return 200, {"ok": True, "result": result}


_KEY = cast("Any", ConnectionKey)("127.0.0.1", 80, False, None, None, None, None)
