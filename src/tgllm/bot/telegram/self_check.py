"""Check of the bot's token for ``tgllm doctor``: asks Telegram for the bot's own account."""

import asyncio

from aiogram import Bot
from aiogram.client.telegram import TelegramAPIServer

from tgllm.api.context import Check
from tgllm.bot.telegram.failures import classify, fatal_error
from tgllm.bot.telegram.session import BotSession
from tgllm.providers.proxies import find_http_proxy

__all__ = ["check_telegram"]

_NAME = "Telegram"
_SECONDS = 20.0
_CURE = "check the network and telegram_api"


async def check_telegram(token: str, api: str, *, seconds: float = _SECONDS) -> Check:
    """Ask the Bot API server at ``api`` who the bot is; a failed check names the cause without the token."""
    session = BotSession(TelegramAPIServer.from_base(api), timeout=seconds)
    try:
        async with asyncio.timeout(seconds), Bot(token, session=session) as bot:
            me = await bot.get_me()
    except TimeoutError:
        return Check(_NAME, "failed", f"no answer within {seconds:g} s{_through(api)}: {_CURE}")
    except Exception as error:  # noqa: BLE001  any failure is the result of the check
        if refused := fatal_error(error):
            return Check(_NAME, "failed", str(refused))
        return Check(_NAME, "failed", f"{classify(error).reason}{_through(api)}: {_CURE}")
    return Check(_NAME, "ok", f"the bot is @{me.username}")


def _through(api: str) -> str:
    """Return the proxy of the connection as a part of a sentence; empty if there is none."""
    proxy, _ = find_http_proxy(api)
    return f" through the proxy {proxy}" if proxy else ""
