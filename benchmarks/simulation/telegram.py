"""Telegram in memory: the emulator's methods without HTTP, with delays and faults of the network."""

# ruff: noqa: SLF001  it takes the place of what sessions and servers do behind their doors

import asyncio
import inspect
import json
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any, cast

from aiogram import Bot
from aiogram.methods.base import TelegramMethod
from aiohttp import ClientConnectorError, ServerDisconnectedError
from aiohttp.client_reqrep import ConnectionKey

from benchmarks.simulation.loop import run_now
from tgllm.bot.telegram.answers import UnreadableAnswer
from tgllm.bot.telegram.get_updates import RawGetUpdates
from tgllm.bot.telegram.session import BotSession
from tgllm.testing.emulator import BotApiError, Emulator
from tgllm.testing.emulator.limits.rates import is_metered
from tgllm.testing.emulator.methods.call import MethodCall, Upload
from tgllm.testing.emulator.methods.table import HANDLERS
from tgllm.testing.emulator.protocol.errors import too_many_requests
from tgllm.testing.emulator.protocol.parameters import method_spec
from tgllm.testing.emulator.server.parameter_values import read_parameters

__all__ = ["Network"]

_FAULTS = ("429", "502", "500", "refused", "cut before", "cut after", "slow")


@dataclass(slots=True)
class Network:
    """What is between the bot and Telegram."""

    emulator: Emulator
    dice: random.Random
    faults: float = 0.0
    """Part of the calls with a fault."""
    on_the_way: list[Callable[[], object]] = field(default_factory=list[Callable[[], object]])
    """Requests that have left and are not executed yet; a crash of the program doesn't stop them."""
    struck: int = 0
    kept: dict[Any, Any] = field(default_factory=dict[Any, Any])
    """Models with which responses are validated, for all lives: a session builds its own."""

    def reset(self, emulator: Emulator) -> None:
        """Begin with a Telegram that has seen no call."""
        self.emulator = emulator
        self.on_the_way.clear()
        self.struck = 0

    def crash(self) -> None:
        """Execute a part of the requests that are on the way; the others are lost with their connections."""
        for execute in self.on_the_way:
            if self.dice.random() < 0.5:
                execute()
        self.on_the_way.clear()
        queue = self.emulator.bot.queue
        # The connection of the waiting getUpdates is gone with the program.
        queue._poll = None
        self.emulator.world.changes._watchers.clear()

    async def request(self, session: BotSession, bot: Bot, method: TelegramMethod[Any], seconds: float) -> Any:  # noqa: ANN401  results of any kind
        """Make a call, in place of ``BotSession._request``."""
        session._kept = self.kept
        name = method.__api_method__
        fault = self._fault() if name != "getMe" else ""
        await asyncio.sleep(self.dice.uniform(0.001, 0.05))
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
        await asyncio.sleep(self.dice.uniform(0.001, 0.2 if fault != "slow" else 2 * seconds))
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
        if self.dice.random() >= self.faults:
            return ""
        self.struck += 1
        return self.dice.choice(_FAULTS)

    async def _executed(self, session: BotSession, bot: Bot, method: TelegramMethod[Any]) -> tuple[int, dict[str, Any]]:
        """Execute a call after a while, unless the program crashes before and the request is lost."""
        call, wrong = self._call(session, bot, method)
        if isinstance(method, RawGetUpdates):
            return await self._answered(HANDLERS["getUpdates"](call))
        done: list[tuple[int, dict[str, Any]]] = []
        execute = partial(self._execute, call, wrong, done)
        self.on_the_way.append(execute)
        await asyncio.sleep(self.dice.uniform(0.001, 0.1))
        self.on_the_way.remove(execute)
        execute()
        return done[0]

    def _execute(self, call: MethodCall, wrong: BotApiError | None, done: list[tuple[int, dict[str, Any]]]) -> None:
        world = self.emulator.world
        journal = world.journal.open(call.bot.id, call.spec.name, call.params, world.clock.monotonic())
        try:
            if wrong is not None:
                raise wrong
            chat = call.find_chat() if is_metered(call.spec.name) else None
            wait = None if chat is None else world.meter.charge(call.bot.id, chat)
            if wait is not None:
                raise too_many_requests(wait)
            handler = HANDLERS.get(call.spec.name)
            result: object = True if handler is None else handler(call)
            if inspect.iscoroutine(result):
                result = run_now(result)
            journal.status = 200
            done.append((200, {"ok": True, "result": result}))
        except BotApiError as error:
            journal.status = error.code
            done.append((error.code, error.to_json()))

    async def _answered(self, result: Any) -> tuple[int, dict[str, Any]]:  # noqa: ANN401  JSON
        try:
            return 200, {"ok": True, "result": await result}
        except BotApiError as error:
            return error.code, error.to_json()

    def _call(
        self, session: BotSession, bot: Bot, method: TelegramMethod[Any]
    ) -> tuple[MethodCall, BotApiError | None]:
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
        return MethodCall(self.emulator.world, self.emulator.bot, spec, params, uploads, lambda: True), wrong


_KEY = cast("Any", ConnectionKey)("127.0.0.1", 80, False, None, None, None, None)
