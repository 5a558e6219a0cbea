"""A bot of aiogram alone: its own polling with its defaults, uvloop and a frozen heap as tgllm has them."""

import gc
import os
from collections.abc import Awaitable, Callable

import uvloop
from aiogram import Bot, Dispatcher
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from aiogram.types import Message

__all__ = ["run"]


def run(handler: Callable[[Message], Awaitable[None]]) -> None:
    """Answer every message by ``handler`` until a signal comes."""
    uvloop.run(_serve(handler))


async def _serve(handler: Callable[[Message], Awaitable[None]]) -> None:
    session = AiohttpSession(api=TelegramAPIServer.from_base(os.environ["TGLLM_TELEGRAM_API"]))
    bot = Bot(os.environ["TGLLM_BOT_TOKEN"], session=session)
    dispatcher = Dispatcher()
    dispatcher.message.register(handler)
    gc.collect()
    gc.freeze()
    await dispatcher.start_polling(bot)  # pyright: ignore[reportUnknownMemberType]  aiogram's list has no item type
