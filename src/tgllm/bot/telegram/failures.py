"""What a failed call to Telegram means: is it over, may it be tried again, or does nobody know?"""

from dataclasses import dataclass
from typing import Literal

from aiogram.exceptions import (
    AiogramError,
    TelegramBadRequest,
    TelegramConflictError,
    TelegramEntityTooLarge,
    TelegramForbiddenError,
    TelegramMigrateToChat,
    TelegramNetworkError,
    TelegramNotFound,
    TelegramRetryAfter,
    TelegramUnauthorizedError,
)
from aiohttp import ClientConnectorError

from tgllm.api import TgllmError

__all__ = ["NOT_MODIFIED", "CallFailure", "TelegramRefused", "classify", "fatal_error"]

NOT_MODIFIED = "message is not modified"
"""In Telegram's reason for refusing an edit that would change nothing: the message is as it should be."""

Meaning = Literal["wait", "retry", "rejected", "blocked", "unknown", "fatal"]


class TelegramRefused(TgllmError):
    """Telegram does not let the bot work."""

    default_code = "telegram_refused"


@dataclass(frozen=True, slots=True)
class CallFailure:
    """The meaning of a failed call."""

    meaning: Meaning
    """``wait``: Telegram asks to try again later; ``retry``: it did not reach Telegram; ``rejected``: Telegram said no;
    ``blocked``: the bot may not write to this chat; ``unknown``: it may or may not have been done; ``fatal``: no call
    will work."""
    reason: str
    """In Telegram's words where there are any; holds no token."""
    retry_after: float = 1.0
    """Seconds to wait before another try."""
    moved_to: int | None = None
    """The chat that has taken the place of the one that was meant. Bot API: ResponseParameters."""


def classify(error: BaseException) -> CallFailure:  # noqa: PLR0911  one case for each meaning
    """What the failure of a call means."""
    match error:
        case TelegramRetryAfter():
            return CallFailure("wait", "Too Many Requests", float(error.retry_after))
        case TelegramUnauthorizedError():
            return CallFailure("fatal", error.message)
        case TelegramForbiddenError():
            return CallFailure("blocked", error.message)
        case TelegramMigrateToChat():
            return CallFailure("retry", error.message, 0.0, error.migrate_to_chat_id)
        case TelegramBadRequest() | TelegramNotFound() | TelegramEntityTooLarge():
            return CallFailure("rejected", error.message)
        case TelegramConflictError():
            return CallFailure("fatal", error.message)
        case TelegramNetworkError() if isinstance(error.__cause__, ClientConnectorError):
            return CallFailure("retry", "Telegram can't be reached")
        case AiogramError() | TimeoutError() | OSError():
            # A server error, an answer that is no JSON, a connection cut after the request had left.
            return CallFailure("unknown", type(error).__name__)
        case _:
            return CallFailure("rejected", type(error).__name__)


def fatal_error(error: BaseException) -> TelegramRefused | None:
    """The sentence that the program ends with when it makes no sense to go on; None if it does."""
    match error:
        case TelegramNotFound() if "method not found" in error.message:
            # A Bot API server of one's own that is older than the method.
            return None
        case TelegramUnauthorizedError() | TelegramNotFound():
            return TelegramRefused(
                "Telegram does not know this bot token (401 Unauthorized). Check TGLLM_BOT_TOKEN, or ask @BotFather "
                "for the token of your bot.",
                code="token_refused",
            )
        case TelegramConflictError() if "webhook" in error.message:
            return TelegramRefused(
                "Telegram sends this bot's updates to a webhook (409 Conflict). Remove it with the method "
                "deleteWebhook, then start the bot again.",
                code="webhook_active",
            )
        case TelegramConflictError():
            return TelegramRefused(
                "Another program fetches this bot's updates (409 Conflict). Stop the other one: a token can serve only "
                "one running bot.",
                code="already_polled",
            )
        case _:
            return None
