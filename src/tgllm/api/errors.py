"""The errors of the contract: one small tree.

An error carries a ``code`` and ``params``; the words that a person reads come from the text catalogue
(``error.<code>``), in the reader's language. ``str(error)`` is for logs and for plugin authors. Neither may hold a
key, a token or a password: what is put into ``message`` and ``params`` ends up in logs and in chats.

    TgllmError
    ├── ConfigError              the operator's settings are wrong
    ├── DatabaseError            the database can't be used
    ├── PluginError              a plugin breaks the contract
    ├── Stopped                  a person or the shutdown ended the turn
    ├── BudgetExceeded           a budget is used up, or too little of it is left
    └── ProviderError            the model's side failed
        ├── NotConfigured        a key or setting is missing
        ├── AuthFailed           the key was refused
        ├── RateLimited          too many requests; retry_after says how long to wait
        ├── QuotaExceeded        the account has no credit or quota left
        ├── ModelNotFound        no such model, or not for this account
        ├── ContextTooLong       the request does not fit the model's window
        ├── Unsupported          the model can't take such a part or setting
        ├── Refused              the provider's filter blocked the question or the answer
        ├── Unavailable          the provider is down, overloaded, out of reach or too slow
        └── BadResponse          the answer breaks the provider's own format
"""

import math
from collections.abc import Mapping
from types import MappingProxyType
from typing import ClassVar

__all__ = [
    "AuthFailed",
    "BadResponse",
    "BudgetExceeded",
    "ConfigError",
    "ContextTooLong",
    "DatabaseError",
    "ModelNotFound",
    "NotConfigured",
    "PluginError",
    "ProviderError",
    "QuotaExceeded",
    "RateLimited",
    "Refused",
    "Stopped",
    "TgllmError",
    "Unavailable",
    "Unsupported",
]

ErrorParam = str | int | float | None
"""What a parameter of an error may be: it is put into a sentence and into a log line."""


class TgllmError(Exception):
    """Something went wrong that tgllm can name."""

    default_code: ClassVar[str] = "internal"

    code: str = default_code
    params: Mapping[str, ErrorParam] = MappingProxyType({})

    def __init_subclass__(cls, **kwargs: object) -> None:
        """Give errors of a class whose ``__init__`` leaves this class's out a code all the same."""
        super().__init_subclass__(**kwargs)
        cls.code = cls.default_code

    def __init__(self, message: str = "", *, code: str | None = None, **params: ErrorParam) -> None:
        """Make an error.

        Args:
            message: a sentence for logs and authors; without one, the first line of the class's docstring.
            code: picks the words in the text catalogue (``error.<code>``); the class has a default.
            params: values for those words.
        """
        first_line = (type(self).__doc__ or type(self).__name__).strip().splitlines()[0]
        super().__init__(message or first_line)
        self.code = code or self.default_code
        self.params = params


class ConfigError(TgllmError):
    """The settings are wrong or incomplete."""

    default_code = "config"


class DatabaseError(TgllmError):
    """The database can't be used."""

    default_code = "database"


class PluginError(TgllmError):
    """A plugin breaks the contract."""

    default_code = "plugin"


class Stopped(TgllmError):
    """The turn was ended on purpose."""

    default_code = "stopped"


class BudgetExceeded(TgllmError):
    """A budget is used up, or less of it is left than the question needs.

    The parameters are those of ``tgllm.i18n.budgets.budget_words``; ``need`` is what the question needs, where that is
    the reason.
    """

    default_code = "budget"


class ProviderError(TgllmError):
    """The model's provider failed."""

    default_code = "provider"


class NotConfigured(ProviderError):
    """The provider lacks a key or a setting."""

    default_code = "not_configured"


class AuthFailed(ProviderError):
    """The provider refused the key."""

    default_code = "auth_failed"


class RateLimited(ProviderError):
    """The provider asks for fewer requests."""

    default_code = "rate_limited"

    retry_after: float | None = None
    """The wait that the provider asks for, in seconds; None if it does not say."""

    def __init__(
        self,
        message: str = "",
        *,
        retry_after: float | None = None,
        code: str | None = None,
        **params: ErrorParam,
    ) -> None:
        """Make the error; ``retry_after`` in seconds is passed over where it is no wait: below 0, NaN or no number."""
        self.retry_after = _wait(retry_after)
        super().__init__(message, code=code, retry_after=self.retry_after, **params)


class QuotaExceeded(ProviderError):
    """The account at the provider has no credit or quota left."""

    default_code = "quota_exceeded"


class ModelNotFound(ProviderError):
    """The provider has no such model for this account."""

    default_code = "model_not_found"


class ContextTooLong(ProviderError):
    """The conversation does not fit the model's context window."""

    default_code = "context_too_long"


class Unsupported(ProviderError):
    """The model can't take such a part or setting."""

    default_code = "unsupported"


class Refused(ProviderError):
    """The provider's filter blocked the question or the answer."""

    default_code = "refused"


class Unavailable(ProviderError):
    """The provider is down, overloaded, out of reach or too slow."""

    default_code = "unavailable"


class BadResponse(ProviderError):
    """The provider's answer breaks its own format."""

    default_code = "bad_response"


def _wait(seconds: object) -> float | None:
    """What is a number of seconds; a service's answer may have been put in unread."""
    return seconds if isinstance(seconds, int | float) and math.isfinite(seconds) and seconds >= 0 else None
