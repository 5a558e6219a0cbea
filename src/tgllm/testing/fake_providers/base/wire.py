"""Response format of an API; each request has its own instance."""

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence

from tgllm.api.events import FileDelta, ToolCall
from tgllm.api.types import Usage
from tgllm.testing.fake_providers.base.answers import Answer
from tgllm.testing.fake_providers.base.errors import FakeError

__all__ = ["Wire", "estimate_tokens"]


class Wire(ABC):
    """Converts steps to the bytes of a stream, or an answer to one body.

    ``question`` is the whole text of the request, for the estimate of its tokens.
    """

    def __init__(self, question: str) -> None:
        self._question = question

    def begin(self) -> bytes:
        """Return the start of a stream."""
        return b""

    def keep_alive(self) -> bytes:
        """Return a keep-alive of a stream."""
        return b": keep-alive\n\n"

    @abstractmethod
    def text(self, text: str) -> bytes:
        """Return a piece of the answer."""

    @abstractmethod
    def reasoning(self, text: str) -> bytes:
        """Return a piece of the reasoning; empty if the request did not ask for it."""

    def file(self, file: FileDelta) -> bytes:
        """Return a picture of the answer.

        Raises:
            NotImplementedError: the API has no pictures in answers.
        """
        raise NotImplementedError(f"{type(self).__name__} has no pictures")

    def calls(self, calls: Sequence[ToolCall], form: str) -> bytes:
        """Return calls of tools that are made at once, in a form of the server's ``call_forms``; empty: the usual one.

        Raises:
            NotImplementedError: the API can't send such calls.
        """
        raise NotImplementedError(f"{type(self).__name__} has no calls of tools in the form {form!r}: {calls}")

    @abstractmethod
    def end(self, answer: Answer) -> bytes:
        """Return finish reason, usage, and the end of the stream."""

    @abstractmethod
    def error(self, error: FakeError) -> bytes:
        """Return an error within a stream."""

    @abstractmethod
    def whole(self, answer: Answer) -> object:
        """Return the body of a response without streaming."""

    def usage_of(self, answer: Answer) -> Usage:
        """Return the usage of the answer, by default an estimate."""
        if answer.usage is not None:
            return answer.usage
        reasoning = estimate_tokens(answer.reasoning)
        return Usage(
            input_tokens=estimate_tokens(self._question),
            output_tokens=estimate_tokens(answer.text + "".join(call.arguments for call in answer.calls)) + reasoning,
            reasoning_tokens=reasoning,
            cached_tokens=0,
        )


def estimate_tokens(text: str) -> int:
    """Return a quarter of the characters, rounded up: similar to a tokenizer, and predictable in tests."""
    return math.ceil(len(text) / 4)
