"""Answers of a fake server."""

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import TypeAlias

from tgllm.api.events import FileDelta, ReasoningDelta, TextDelta, ToolCall
from tgllm.api.types import Usage
from tgllm.testing.fake_providers.base.deviations import Body
from tgllm.testing.fake_providers.base.errors import FakeError

__all__ = ["Answer", "Signal", "Step", "echo"]


class Signal(Enum):
    """Events in an answer besides its text."""

    KEEP_ALIVE = auto()
    """The API's keep-alive: a comment in a stream, or a blank line before a whole answer."""
    CUT = auto()
    """The connection is aborted before the end of the HTTP body."""
    EOF = auto()
    """The HTTP body ends properly, but before the end of the answer: no finish reason, no usage, no ``[DONE]``."""


Step: TypeAlias = str | TextDelta | ReasoningDelta | FileDelta | ToolCall | bytes | Signal | asyncio.Event | FakeError
"""Text, text, reasoning, a picture or a call of a tool as an event, raw bytes, a signal, an event to wait for, or an
error within the stream. Calls that follow each other are made at once; an empty id is replaced by one of the API."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer to one request."""

    steps: tuple[Step, ...] = ()
    usage: Usage | None = None
    """In tgllm's terms: ``output_tokens`` includes reasoning, ``input_tokens`` cached tokens. None: an estimate."""
    finish: str | None = None
    """The API's finish reason, such as ``length`` or ``MAX_TOKENS``. None: the one for a complete answer."""
    trailing_usage: bool = False
    """Usage is in a separate chunk after the finish reason; only for APIs that do that."""
    error: FakeError | None = None
    """Error in place of the answer, or, if there are steps, within the stream after them."""
    endless: bool = False
    """The steps are repeated until the client disconnects."""
    deviation: str | None = None
    """Name of the deviation from the API's format in which the answer is streamed; see ``DEVIATIONS``."""
    broken: str | None = None
    """Name of the form in which the stream breaks after the steps; see ``BREAKS``."""
    body: Body | None = None
    """Response in place of the answer, with the status 200."""
    call_form: str = ""
    """Form in which calls of tools are streamed; empty: the usual one. Each fake server has its ``call_forms``."""
    blocked: str | None = None
    """Gemini: reason for blocking the request, which then has no answer."""

    @classmethod
    def of(cls, text: str | Sequence[Step], reasoning: str | Sequence[str]) -> "Answer":
        """Create an answer with its reasoning first; a string is sent in one piece."""
        thoughts = (reasoning,) if isinstance(reasoning, str) else reasoning
        said = (text,) if isinstance(text, str) else text
        steps = (*(ReasoningDelta(thought) for thought in thoughts), *said)
        return cls(tuple(step for step in steps if step not in {"", ReasoningDelta("")}))

    @property
    def fails_at_once(self) -> bool:
        """Whether the whole request is refused."""
        return self.error is not None and not self.steps

    @property
    def text(self) -> str:
        """The whole text."""
        return "".join(_text(step) for step in self.steps if isinstance(step, str | TextDelta))

    @property
    def calls(self) -> tuple[ToolCall, ...]:
        """All calls of tools."""
        return tuple(step for step in self.steps if isinstance(step, ToolCall))

    @property
    def reasoning(self) -> str:
        """The whole reasoning."""
        return "".join(step.text for step in self.steps if isinstance(step, ReasoningDelta))


def _text(step: str | TextDelta) -> str:
    return step if isinstance(step, str) else step.text


def echo(question: str) -> Answer:
    """Return the default answer: the question, word by word."""
    return Answer(tuple(re.findall(r"\s*\S+\s*", question)) or ("(no text)",))
