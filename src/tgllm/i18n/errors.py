"""Words for errors: what happened, and what the reader can do."""

import math

from tgllm.api.errors import RateLimited, Refused, TgllmError
from tgllm.i18n.catalogue import Catalogue

__all__ = ["error_text"]

_MOST_REASON = 80
"""Characters of a provider's reason."""


def error_text(texts: Catalogue, error: Exception, language: str = "") -> str:
    """What to tell a person about an error.

    The words are those of the error's code, else of its class, else of ``internal``; never the error's own message,
    which is for logs.
    """
    if not isinstance(error, TgllmError):
        return texts("error.internal", language)
    if isinstance(error, RateLimited) and error.retry_after and error.code == RateLimited.default_code:
        return texts("error.rate_limited_for", language, count=math.ceil(error.retry_after))
    if isinstance(error, Refused) and error.code == Refused.default_code and error.params.get("reason"):
        # What providers call their reasons (SAFETY, PROHIBITED_CONTENT) says more than nothing.
        reason = " ".join(str(error.params["reason"]).split())[:_MOST_REASON]
        return texts("error.refused_for", language, reason=reason)
    codes = (error.code, error.default_code, "internal")
    key = next(f"error.{code}" for code in codes if texts.has(f"error.{code}"))
    return texts(key, language, **error.params)
