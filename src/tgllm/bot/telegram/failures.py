"""Classifies failed Bot API calls: permanent, retryable, or uncertain."""

from dataclasses import dataclass
from typing import Final, Literal

from aiogram.exceptions import (
    AiogramError,
    TelegramBadRequest,
    TelegramConflictError,
    TelegramEntityTooLarge,
    TelegramForbiddenError,
    TelegramMigrateToChat,
    TelegramNotFound,
    TelegramRetryAfter,
    TelegramServerError,
    TelegramUnauthorizedError,
)
from aiohttp import ClientError

from tgllm.api import TgllmError
from tgllm.bot.telegram.connection import ConnectionLost
from tgllm.providers.connections.failure import ConnectionFailure
from tgllm.services.files.storage.remote import StorageUnavailable

__all__ = [
    "NOT_MODIFIED",
    "CallFailure",
    "TelegramRefused",
    "classify",
    "fatal_error",
    "is_unexpected",
    "is_webhook",
    "refused_by_conflict",
]

NOT_MODIFIED = "message is not modified"
"""Part of the error text with which Telegram rejects an edit that would change nothing; it counts as success."""
_FIRST_PAUSE_SECONDS: Final = 0.5

Meaning = Literal["wait", "retry", "rejected", "blocked", "unknown", "fatal"]


class TelegramRefused(TgllmError):
    """Telegram refuses the bot: its token is invalid, or its updates go elsewhere."""

    default_code = "telegram_refused"


@dataclass(frozen=True, slots=True)
class CallFailure:
    """A classified failure of a call."""

    meaning: Meaning
    """``wait``: rate limited, retry later; ``retry``: not executed, retry; ``rejected``: Telegram refused the call;
    ``blocked``: the bot may not write to this chat; ``unknown``: it may or may not have been executed; ``fatal``: every
    call will fail."""
    reason: str
    """Telegram's error text, or the name of the error; holds no token."""
    retry_after: float = 1.0
    """Seconds to wait before a retry."""
    moved_to: int | None = None
    """The supergroup to which the group was upgraded. Bot API: ResponseParameters."""
    connection: ConnectionFailure | None = None
    """Why the server gave no answer of the Bot API, if it did not."""

    def pause(self, doublings: int, longest: float) -> float:
        """Return the seconds to wait before a retry: doubled at each failure up to ``longest``, or as Telegram says."""
        return max(self.retry_after, min(longest, _FIRST_PAUSE_SECONDS * 2 ** min(doublings, 10)))


def classify(error: BaseException) -> CallFailure:  # noqa: C901, PLR0911  one case for each meaning
    """Classify the error that a call raised."""
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
            return CallFailure("retry", error.message)
        case ConnectionLost(failure=failure):
            # Without a connection, Telegram has certainly not executed it.
            return CallFailure("retry" if failure.is_unsent else "unknown", str(failure), connection=failure)
        case TelegramServerError(message=message) if message:
            return CallFailure("unknown", f"the server answers with an error: {message}")
        case StorageUnavailable():
            # The file of the call was not there yet.
            return CallFailure("retry", str(error))
        case AiogramError() | TimeoutError() | OSError():
            # An error without a known status, or a connection that was lost after the request was sent.
            return CallFailure("unknown", type(error).__name__)
        case _:
            return CallFailure("rejected", type(error).__name__)


def is_unexpected(error: BaseException) -> bool:
    """Return whether a call failed because of a mistake in the program: not by Telegram, and not by the network."""
    return not isinstance(error, AiogramError | ClientError | TgllmError | TimeoutError | OSError)


def fatal_error(error: BaseException) -> TelegramRefused | None:
    """Return the error with which the program ends if the bot can't continue after ``error``; None if it can."""
    match error:
        case TelegramNotFound() if "method not found" in error.message:
            # A self-hosted Bot API server that is older than the method.
            return None
        case TelegramNotFound():
            return TelegramRefused(
                "The Bot API server does not know this address (404 Not Found): the token is incomplete, or "
                "telegram_api has a path that does not belong there, such as /bot, which the bot adds itself. "
                "Check TGLLM_BOT_TOKEN and telegram_api.",
                code="token_refused",
            )
        case TelegramUnauthorizedError():
            return TelegramRefused(
                "Telegram does not know this bot token (401 Unauthorized). Check TGLLM_BOT_TOKEN, or ask @BotFather "
                "for the token of your bot.",
                code="token_refused",
            )
        case _:
            return None


def is_webhook(error: TelegramConflictError) -> bool:
    """Return whether a webhook is what conflicts with getUpdates, and not another getUpdates."""
    return "webhook" in error.message.lower()


def refused_by_conflict(error: TelegramConflictError) -> TelegramRefused:
    """Return the error with which the program ends if the conflict does not end."""
    if is_webhook(error):
        return TelegramRefused(
            "Telegram sends this bot's updates to a webhook (409 Conflict). Remove it with the method "
            "deleteWebhook, then start the bot again.",
            code="webhook_active",
        )
    return TelegramRefused(
        "Another program fetches this bot's updates (409 Conflict). Stop the other one: a token can serve only "
        "one running bot. If you don't know it, renew the token with @BotFather (/revoke).",
        code="already_polled",
    )
