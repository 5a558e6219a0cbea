"""Mapping of Mistral API errors to errors of the plugin API (Mistral API: error glossary)."""

from tgllm.api.errors import ProviderError, Refused
from tgllm.providers.failure import Failure, explain

__all__ = ["explain_mistral"]


def explain_mistral(failure: Failure) -> ProviderError:
    """Map a failure to an error; ``Failure`` parses all three forms of the API's error bodies."""
    if failure.status == 403 and "guardrail" in f"{failure.kind} {failure.words}".lower():
        return Refused(str(failure))
    return explain(failure)
