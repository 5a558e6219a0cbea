"""Tokens that a turn counts as usage: reported by the provider, else estimated."""

import math

from tgllm.api import ChatRequest, Usage
from tgllm.providers.tokens import CHARS_PER_TOKEN, estimate_request, estimate_text
from tgllm.services.conversations.turn import TurnOutcome

__all__ = ["NOTHING", "counted", "tokens_of"]

_MOST_TOKENS = 2**32
"""Largest plausible count of one call; sums of larger ones could exceed the database's integers."""

NOTHING = Usage(0, 0)


def counted(reported: Usage) -> Usage:
    """Return the reported token counts; invalid values, which a plugin may report, become None."""
    return Usage(
        _count(reported.input_tokens),
        _count(reported.output_tokens),
        _count(reported.reasoning_tokens),
        _count(reported.cached_tokens),
        _count(reported.cache_write_tokens),
    )


def tokens_of(outcome: TurnOutcome, request: ChatRequest | None) -> Usage:
    """Return the tokens that a turn counts as usage; input and output are not None.

    Args:
        outcome: result of the turn.
        request: the last request to the model; None if it was not called.
    """
    if request is None:
        return NOTHING
    usage = counted(outcome.usage)
    came = outcome.text + outcome.reasoning
    read, written = usage.input_tokens, usage.output_tokens
    if read is None:
        # A call that failed without any output was most likely not charged.
        read = 0 if outcome.status == "failed" and not came else estimate_request(request)
    if written is None:
        # The provider charges for what was dropped, too. Its characters are not kept, so all count as Latin ones.
        written = estimate_text(came) + math.ceil(outcome.dropped / CHARS_PER_TOKEN)
    return Usage(read, written, usage.reasoning_tokens, usage.cached_tokens, usage.cache_write_tokens)


def _count(tokens: object) -> int | None:
    return tokens if isinstance(tokens, int) and 0 <= tokens <= _MOST_TOKENS else None
