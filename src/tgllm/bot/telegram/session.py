"""Session of the Bot API, faster than aiogram's own."""

from typing import Any

from aiogram import Bot
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from aiogram.methods import Response
from aiogram.methods.base import TelegramMethod, TelegramType

__all__ = ["BotSession"]


class BotSession(AiohttpSession):
    """Session that keeps the models with which responses are validated.

    aiogram asks pydantic for ``Response[Message]`` at each response. pydantic caches such a model by a weak reference,
    so every run of the garbage collector would drop it, and building it again takes some 50 ms.
    """

    def __init__(self, api: TelegramAPIServer, *, timeout: float) -> None:
        """Connect to the server ``api``; calls time out after ``timeout`` seconds."""
        super().__init__(api=api, timeout=timeout)
        self._kept: dict[type[TelegramMethod[Any]], type[Response[Any]]] = {}

    def check_response(
        self, bot: Bot, method: TelegramMethod[TelegramType], status_code: int, content: str
    ) -> Response[TelegramType]:
        """Keep the response model, then validate as aiogram does."""
        if type(method) not in self._kept:
            self._kept[type(method)] = Response[method.__returning__]
        return super().check_response(bot, method, status_code, content)

    async def close(self) -> None:
        """Close the connections; without TLS, skip aiogram's wait of 250 ms for TLS connections to close."""
        if self.api.base.startswith("https:"):
            await super().close()
        elif self._session is not None:
            await self._session.close()
