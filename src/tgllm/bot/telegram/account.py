"""The bot's own account at Telegram, for ``tgllm init`` and ``tgllm doctor``: a few calls, without a running bot.

Answers are read leniently: only what is needed, from any server that speaks the Bot API.
"""

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, ClassVar, Final, Literal, TypeVar, cast

from aiogram import Bot
from aiogram.client.telegram import TelegramAPIServer
from aiogram.exceptions import TelegramConflictError, TelegramForbiddenError
from aiogram.methods.base import TelegramMethod
from aiogram.utils.token import TokenValidationError

from tgllm.api import TgllmError
from tgllm.bot.telegram.answers import number_of, wrong_field
from tgllm.bot.telegram.connection import failure_of
from tgllm.bot.telegram.failures import classify, fatal_error, is_webhook, refused_by_conflict
from tgllm.bot.telegram.get_updates import BadResponse, RawGetUpdates
from tgllm.bot.telegram.session import BotSession
from tgllm.bot.telegram.webhook import DeleteWebhook, GetWebhookInfo, WebhookFacts, facts_of
from tgllm.providers.connections.failure import target_of
from tgllm.providers.proxies import find_http_proxy

__all__ = ["MOST_UPDATES", "Account", "AccountError", "BotFacts", "open_account"]

T = TypeVar("T")

MOST_UPDATES: Final = 100
"""Updates in one response. Bot API: getUpdates."""
_SECONDS: Final = 20.0

Problem = Literal["token", "webhook", "poller", "blocked", "not_bot_api", "unreachable"]


class AccountError(TgllmError):
    """A call failed; the message says why, and holds no token."""

    def __init__(self, message: str, problem: Problem, reason: str = "") -> None:
        """Create the error.

        Args:
            message: what is wrong, and with which server.
            problem: the kind of the error.
            reason: what is wrong, without the server; the message by default.
        """
        super().__init__(message)
        self.problem: Problem = problem
        self.reason = reason or message


@dataclass(frozen=True, slots=True)
class BotFacts:
    """The bot's account. Bot API: getMe."""

    id: int
    username: str
    name: str
    can_join_groups: bool | None
    """None if the server does not say so; the same below."""
    reads_all_messages: bool | None


class _GetMe(TelegramMethod[Any]):
    __returning__: ClassVar[Any] = Any
    __api_method__: ClassVar[str] = "getMe"


class _GetChat(TelegramMethod[Any]):
    __returning__: ClassVar[Any] = Any
    __api_method__: ClassVar[str] = "getChat"

    chat_id: int


class _SendMessage(TelegramMethod[Any]):
    __returning__: ClassVar[Any] = Any
    __api_method__: ClassVar[str] = "sendMessage"

    chat_id: int
    text: str


class Account:
    """Calls about the bot's own account; each raises ``AccountError`` if it fails."""

    def __init__(self, bot: Bot, api: str) -> None:
        """Call through ``bot``, at the server ``api``."""
        self._bot = bot
        self._api = api

    async def me(self) -> BotFacts:
        """Return the bot's account.

        Raises:
            AccountError: the token is refused, or the server can't be reached.
        """
        method = _GetMe()
        found = await self._object(method)
        number, username = number_of(found.get("id")), found.get("username")
        if number is None:
            raise self._strange(method, "result.id", found.get("id"))
        return BotFacts(
            number,
            username if isinstance(username, str) else "",
            str(found.get("first_name", "")),
            _truth(found.get("can_join_groups")),
            _truth(found.get("can_read_all_group_messages")),
        )

    async def webhook(self) -> WebhookFacts:
        """Return what is known about a webhook, and how many updates wait."""
        return facts_of(await self._object(GetWebhookInfo()))

    async def delete_webhook(self) -> None:
        """Remove the webhook; waiting updates are kept. Bot API: deleteWebhook."""
        await self._call(DeleteWebhook())

    async def waiting(self, seconds: int, allowed: Sequence[str] | None = None) -> Sequence[Mapping[str, Any]]:
        """Return the oldest waiting updates, at most ``MOST_UPDATES``, without confirming any.

        Args:
            seconds: how long to wait for one if there is none.
            allowed: update types that Telegram keeps from now on; None changes nothing.
        """
        method = RawGetUpdates(
            timeout=seconds, limit=MOST_UPDATES, allowed_updates=None if allowed is None else [*allowed]
        )
        found = await self._call(method, seconds + _SECONDS)
        return [cast("Mapping[str, Any]", update) for update in found if isinstance(update, dict)]

    async def confirm(self, update_id: int) -> None:
        """Confirm an update and all before it: Telegram forgets them."""
        await self._call(RawGetUpdates(offset=update_id + 1, limit=1, timeout=0))

    async def send(self, chat_id: int, text: str) -> None:
        """Send a message."""
        await self._call(_SendMessage(chat_id=chat_id, text=text))

    async def knows(self, user_id: int) -> bool:
        """Return whether the bot may write to a person, which takes that the person has started it once."""
        try:
            await self._call(_GetChat(chat_id=user_id))
        except AccountError as error:
            if error.problem == "blocked":
                return False
            raise
        return True

    async def _object(self, method: TelegramMethod[Any]) -> Mapping[str, Any]:
        found: object = await self._call(method)
        if not isinstance(found, dict):
            raise self._strange(method, "result", found)
        return cast("Mapping[str, Any]", found)

    async def _call(self, method: TelegramMethod[T], seconds: float = _SECONDS) -> T:
        failure: AccountError
        try:
            return await self._bot(method, request_timeout=int(seconds))
        except Exception as error:  # noqa: BLE001  each failure becomes a sentence
            failure = self._failure(error)
        # Outside of the handler: the context of an error may name the address with the token.
        raise failure

    def _failure(self, error: Exception) -> AccountError:
        if refused := fatal_error(error):
            return AccountError(str(refused), "token")
        if isinstance(error, TelegramConflictError):
            return AccountError(str(refused_by_conflict(error)), "webhook" if is_webhook(error) else "poller")
        found = classify(error)
        if isinstance(error, TelegramForbiddenError) or found.meaning == "rejected":
            return AccountError(found.reason, "blocked")
        if found.connection is not None:
            # It names the server, the proxy and what to do.
            return AccountError(found.reason, "unreachable")
        proxy, _ = find_http_proxy(self._api)
        said = error.reason if isinstance(error, BadResponse) else found.reason
        reason = f"{said} through the proxy {proxy}" if proxy else said
        return AccountError(f"{reason} ({self._place})", "unreachable", f"{reason}: check the network and telegram_api")

    def _strange(self, method: TelegramMethod[Any], field: str, value: object) -> AccountError:
        wrong = wrong_field(method.__api_method__, field, value)
        return AccountError(str(failure_of(wrong, self._api)), "not_bot_api")

    @property
    def _place(self) -> str:
        return target_of(self._api)


@asynccontextmanager
async def open_account(token: str, api: str, *, seconds: float = _SECONDS) -> AsyncGenerator[Account]:
    """Open a connection to the Bot API server at ``api``; nothing is sent yet.

    Raises:
        AccountError: the token has another form than Telegram's.
    """
    session = BotSession(TelegramAPIServer.from_base(api), timeout=seconds)
    try:
        bot = Bot(token, session=session)
    except TokenValidationError:
        raise AccountError("the token does not look like one of @BotFather", "token") from None
    async with bot:
        yield Account(bot, api)


def _truth(value: object) -> bool | None:
    return value if isinstance(value, bool) else None
