"""The connection to the Bot API server."""

import gc
import json
import weakref

from aiogram import Bot
from aiogram.client.telegram import TelegramAPIServer
from aiogram.methods import Response, SendMessage
from aiogram.types import Chat

from tgllm.bot.session import BotSession


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
