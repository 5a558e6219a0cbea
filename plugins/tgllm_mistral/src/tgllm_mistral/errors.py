"""What the Mistral API says when it fails, as errors of the contract (Mistral API: error glossary)."""

from tgllm.api.errors import ProviderError, Refused, Unavailable
from tgllm.providers.failure import Failure, explain, wait_hint

__all__ = ["explain_mistral"]

_NO_CAPACITY = ("service_tier_capacity_exceeded", "3505")


def explain_mistral(failure: Failure) -> ProviderError:
    """The error for a failure; the API has three forms of error bodies, all read by ``Failure``."""
    if any(word in failure.kind for word in _NO_CAPACITY):
        # It comes with 429, and has nothing to do with how much this account asks.
        return Unavailable(str(failure), retry_after=wait_hint(failure))
    if failure.status == 403 and "guardrail" in f"{failure.kind} {failure.words}".lower():
        return Refused(str(failure))
    return explain(failure)
