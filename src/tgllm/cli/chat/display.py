"""Display of an answer while it grows: Markdown in a terminal, or the text as it is in a pipe."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol, TextIO

from tgllm.api import ReasoningDelta, TextDelta, Waiting
from tgllm.api.clock import Clock
from tgllm.i18n import Catalogue
from tgllm.observe.visible import visible, visible_line
from tgllm.services.common.text import mend_surrogates
from tgllm.services.conversations.tool_line import ToolLine
from tgllm.services.conversations.tool_steps import ToolStep
from tgllm.services.conversations.turn import FileWait, NextModel, ShownEvent, TextWasReasoning

if TYPE_CHECKING:
    from tgllm.cli.chat.screen import Screen

__all__ = ["Display", "JsonDisplay", "MarkdownDisplay", "PlainDisplay", "Words"]

DRAW_SECONDS = 0.08
"""Least time between two pictures of a growing answer."""
THINKING_SECONDS = 1.0
"""Time without a text after which a status line is shown."""
MOST_HELD = 200
"""Characters of a word that is held back until it is complete."""
_STAGES = {"download": "stream.file_download", "read": "stream.file_read", "listen": "stream.file_listen"}


class Display(Protocol):
    """Display of one answer."""

    def show(self, event: ShownEvent) -> None:
        """Take the next event."""
        ...

    def tick(self) -> None:
        """Draw what is new, if it is time to."""
        ...

    def end(self, text: str) -> None:
        """Show the whole answer, and end the display."""
        ...


class Words:
    """Status of an answer in words."""

    def __init__(self, texts: Catalogue, language: str, clock: Clock) -> None:
        """Begin to measure the time."""
        self._texts, self._language, self._clock = texts, language, clock
        self._began = clock.monotonic()
        self._status = ""
        self._thought = ""
        self._tools = ToolLine(texts, language)
        self._begun: set[str] = set()

    def note(self, event: ShownEvent) -> str | None:
        """Take an event; return the words for a delay that it reports."""
        match event:
            case Waiting(reason):
                self._status = self._texts(f"stream.waiting_{reason}", self._language)
            case NextModel(model):
                self._thought = ""
                self._status = self._texts("stream.next_model", self._language, model=visible_line(str(model)))
            case FileWait(stage, name):
                self._status = self._texts(_STAGES[stage], self._language, name=visible_line(name))
            case ToolStep():
                self._tools.add(event)
                self._status = visible_line(self._tools.text)
                return self._beginning(event)
            case ReasoningDelta(text):
                self._status = ""
                self._thought = (self._thought + text)[-2000:]
                return None
            case TextDelta():
                self._status = ""
                return None
            case _:
                return None
        return self._status

    def _beginning(self, step: ToolStep) -> str | None:
        """Return the title of a call that begins to run or to wait, once."""
        if step.state not in {"running", "waiting"} or step.id in self._begun:
            return None
        self._begun.add(step.id)
        return visible_line(step.title) or step.tool

    @property
    def tools(self) -> list[str]:
        """The line that says which tools are used now; none if no tool is."""
        line = visible_line(self._tools.text)
        return [line] if line else []

    def lines(self, width: int) -> list[str]:
        """Return the status, and the last line of the reasoning."""
        seconds = round(self._clock.monotonic() - self._began)
        status = self._status or self._texts("stream.thinking", self._language)
        thought = visible_line(mend_surrogates(self._thought).rstrip().rpartition("\n")[2])
        shown = [f"{status} {seconds} s" if seconds else status]
        return [*shown, *([f"  {thought[-max(1, (width - 4) // 2) :]}"] if thought else [])]


class MarkdownDisplay:
    """Markdown in a terminal: complete blocks are printed for good, the last one is drawn while it grows."""

    def __init__(self, screen: "Screen", words: Words, clock: Clock) -> None:
        self._screen, self._words, self._clock = screen, words, clock
        self._text = ""
        self._printed = ""
        self._drawn_at: float | None = None
        self._is_new = True
        self._began = clock.monotonic()
        self._look_at = 0

    def show(self, event: ShownEvent) -> None:
        self._words.note(event)
        match event:
            case TextDelta(text):
                self._text += text
            case TextWasReasoning() | NextModel():
                self._text = ""
                self._printed = ""
                self._look_at = 0
            case _:
                pass
        self._is_new = True
        self.tick()

    def tick(self) -> None:
        now = self._clock.monotonic()
        if self._drawn_at is not None and now - self._drawn_at < DRAW_SECONDS:
            return
        if not self._tail:
            # The seconds of the status go on.
            self._is_new = self._is_new or self._drawn_at is None or now - self._drawn_at >= THINKING_SECONDS
        if not self._is_new:
            return
        self._drawn_at, self._is_new = now, False
        self._print_complete()
        if self._tail.strip():
            self._screen.draw_markdown(self._tail, self._words.tools)
        elif now - self._began >= THINKING_SECONDS or self._screen.is_drawn:
            self._screen.draw_status(self._words.lines(self._screen.width))

    def end(self, text: str) -> None:
        rest = text.removeprefix(self._printed)
        self._screen.print_markdown(rest)
        self._screen.draw_status([])

    @property
    def _tail(self) -> str:
        return self._text[len(self._printed) :]

    def _print_complete(self) -> None:
        tail = mend_surrogates(self._tail)
        # A long block that has not ended is not parsed for each of its words.
        if "\n" not in tail or len(tail) < self._look_at:
            return
        end = self._screen.last_block(tail)
        self._look_at = 0 if end else len(tail) + len(tail) // 20
        if end:
            self._screen.print_markdown(tail[:end])
            # With the text as it came: a surrogate that is mended is shorter.
            self._text = self._printed + tail
            self._printed += tail[:end]


class PlainDisplay:
    """The text itself, word by word; delays are noted where a person may see them."""

    def __init__(self, out: TextIO, words: Words, note: Callable[[str], None]) -> None:
        self._out, self._words, self._note = out, words, note
        self._written = ""
        self._held = ""
        self._last_note = ""

    def show(self, event: ShownEvent) -> None:
        if (status := self._words.note(event)) and status != self._last_note:
            self._last_note = status
            self._note(status)
        match event:
            case TextDelta(text):
                self._held += text
                cut = _cut(self._held)
                ready, self._held = self._held[:cut], self._held[cut:]
                self._write(mend_surrogates(ready))
            case TextWasReasoning() | NextModel():
                self._held = ""
                self._new_start()
            case _:
                pass

    def tick(self) -> None:
        pass

    def end(self, text: str) -> None:
        self._held = ""
        if not text.startswith(self._written):
            self._new_start()
        self._write(text[len(self._written) :])
        if self._written and not self._written.endswith("\n"):
            self._write("\n")
        self._out.flush()

    def _new_start(self) -> None:
        if self._written:
            self._out.write("\n\n")
        self._written = ""

    def _write(self, text: str) -> None:
        if text:
            self._written += text
            self._out.write(visible(text.replace("\r\n", "\n")))
            self._out.flush()


class JsonDisplay:
    """No display: the answer is printed as JSON when it is complete."""

    def __init__(self, words: Words, note: Callable[[str], None]) -> None:
        self._words, self._note = words, note

    def show(self, event: ShownEvent) -> None:
        if status := self._words.note(event):
            self._note(status)

    def tick(self) -> None:
        pass

    def end(self, text: str) -> None:
        pass


def _cut(text: str) -> int:
    """Return up to where a text can be written: to its last space, since characters of a word may belong together."""
    end = max(text.rfind(" "), text.rfind("\n")) + 1
    return end if end or len(text) < MOST_HELD else len(text) - 1
