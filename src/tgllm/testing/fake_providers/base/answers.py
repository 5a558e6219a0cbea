"""What a fake is told to answer."""

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import TypeAlias

from tgllm.api.events import ReasoningDelta, TextDelta
from tgllm.api.types import Usage
from tgllm.testing.fake_providers.base.errors import FakeError

__all__ = ["Answer", "Signal", "Step", "echo"]


class Signal(Enum):
    """What happens in an answer besides its text."""

    KEEP_ALIVE = auto()
    """What the API sends while nothing comes: a comment in a stream, a blank line before a whole answer."""
    CUT = auto()
    """The connection is aborted, without the end of the HTTP body."""
    EOF = auto()
    """The HTTP body ends in order, but before the end of the answer: no finish reason, no usage, no ``[DONE]``."""


Step: TypeAlias = str | TextDelta | ReasoningDelta | bytes | Signal | asyncio.Event | FakeError
"""Text, text or reasoning as an event, raw bytes, a signal, something to wait for, or an error inside the stream."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer, played to one request."""

    steps: tuple[Step, ...] = ()
    usage: Usage | None = None
    """As tgllm counts: reasoning is a part of ``output_tokens``, cached tokens of ``input_tokens``; None: estimated."""
    finish: str | None = None
    """The API's own word, such as ``length`` or ``MAX_TOKENS``; None: its word for an ordinary end."""
    trailing_usage: bool = False
    """Usage comes in a chunk of its own behind the finish reason, where the API does that."""
    error: FakeError | None = None
    """Instead of an answer, or, when there are steps, inside the stream behind them."""
    endless: bool = False
    """The steps are repeated until the client hangs up."""
    blocked: str | None = None
    """Gemini: why the question was blocked; there is no answer then."""

    @classmethod
    def of(cls, text: str | Sequence[Step], reasoning: str | Sequence[str]) -> "Answer":
        """An answer that thinks first; a string is one piece."""
        thoughts = (reasoning,) if isinstance(reasoning, str) else reasoning
        said = (text,) if isinstance(text, str) else text
        steps = (*(ReasoningDelta(thought) for thought in thoughts), *said)
        return cls(tuple(step for step in steps if step not in {"", ReasoningDelta("")}))

    @property
    def fails_at_once(self) -> bool:
        """Whether the request itself is refused."""
        return self.error is not None and not self.steps

    @property
    def text(self) -> str:
        """All of the text."""
        return "".join(_text(step) for step in self.steps if isinstance(step, str | TextDelta))

    @property
    def reasoning(self) -> str:
        """All of the reasoning."""
        return "".join(step.text for step in self.steps if isinstance(step, ReasoningDelta))


def _text(step: str | TextDelta) -> str:
    return step if isinstance(step, str) else step.text


def echo(question: str) -> Answer:
    """What is answered when nothing was ordered: the question, word by word."""
    return Answer(tuple(re.findall(r"\s*\S+\s*", question)) or ("(no text)",))
