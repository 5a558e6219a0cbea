"""How one API writes an answer; a wire is made for each request."""

import math
from abc import ABC, abstractmethod

from tgllm.api.types import Usage
from tgllm.testing.fake_providers.base.answers import Answer
from tgllm.testing.fake_providers.base.errors import FakeError

__all__ = ["Wire", "estimate_tokens"]


class Wire(ABC):
    """Turns steps into the bytes of a stream, or an answer into one body.

    ``question`` is all the text of the request, for the estimate of its tokens.
    """

    def __init__(self, question: str) -> None:
        self._question = question

    def begin(self) -> bytes:
        """Before everything else."""
        return b""

    def keep_alive(self) -> bytes:
        """While nothing comes."""
        return b": keep-alive\n\n"

    @abstractmethod
    def text(self, text: str) -> bytes:
        """A piece of the answer."""

    @abstractmethod
    def reasoning(self, text: str) -> bytes:
        """A piece of reasoning; empty if the request did not ask for it."""

    @abstractmethod
    def end(self, answer: Answer) -> bytes:
        """Finish reason and usage, and what stands behind them."""

    @abstractmethod
    def error(self, error: FakeError) -> bytes:
        """An error inside the stream."""

    @abstractmethod
    def whole(self, answer: Answer) -> object:
        """The body when no stream was asked for."""

    def usage_of(self, answer: Answer) -> Usage:
        """The usage that was ordered, or an estimate."""
        if answer.usage is not None:
            return answer.usage
        reasoning = estimate_tokens(answer.reasoning)
        return Usage(
            input_tokens=estimate_tokens(self._question),
            output_tokens=estimate_tokens(answer.text) + reasoning,
            reasoning_tokens=reasoning,
            cached_tokens=0,
        )


def estimate_tokens(text: str) -> int:
    """A quarter of the characters, rounded up: near enough to a tokenizer, and easy to foretell in a test."""
    return math.ceil(len(text) / 4)
