"""The connection to the Bot API server."""

import gc
import json
import weakref

import pytest
from aiogram import Bot
from aiogram.client.telegram import TelegramAPIServer
from aiogram.methods import Response, SendMessage
from aiogram.types import Chat

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
