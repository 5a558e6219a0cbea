"""Exception hierarchy of the plugin API.

An error has a ``code`` and ``params``; the text shown to a person comes from the text catalogue (``error.<code>``), in
the person's language. ``str(error)`` is for logs and for plugin authors. Messages and parameters end up in logs and
chats, so they must not contain keys, tokens or passwords.

    TgllmError
    ├── ConfigError              the settings are invalid
    ├── DatabaseError            the database can't be used
    ├── PluginError              a plugin violates the plugin API
    ├── Stopped                  a person or the shutdown ended the turn
    ├── BudgetExceeded           a budget is used up, or less is left than the question needs
    ├── FileUnreadable           a file can't be received or read
    ├── ChatUnavailable          the bot may not write to a chat
    ├── ToolFailed               a call of a tool failed; the model reads the reason
    └── ProviderError            the provider failed
        ├── NotConfigured        a key or setting is missing
        ├── AuthFailed           the provider rejected the key
        ├── RateLimited          too many requests; retry_after is the wait in seconds
        ├── QuotaExceeded        the account has no credit or quota left
        ├── ModelNotFound        no such model, or not for this account
        ├── ContextTooLong       the request exceeds the model's context window
        ├── Unsupported          the model does not support a part or setting of the request
        ├── Refused              the provider's filter blocked the question or the answer
        ├── Unavailable          the provider is down, overloaded, unreachable or too slow
        └── BadResponse          the response violates the provider's own format
"""

import math
from collections.abc import Mapping
from types import MappingProxyType
from typing import ClassVar, Literal

__all__ = [
    "AuthFailed",
    "BadResponse",
    "BudgetExceeded",
    "ChatUnavailable",
    "ConfigError",
    "ContextTooLong",
    "DatabaseError",
    "FileUnreadable",
    "ModelNotFound",
    "NotConfigured",
    "PluginError",
    "ProviderError",
    "QuotaExceeded",
    "RateLimited",
    "Refused",
    "Stopped",
    "TgllmError",
    "ToolFailed",
    "Unavailable",
    "Unsupported",
]

ErrorParam = str | int | float | None
"""Type of an error parameter, which is inserted into texts and log lines."""


class TgllmError(Exception):
    """Something went wrong that tgllm can name."""

    default_code: ClassVar[str] = "internal"

    code: str = default_code
    params: Mapping[str, ErrorParam] = MappingProxyType({})

    def __init_subclass__(cls, **kwargs: object) -> None:
        """Set the default code, also for subclasses whose ``__init__`` does not call this class's."""
        super().__init_subclass__(**kwargs)
        cls.code = cls.default_code

    def __init__(self, message: str = "", *, code: str | None = None, **params: ErrorParam) -> None:
        """Create an error.

        Args:
            message: a sentence for logs and authors; the default is the first line of the class's docstring.
            code: key of the text in the catalogue (``error.<code>``); the class has a default.
            params: parameters of that text.
        """
        first_line = (type(self).__doc__ or type(self).__name__).strip().splitlines()[0]
        super().__init__(message or first_line)
        self.code = code or self.default_code
        self.params = params


class ConfigError(TgllmError):
    """The settings are invalid or incomplete."""

    default_code = "config"


class DatabaseError(TgllmError):
    """The database can't be used."""

    default_code = "database"


class PluginError(TgllmError):
    """A plugin violates the plugin API."""

    default_code = "plugin"


class Stopped(TgllmError):
    """The turn was stopped by a person or the shutdown."""

    default_code = "stopped"


class BudgetExceeded(TgllmError):
    """A budget is used up, or less of it is left than the question needs.

    The parameters are those of ``tgllm.i18n.budgets.budget_words``; ``need`` is the amount that the question needs, if
    that is the reason.
    """

    default_code = "budget"


class FileUnreadable(TgllmError):
    """A file can't be received, or its content can't be read.

    The codes ``file_password`` (protected by a password), ``file_broken`` (damaged, or not of the kind that it claims
    to be), ``file_empty``, ``file_too_large`` and ``file_no_text`` have texts of their own.
    """

    default_code = "file_unreadable"


class ChatUnavailable(TgllmError):
    """The bot may not write to a chat.

    The code is ``chat_`` and the reason, and has a text of its own.
    """

    default_code = "chat_unknown"

    reason: "Unavailability" = "unknown"

    def __init__(self, message: str = "", *, reason: "Unavailability" = "unknown", chat: int | None = None) -> None:
        """Create the error.

        Args:
            message: a sentence for logs; the default names the reason.
            reason: ``unknown``: the chat has never used the bot; ``no_access``: the person or the group has no access;
                ``blocked``: the person has blocked the bot, or it was removed from the group; ``no_bot``: this program
                is not a running bot.
            chat: Telegram's id of the chat.
        """
        self.reason = reason
        super().__init__(message or f"{_WHY_UNAVAILABLE[reason]} (chat {chat})", code=f"chat_{reason}", chat=chat)


Unavailability = Literal["unknown", "no_access", "blocked", "no_bot"]
"""Why the bot may not write to a chat."""

_WHY_UNAVAILABLE: Mapping[Unavailability, str] = {
    "unknown": "The bot does not know the chat",
    "no_access": "The chat has no access",
    "blocked": "The bot was blocked or removed",
    "no_bot": "Only a running bot sends messages",
}


class ToolFailed(TgllmError):
    """A call of a tool failed.

    The model reads the message, so it says what went wrong and what may be done about it. Since 1.2.
    """

    default_code = "tool_failed"


class ProviderError(TgllmError):
    """The provider failed."""

    default_code = "provider"


class NotConfigured(ProviderError):
    """The provider lacks a key or a setting."""

    default_code = "not_configured"


class AuthFailed(ProviderError):
    """The provider rejected the key."""

    default_code = "auth_failed"


class RateLimited(ProviderError):
    """The provider's rate limit is exceeded."""

    default_code = "rate_limited"

    retry_after: float | None = None
    """The wait that the provider requests, in seconds; None if unknown."""

    def __init__(
        self,
        message: str = "",
        *,
        retry_after: float | None = None,
        code: str | None = None,
        **params: ErrorParam,
    ) -> None:
        """Create the error; an invalid ``retry_after`` (negative, NaN or not a number) is ignored."""
        self.retry_after = _wait(retry_after)
        super().__init__(message, code=code, retry_after=self.retry_after, **params)


class QuotaExceeded(ProviderError):
    """The account at the provider has no credit or quota left.

    That is the provider's limit of the operator's account; a budget of tgllm raises ``BudgetExceeded``.
    """

    default_code = "quota_exceeded"


class ModelNotFound(ProviderError):
    """The provider has no such model for this account."""

    default_code = "model_not_found"


class ContextTooLong(ProviderError):
    """The conversation exceeds the model's context window."""

    default_code = "context_too_long"


class Unsupported(ProviderError):
    """The model does not support a part or setting of the request."""

    default_code = "unsupported"


class Refused(ProviderError):
    """The provider's filter blocked the question or the answer."""

    default_code = "refused"


class Unavailable(ProviderError):
    """The provider is down, overloaded, unreachable or too slow."""

    default_code = "unavailable"


class BadResponse(ProviderError):
    """The provider's response violates its own format."""

    default_code = "bad_response"


def _wait(seconds: object) -> float | None:
    """Return valid seconds, or None; the value may come unchecked from a service's response."""
    try:
        return seconds if isinstance(seconds, int | float) and math.isfinite(seconds) and seconds >= 0 else None
    except OverflowError:
        # An integer beyond the range of floats.
        return None
