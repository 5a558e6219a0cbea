"""The connection to the Bot API server, with what aiogram's own lacks."""

from typing import Any

from aiogram import Bot
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from aiogram.methods import Response
from aiogram.methods.base import TelegramMethod, TelegramType

__all__ = ["BotSession"]


class BotSession(AiohttpSession):
    """Keeps the models by which answers are checked.

    aiogram asks pydantic for ``Response[Message]`` at each answer. pydantic holds such a model by a weak reference, so
    that every run of the garbage collector would take it away, and making it again takes some 50 ms.
    """

    def __init__(self, api: TelegramAPIServer, *, timeout: float) -> None:
        """Talk to the server ``api``; a call is given up after ``timeout`` seconds."""
        super().__init__(api=api, timeout=timeout)
        self._kept: dict[type[TelegramMethod[Any]], type[Response[Any]]] = {}

    def check_response(
        self, bot: Bot, method: TelegramMethod[TelegramType], status_code: int, content: str
    ) -> Response[TelegramType]:
        """Read an answer; see aiogram."""
        if type(method) not in self._kept:
            self._kept[type(method)] = Response[method.__returning__]
        return super().check_response(bot, method, status_code, content)

    async def close(self) -> None:
        """Close the connections; see aiogram, which then waits a quarter of a second for the ends of encryption."""
        if self.api.base.startswith("https:"):
            await super().close()
        elif self._session is not None:
            await self._session.close()
