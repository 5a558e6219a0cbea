"""Words for errors: what happened, and what the reader can do."""

import math

from tgllm.api.errors import RateLimited, TgllmError
from tgllm.i18n.catalogue import Catalogue

__all__ = ["error_text"]


def error_text(texts: Catalogue, error: Exception, language: str = "") -> str:
    """What to tell a person about an error.

    The words are those of the error's code, else of its class, else of ``internal``; never the error's own message,
    which is for logs.
    """
    if not isinstance(error, TgllmError):
        return texts("error.internal", language)
    if isinstance(error, RateLimited) and error.retry_after and error.code == RateLimited.default_code:
        return texts("error.rate_limited_for", language, count=math.ceil(error.retry_after))
    codes = (error.code, error.default_code, "internal")
    key = next(f"error.{code}" for code in codes if texts.has(f"error.{code}"))
    return texts(key, language, **error.params)
