"""The connection to the Bot API server."""

import gc
import json
import weakref
from typing import Any

import pytest
from aiogram import Bot
from aiogram.client.telegram import TelegramAPIServer
from aiogram.methods import Response, SendMessage, SetMessageReaction
from aiogram.methods.base import TelegramMethod
from aiogram.types import BufferedInputFile, Chat, ReactionTypeEmoji
from aiohttp import web
from aiohttp.test_utils import RawTestServer

from tgllm.bot.delivery.calls import RawSendDocument, RawSendMessage
from tgllm.bot.telegram.session import BotSession


async def test_the_model_of_an_answer_outlives_the_garbage_collector() -> None:
    session = BotSession(TelegramAPIServer.from_base("http://127.0.0.1"), timeout=1)
    answer = {"ok": True, "result": {"message_id": 1, "date": 0, "chat": {"id": 1, "type": "private"}}}
    async with Bot("42:TEST", session=session) as bot:
        method = SendMessage(chat_id=1, text="hello")
        read = session.check_response(bot, method, 200, json.dumps(answer))
        model = weakref.ref(type(read))
        assert read.result is not None
        assert isinstance(read.result.chat, Chat)
        del read
        gc.collect()
        kept = model()
        assert kept is not None
        assert kept is Response[method.__returning__]


@pytest.mark.parametrize(("base", "waits"), [("https://127.0.0.1", [0.25]), ("http://127.0.0.1", [])])
async def test_only_encrypted_connections_are_given_time_to_close(
    base: str, waits: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    session = BotSession(TelegramAPIServer.from_base(base), timeout=1)
    connections = await session.create_session()
    monkeypatch.setattr("aiogram.client.session.aiohttp.asyncio.sleep", sleep)
    await session.close()
    assert connections.closed
    assert [seconds for seconds in slept if seconds] == waits


@pytest.mark.parametrize("exceptions", ["", "::1,[::1]:8080"])
async def test_the_proxy_of_the_environment_is_used(exceptions: str, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[str, str | None]] = []

    async def handler(request: web.BaseRequest) -> web.Response:
        seen.append((request.raw_path, request.headers.get("Proxy-Authorization")))
        return web.json_response({"ok": True, "result": True})

    async with RawTestServer(handler, host="127.0.0.1") as server:
        monkeypatch.setenv("http_proxy", str(server.make_url("/")).replace("//", "//user:pass@"))
        monkeypatch.setenv("no_proxy", exceptions)
        session = BotSession(TelegramAPIServer.from_base("http://telegram.invalid"), timeout=5)
        async with Bot("42:TEST", session=session) as bot:
            await bot.log_out()
    assert seen == [("http://telegram.invalid/bot42:TEST/logOut", "Basic dXNlcjpwYXNz")]


@pytest.mark.parametrize("value", ["http://127.0.0.1:port", "socks://127.0.0.1:9"])
async def test_a_proxy_that_can_not_be_used_is_left_out(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async def handler(request: web.BaseRequest) -> web.Response:
        return web.json_response({"ok": True, "result": True})

    async with RawTestServer(handler, host="127.0.0.1") as server:
        monkeypatch.setenv("http_proxy", value)
        session = BotSession(TelegramAPIServer.from_base(str(server.make_url("")).rstrip("/")), timeout=5)
        async with Bot("42:TEST", session=session) as bot:
            assert await bot.log_out()


async def sent(*methods: TelegramMethod[Any]) -> list[tuple[str, str]]:
    """The content type and the body of each call."""
    seen: list[tuple[str, str]] = []

    async def handler(request: web.BaseRequest) -> web.Response:
        seen.append((request.content_type, (await request.read()).decode()))
        return web.json_response({"ok": True, "result": True})

    async with RawTestServer(handler, host="127.0.0.1") as server:
        session = BotSession(TelegramAPIServer.from_base(str(server.make_url("/")).rstrip("/")), timeout=5)
        async with Bot("42:TEST", session=session) as bot:
            for method in methods:
                await bot(method)
    return seen


async def test_a_call_is_sent_as_json_without_what_is_not_set() -> None:
    markup = {"inline_keyboard": [[{"text": "\N{SNOWMAN}", "callback_data": "1"}]]}
    (call,) = await sent(RawSendMessage(chat_id=-5, text="Größe 😀", reply_markup=markup))
    assert call[0] == "application/json"
    assert json.loads(call[1]) == {"chat_id": -5, "text": "Größe 😀", "reply_markup": markup}


async def test_aiograms_own_methods_are_sent_as_json_too() -> None:
    (call,) = await sent(SetMessageReaction(chat_id=1, message_id=2, reaction=[ReactionTypeEmoji(emoji="👀")]))
    wanted = {"chat_id": 1, "message_id": 2, "reaction": [{"type": "emoji", "emoji": "👀"}]}
    assert (call[0], json.loads(call[1])) == ("application/json", wanted)


async def test_a_call_with_a_file_is_a_form() -> None:
    file = BufferedInputFile(b"content", "a.txt")
    (call,) = await sent(RawSendDocument(chat_id=1, document=file, reply_markup={"inline_keyboard": []}))
    assert call[0] == "multipart/form-data"
    assert "content" in call[1]
    assert 'name="reply_markup"' in call[1]
