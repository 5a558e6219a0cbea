"""Mapping of Mistral API errors to errors of the plugin API (Mistral API: error glossary)."""

from tgllm.api.errors import ProviderError, Refused, Unavailable
from tgllm.providers.failure import Failure, explain, wait_hint

__all__ = ["explain_mistral"]

_NO_CAPACITY = ("service_tier_capacity_exceeded", "3505")


def explain_mistral(failure: Failure) -> ProviderError:
    """Map a failure to an error; ``Failure`` parses all three forms of the API's error bodies."""
    if any(word in failure.kind for word in _NO_CAPACITY):
        # A lack of capacity has the status 429, but is not a rate limit of the account.
        return Unavailable(str(failure), retry_after=wait_hint(failure))
    if failure.status == 403 and "guardrail" in f"{failure.kind} {failure.words}".lower():
        return Refused(str(failure))
    return explain(failure)
