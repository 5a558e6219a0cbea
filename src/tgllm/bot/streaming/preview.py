"""Preview of an answer while it is being written."""

import math
from dataclasses import replace

from tgllm.api import FileDelta, ReasoningDelta, TextDelta, Waiting
from tgllm.bot.rendering.payloads import EntityText
from tgllm.bot.rendering.render import render_tail
from tgllm.bot.rendering.source.tail import Tail, tail_of
from tgllm.bot.rendering.split import MESSAGE_LIMIT, utf16_length
from tgllm.bot.streaming.reasoning import MOST_THOUGHTS, quoted
from tgllm.i18n import Catalogue
from tgllm.i18n.durations import duration, short_duration
from tgllm.services.chats.settings import ReasoningDisplay
from tgllm.services.conversations.tool_line import ToolLine
from tgllm.services.conversations.tool_steps import ToolStep
from tgllm.services.conversations.turn import FileWait, NextModel, ShownEvent, TextWasReasoning
from tgllm.services.files.gathering.materials import Stage

__all__ = ["Preview", "with_elapsed"]

LEAST_WAIT = 2.0
"""Shortest wait that is shown, in seconds."""
LEAST_ELAPSED = 10.0
"""Seconds without any text from which the elapsed time is shown."""
ROUND_FROM = 10.0
ROUNDED_TO = 5
"""Waits longer than ``ROUND_FROM`` are rounded up to multiples of so many seconds."""
_GAP = "\n\n"


class Preview:
    """Collects the events of an answer and renders its current state; only what can be shown is kept."""

    def __init__(self, texts: Catalogue, language: str) -> None:
        self._texts = texts
        self._language = language
        self._text = Tail()
        self._thoughts = ""
        self._has_thoughts = False
        self._waiting = ""
        self._files = 0
        self._tools = ToolLine(texts, language)

    def add(self, event: ShownEvent) -> bool:
        """Add the next event; return whether the preview may have changed."""
        match event:
            case TextDelta(text):
                self._text.add(text)
            case ReasoningDelta(text):
                self._add_thoughts(text)
            case TextWasReasoning():
                self._add_thoughts(self._text.markdown)
                self._text = Tail()
            case FileDelta():
                self._files += 1
            case NextModel(model):
                self._text, self._thoughts, self._has_thoughts = Tail(), "", False
                self._waiting = self._texts("stream.next_model", self._language, model=model)
                return True
            case Waiting(reason, seconds):
                words = self._words(reason)
                self._waiting = f"{words} {self._about(seconds)}".strip() if words else ""
                return True
            case FileWait(stage, name):
                self._waiting = self._on_file(stage, name)
                return True
            case ToolStep():
                before = self._tools.text
                self._tools.add(event)
                self._waiting = ""
                return self._tools.text != before
            case _:
                return False
        self._waiting = ""
        return True

    def _add_thoughts(self, text: str) -> None:
        self._thoughts = (self._thoughts + text)[-MOST_THOUGHTS:]
        self._has_thoughts = True

    @property
    def has_thoughts(self) -> bool:
        """Whether the model has sent reasoning."""
        return self._has_thoughts

    @property
    def waits_for_person(self) -> bool:
        """Whether nothing goes on until a person has decided about a call."""
        return self._tools.waits_for_person

    def frame(self, thoughts: ReasoningDisplay = "hidden", elapsed: float = 0.0) -> EntityText:
        """Return the end of the answer as one message; its text is empty while there is nothing to show.

        Before the first text, it may say what the model waits for and for how long. Calls of tools that are going on
        stand below the text.

        Args:
            thoughts: how the chat shows reasoning. Folded reasoning is shown only with the finished answer.
            elapsed: seconds since the question.
        """
        shown = self._rendered(thoughts)
        words = self._tools.text or self._waiting
        if self._files and not words:
            words = self._texts("stream.files", self._language, count=self._files)
        if shown.text and self._tools.text:
            return replace(shown, text=f"{shown.text}{_GAP}{self._tools.text}")
        if shown.text or not words:
            return shown
        if self.waits_for_person:
            # The time would stand still, since nothing is shown anew until the person decides.
            return EntityText(words)
        return EntityText(with_elapsed(words, elapsed, self._texts, self._language))

    def _words(self, reason: str) -> str:
        """Return the text of a reason for waiting; empty for reasons of later versions of the plugin API."""
        match reason:
            case "queue":
                return self._texts("stream.waiting_queue", self._language)
            case "retry":
                return self._texts("stream.waiting_retry", self._language)
            case "rate_limit":
                return self._texts("stream.waiting_rate_limit", self._language)
            case _:
                return ""

    def _on_file(self, stage: Stage, name: str) -> str:
        match stage:
            case "download":
                return self._texts("stream.file_download", self._language, name=name)
            case "read":
                return self._texts("stream.file_read", self._language, name=name)
            case "listen":
                return self._texts("stream.file_listen", self._language, name=name)

    def _about(self, seconds: float | None) -> str:
        """Return the rounded length of a wait as text; empty if unknown or too short to be read."""
        if seconds is None or not LEAST_WAIT <= seconds < float("inf"):
            return ""
        step = 1 if seconds < ROUND_FROM else ROUNDED_TO
        time = duration(self._texts, math.ceil(seconds / step) * step, self._language)
        return self._texts("stream.about", self._language, time=time)

    def _rendered(self, thoughts: ReasoningDisplay) -> EntityText:
        text, is_cut = self._text.markdown, self._text.is_cut
        thought = self._thoughts.strip() if thoughts == "shown" else ""
        line = self._tools.text
        room = MESSAGE_LIMIT - (utf16_length(_GAP + line) if line else 0)
        # Above a text that is cut already, the reasoning would be out of sight.
        if is_cut or not thought:
            return render_tail(text, is_cut, room)
        quote = quoted(thought, self._texts("turn.thoughts", self._language))
        return render_tail(*tail_of(f"{quote}\n\n{text}"), room)


def with_elapsed(text: str, seconds: float, texts: Catalogue, language: str) -> str:
    """Return a text that is shown before an answer's first text, with the elapsed time if it is long."""
    if seconds < LEAST_ELAPSED:
        return text
    return texts("stream.elapsed", language, text=text, time=short_duration(texts, seconds, language))
