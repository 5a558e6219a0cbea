"""Texts for errors: what happened, and what the reader can do."""

from typing import Any

from tgllm.api.errors import BudgetExceeded, RateLimited, Refused, TgllmError, Unavailable
from tgllm.i18n.budgets import budget_amount, budget_words
from tgllm.i18n.catalogue import Catalogue
from tgllm.i18n.durations import duration, from_now

__all__ = ["error_text"]

_MOST_REASON = 80
"""Maximum length of a provider's reason, in characters."""
_LONG_WAIT = 60.0
"""Seconds from which on a wait is more than a moment."""


def error_text(texts: Catalogue, error: Exception, language: str = "") -> str:
    """Return the text that explains an error to a person.

    It is the text of the error's code, else of its class, else of ``internal``; never the error's own message, which
    is for logs. For a code that is a key of a plugin's texts, it is the plugin's text.
    """
    if not isinstance(error, TgllmError):
        return texts("error.internal", language)
    if (brought := texts.brought(str(error.code))) is not None:
        return brought(error.code, language, **error.params)
    if isinstance(error, RateLimited) and error.retry_after and error.code == RateLimited.default_code:
        return texts("error.rate_limited_for", language, when=from_now(texts, error.retry_after, language))
    if isinstance(error, Unavailable) and error.code == Unavailable.default_code and _wait(error) >= _LONG_WAIT:
        return texts("error.unavailable_for", language, when=from_now(texts, _wait(error), language))
    if isinstance(error, Refused) and error.code == Refused.default_code and error.params.get("reason"):
        # The provider's own name for the reason, such as SAFETY or PROHIBITED_CONTENT.
        reason = " ".join(str(error.params["reason"]).split())[:_MOST_REASON]
        return texts("error.refused_for", language, reason=reason)
    if isinstance(error, BudgetExceeded) and "until" in error.params:
        return _budget_text(texts, error, language)
    codes = (error.code, error.default_code, "internal")
    key = next(f"error.{code}" for code in codes if texts.has(f"error.{code}"))
    return texts(key, language, **error.params, **_time(texts, error, language))


def _wait(error: TgllmError) -> float:
    """Return the seconds for which a service asks to wait; 0 if it does not say."""
    asked = error.params.get("retry_after")
    return float(asked) if isinstance(asked, int | float) else 0.0


def _time(texts: Catalogue, error: TgllmError, language: str) -> dict[str, str]:
    """Return the parameter ``time``, in words, of an error with a number of seconds."""
    seconds = error.params.get("seconds")
    if not isinstance(seconds, int | float) or "time" in error.params:
        return {}
    return {"time": duration(texts, seconds, language)}


def _budget_text(texts: Catalogue, error: BudgetExceeded, language: str) -> str:
    params: dict[str, Any] = dict(error.params)
    need = params.pop("need", None)
    words = budget_words(texts, language, **params)
    if params["whose"] == "bot":
        # Only admins see how much others have spent.
        return texts("error.budget_bot", language, **words)
    if need is None:
        return texts("error.budget_used", language, **words)
    return texts("error.budget_short", language, **words, need=budget_amount(params["measure"], need))
