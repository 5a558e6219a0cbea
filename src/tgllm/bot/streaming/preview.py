"""What can be shown of an answer while it is written."""

import math

from tgllm.api import ReasoningDelta, StreamEvent, TextDelta, Waiting
from tgllm.bot.rendering.payloads import EntityText
from tgllm.bot.rendering.render import render_draft
from tgllm.bot.streaming.reasoning import MOST_THOUGHTS, quoted
from tgllm.i18n import Catalogue
from tgllm.services.chats.settings import ReasoningDisplay

__all__ = ["Preview", "with_elapsed"]

LEAST_WAIT = 2.0
"""Seconds of a wait that are worth being told."""
LEAST_ELAPSED = 10.0
"""Seconds that have passed without any text which are worth being told."""
ROUND_FROM = 10.0
ROUNDED_TO = 5
"""Longer waits than ``ROUND_FROM`` are told in multiples of so many seconds."""


class Preview:
    """Gathers the events of an answer, and says what they look like by now."""

    def __init__(self, texts: Catalogue, language: str) -> None:
        """Begin without an event; the words of the bot are in that language."""
        self._texts = texts
        self._language = language
        self._text: list[str] = []
        self._thoughts: list[str] = []
        self._waiting = ""

    def add(self, event: StreamEvent) -> bool:
        """Take the next event; whether there may be something else to show now."""
        match event:
            case TextDelta(text):
                self._text.append(text)
            case ReasoningDelta(text):
                self._thoughts.append(text)
            case Waiting(reason, seconds):
                words = self._words(reason)
                self._waiting = f"{words} {self._about(seconds)}".strip() if words else ""
                return True
            case _:
                return False
        self._waiting = ""
        return True

    @property
    def has_thoughts(self) -> bool:
        """Whether the model has told anything of what it thinks."""
        return bool(self._thoughts)

    def frame(self, thoughts: ReasoningDisplay = "hidden", elapsed: float = 0.0) -> EntityText:
        """The end of the answer as one message; its text is empty while the model thinks and that is not shown.

        While there is nothing of the answer, it may say instead what the model waits for, and since when.

        Args:
            thoughts: whether the chat wants to see them. Folded ones are not shown before the answer is whole.
            elapsed: seconds since the question.
        """
        shown = render_draft(self._markdown(thoughts))
        if shown.text or not self._waiting:
            return shown
        return EntityText(with_elapsed(self._waiting, elapsed, self._texts, self._language))

    def _words(self, reason: str) -> str:
        """What the model waits for; nothing for reasons of a later version of the contract."""
        match reason:
            case "queue":
                return self._texts("stream.waiting_queue", self._language)
            case "retry":
                return self._texts("stream.waiting_retry", self._language)
            case "rate_limit":
                return self._texts("stream.waiting_rate_limit", self._language)
            case _:
                return ""

    def _about(self, seconds: float | None) -> str:
        """How long it takes, roughly; nothing where nobody knows, or it is over before it is read."""
        if seconds is None or not LEAST_WAIT <= seconds < float("inf"):
            return ""
        step = 1 if seconds < ROUND_FROM else ROUNDED_TO
        return self._texts("stream.about", self._language, count=math.ceil(seconds / step) * step)

    def _markdown(self, thoughts: ReasoningDisplay) -> str:
        text = _joined(self._text)
        if thoughts != "shown":
            return text
        thought = _joined(self._thoughts)[-MOST_THOUGHTS:].strip()
        return f"{quoted(thought, self._texts('turn.thoughts', self._language))}\n\n{text}" if thought else text


def with_elapsed(text: str, seconds: float, texts: Catalogue, language: str) -> str:
    """Words that are shown while nothing of an answer has come; how long that has been, if it has been long."""
    if seconds < LEAST_ELAPSED:
        return text
    return texts("stream.elapsed", language, text=text, seconds=math.floor(seconds))


def _joined(pieces: list[str]) -> str:
    """The text of the pieces, which become one: joining them all again for each frame would take ever longer."""
    pieces[:] = ["".join(pieces)]
    return pieces[0]
