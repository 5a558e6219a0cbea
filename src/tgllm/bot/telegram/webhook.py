"""The webhook at Telegram: what is set there, setting and removing it, and the secret of its requests."""

import hmac
from dataclasses import dataclass
from typing import Any, ClassVar, Final, cast
from urllib.parse import urlsplit

from aiogram import Bot
from aiogram.methods.base import TelegramMethod

from tgllm.config.model import Config

__all__ = [
    "SECRET_HEADER",
    "DeleteWebhook",
    "GetWebhookInfo",
    "SetWebhook",
    "WebhookFacts",
    "facts_of",
    "host_of",
    "is_same_url",
    "read_facts",
    "secret_of",
]

SECRET_HEADER: Final = "X-Telegram-Bot-Api-Secret-Token"  # noqa: S105  the name of a header
_PURPOSE: Final = b"tgllm: secret token of the webhook"


class SetWebhook(TelegramMethod[Any]):
    """Bot API: setWebhook. ``drop_pending_updates`` is left out: no update is ever dropped."""

    __returning__: ClassVar[Any] = Any
    __api_method__: ClassVar[str] = "setWebhook"

    url: str
    secret_token: str
    max_connections: int
    allowed_updates: list[str]
    """Telegram keeps an earlier list if it is left out."""


class DeleteWebhook(TelegramMethod[Any]):
    """Bot API: deleteWebhook; waiting updates are kept."""

    __returning__: ClassVar[Any] = Any
    __api_method__: ClassVar[str] = "deleteWebhook"


class GetWebhookInfo(TelegramMethod[Any]):
    """Bot API: getWebhookInfo."""

    __returning__: ClassVar[Any] = Any
    __api_method__: ClassVar[str] = "getWebhookInfo"


@dataclass(frozen=True, slots=True)
class WebhookFacts:
    """What Telegram knows of the bot's webhook. Bot API: WebhookInfo."""

    url: str
    """Empty without a webhook. Its path may be a secret."""
    pending: int
    """Updates that wait to be fetched or delivered."""
    last_error: str
    last_error_at: int
    """When Telegram last failed to deliver an update, in seconds since 1970; 0 if it never did."""
    allowed: tuple[str, ...]
    """Update types that Telegram keeps for the bot; empty for the default ones."""

    @property
    def host(self) -> str:
        """Host of the address; empty without a webhook."""
        return host_of(self.url)


async def read_facts(bot: Bot, request_timeout: int | None = None) -> WebhookFacts:
    """Ask Telegram about the webhook."""
    return facts_of(await bot(GetWebhookInfo(), request_timeout=request_timeout))


def facts_of(found: object) -> WebhookFacts:
    """Read an answer to getWebhookInfo, leniently."""
    fields = cast("dict[str, Any]", found) if isinstance(found, dict) else {}
    url: object = fields.get("url")
    allowed: object = fields.get("allowed_updates")
    kinds = cast("list[object]", allowed) if isinstance(allowed, list) else ()
    return WebhookFacts(
        url if isinstance(url, str) else "",
        _count(fields.get("pending_update_count")),
        str(fields.get("last_error_message") or ""),
        _count(fields.get("last_error_date")),
        tuple(str(kind) for kind in kinds),
    )


def secret_of(config: Config) -> str:
    """Return the secret with which Telegram's requests are recognised.

    By default it is derived from the bot token: it is the same after each start, so that updates which Telegram sends
    meanwhile are accepted, and it need not be stored. The token can't be computed from it.
    """
    if config.webhook.secret is not None:
        return config.webhook.secret.get_secret_value()
    token = config.bot_token.get_secret_value() if config.bot_token is not None else ""
    return hmac.digest(token.encode(), _PURPOSE, "sha256").hex()


def is_same_url(one: str, other: str) -> bool:
    """Return whether two addresses are the same: Telegram returns them in its own spelling."""
    return _parts(one) == _parts(other)


def host_of(url: str) -> str:
    """Return the host of an address, whose path may be a secret; empty for an empty one."""
    if not url:
        return ""
    try:
        return urlsplit(url).hostname or "?"
    except ValueError:
        return "?"


def _parts(url: str) -> tuple[object, ...]:
    try:
        parts = urlsplit(url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError:
        return (url,)
    return parts.scheme, parts.username, parts.password, parts.hostname, port, parts.path or "/", parts.query


def _count(value: object) -> int:
    return value if isinstance(value, int) else 0
