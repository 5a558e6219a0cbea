"""Texts for errors: what happened, and what the reader can do."""

import math
from typing import Any

from tgllm.api.errors import BudgetExceeded, RateLimited, Refused, TgllmError, Unavailable
from tgllm.i18n.budgets import budget_amount, budget_words
from tgllm.i18n.catalogue import Catalogue
from tgllm.i18n.durations import duration, from_now
from tgllm.i18n.numbers import size_text

__all__ = ["error_text", "with_code"]

_MOST_REASON = 80
"""Maximum length of a provider's reason, in characters."""
_MOST_PARAM = 1_000
"""Maximum length of a parameter, in characters: the error of a plugin must not become hundreds of messages."""
_MOST_CODE = 12
"""Maximum length of a code, in characters."""
_LONG_WAIT = 60.0
"""Seconds from which on a wait is more than a moment."""


def error_text(texts: Catalogue, error: Exception, language: str = "", code: str | None = None) -> str:
    """Return the text that explains an error to a person.

    Args:
        texts: the text catalogue.
        error: the error.
        language: of the reader.
        code: the code of an unexpected error, which the person can give the admin; by default the parameter
            ``error_id`` of the error, if it has one.
    """
    code = _code(error) if code is None else code
    if code and not isinstance(error, TgllmError):
        return texts("errors.internal", language, code=code)
    text = _explained(texts, error, language)
    return with_code(texts, text, code, language) if code else text


def with_code(texts: Catalogue, text: str, code: str, language: str = "") -> str:
    """Return a text with the code of an unexpected error below it."""
    return f"{text}\n\n{texts('errors.code_line', language, code=code)}"


def _code(error: Exception) -> str:
    code = error.params.get("error_id") if isinstance(error, TgllmError) else None
    return code if isinstance(code, str) and len(code) <= _MOST_CODE and code.isprintable() else ""


def _explained(texts: Catalogue, error: Exception, language: str) -> str:
    """Return the text of an error without its code.

    It is the text of the error's code, else of its class, else of ``internal``; never the error's own message, which
    is for logs. For a code that is a key of a plugin's texts, it is the plugin's text. Parameters may come from a
    plugin, so they can't make it fail or make it long.
    """
    if not isinstance(error, TgllmError):
        return texts("error.internal", language)
    if (brought := texts.brought(str(error.code))) is not None:
        return brought(error.code, language, **_params(error))
    if (
        isinstance(error, RateLimited)
        and error.code == RateLimited.default_code
        and (wait := _finite(error.retry_after))
    ):
        return texts("error.rate_limited_for", language, when=from_now(texts, wait, language))
    if isinstance(error, Unavailable) and error.code == Unavailable.default_code and _wait(error) >= _LONG_WAIT:
        return texts("error.unavailable_for", language, when=from_now(texts, _wait(error), language))
    if isinstance(error, Refused) and error.code == Refused.default_code and error.params.get("reason"):
        # The provider's own name for the reason, such as SAFETY or PROHIBITED_CONTENT.
        reason = " ".join(str(error.params["reason"]).split())[:_MOST_REASON]
        return texts("error.refused_for", language, reason=reason)
    if isinstance(error, BudgetExceeded) and "until" in error.params:
        try:
            return _budget_text(texts, error, language)
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError):
            # A plugin's error; the bot's own has all parameters.
            return texts("error.budget", language)
    codes = (error.code, error.default_code, "internal")
    key = next(f"error.{code}" for code in codes if texts.has(f"error.{code}"))
    return texts(key, language, **_params(error), **_time(texts, error, language), **_limit(texts, error, language))


def _params(error: TgllmError) -> dict[str, object]:
    """Return the parameters of a text, without those that have the names of its lookup."""
    return {name: _short(value) for name, value in error.params.items() if name not in {"key", "language"}}


def _short(value: object) -> object:
    return value[: _MOST_PARAM - 1] + "…" if isinstance(value, str) and len(value) > _MOST_PARAM else value


def _finite(value: object) -> float | None:
    """Return a finite number; None for anything else."""
    try:
        return float(value) if isinstance(value, int | float) and math.isfinite(value) else None
    except OverflowError:
        # An integer beyond the range of floats.
        return None


def _wait(error: TgllmError) -> float:
    """Return the seconds for which a service asks to wait; 0 if it does not say."""
    return _finite(error.params.get("retry_after")) or 0.0


def _time(texts: Catalogue, error: TgllmError, language: str) -> dict[str, str]:
    """Return the parameter ``time``, in words, of an error with a number of seconds."""
    if "time" in error.params or "seconds" not in error.params:
        return {}
    seconds = _finite(error.params["seconds"]) or 0.0
    return {"time": duration(texts, seconds, language)}


def _limit(texts: Catalogue, error: TgllmError, language: str) -> dict[str, str]:
    """Return the parameter ``limit``, in words, of an error with a number of bytes."""
    limit = _finite(error.params.get("limit_bytes"))
    return {} if limit is None or "limit" in error.params else {"limit": size_text(texts, int(limit), language)}


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
