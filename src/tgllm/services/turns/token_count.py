"""How many tokens a turn counts with: as its provider counted them, else by estimate."""

from tgllm.api import ChatRequest, Usage
from tgllm.providers.tokens import estimate_request, estimate_text
from tgllm.services.conversations.turn import TurnOutcome

__all__ = ["NOTHING", "counted", "tokens_of"]

_MOST_TOKENS = 2**32
"""More than that in one call is no count but a mistake, and sums of it would not fit the database."""

NOTHING = Usage(0, 0)


def counted(reported: Usage) -> Usage:
    """What a provider has reported, without what is no count of tokens: a plugin may say anything."""
    return Usage(
        _count(reported.input_tokens),
        _count(reported.output_tokens),
        _count(reported.reasoning_tokens),
        _count(reported.cached_tokens),
    )


def tokens_of(outcome: TurnOutcome, request: ChatRequest | None) -> Usage:
    """The tokens that a turn counts with; input and output are numbers.

    Args:
        outcome: how it ended.
        request: what the model was asked; None: it was not.
    """
    if request is None:
        return NOTHING
    usage = counted(outcome.usage)
    came = outcome.text + outcome.reasoning
    read, written = usage.input_tokens, usage.output_tokens
    if read is None:
        # A call that failed at once was most likely not charged.
        read = 0 if outcome.status == "failed" and not came else estimate_request(request)
    if written is None:
        written = estimate_text(came)
    return Usage(read, written, usage.reasoning_tokens, usage.cached_tokens)


def _count(tokens: object) -> int | None:
    return tokens if isinstance(tokens, int) and 0 <= tokens <= _MOST_TOKENS else None
