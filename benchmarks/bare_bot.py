"""A bare aiogram bot, with its polling and defaults, and uvloop and a frozen heap as in tgllm."""

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
    """Call ``handler`` for every message until a signal arrives."""
    uvloop.run(_serve(handler))


async def _serve(handler: Callable[[Message], Awaitable[None]]) -> None:
    session = AiohttpSession(api=TelegramAPIServer.from_base(os.environ["TGLLM_TELEGRAM_API"]))
    bot = Bot(os.environ["TGLLM_BOT_TOKEN"], session=session)
    dispatcher = Dispatcher()
    dispatcher.message.register(handler)
    gc.collect()
    gc.freeze()
    await dispatcher.start_polling(bot)  # pyright: ignore[reportUnknownMemberType]  aiogram's list has no item type
