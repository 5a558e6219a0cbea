"""Mapping of DeepSeek API errors to errors of the plugin API (DeepSeek API: error codes)."""

from tgllm.api.errors import ProviderError, QuotaExceeded
from tgllm.providers.failure import Failure, explain

__all__ = ["explain_dipseek"]


def explain_dipseek(failure: Failure) -> ProviderError:
    """Map a failure to an error; its body is JSON regardless of its content type."""
    if failure.status == 402:
        return QuotaExceeded("the account at DeepSeek is out of credit: top it up at platform.deepseek.com (402)")
    return explain(failure)
