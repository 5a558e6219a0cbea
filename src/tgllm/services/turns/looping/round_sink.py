"""Display of a turn with tools: the texts of its rounds as one answer, and its calls as steps."""

from collections.abc import Sequence

from tgllm.api import TextDelta, ToolCall, ToolCallDelta
from tgllm.db.tables.outbox import NewOutbox
from tgllm.services.conversations.tool_steps import ToolStep
from tgllm.services.conversations.turn import ShownEvent, Sink, TextWasReasoning, TurnOutcome
from tgllm.services.turns.looping.turn_tools import TurnTools

__all__ = ["RoundSink"]


class RoundSink:
    """Passes events on to the sink of the turn."""

    def __init__(self, sink: Sink, tools: TurnTools) -> None:
        """Begin with the texts of the rounds that are stored already."""
        self._sink = sink
        self._tools = tools
        self._shown = ""
        """Text of earlier rounds, as far as it is shown."""
        self._has_text = False
        """Whether the present round has shown text."""
        self._place = 0
        """Calls of the present round that are whole."""
        self._writing: tuple[int, str] | None = None
        self.begin_round()

    def begin_round(self) -> None:
        """Note that another answer of the model follows."""
        text = self._tools.text
        if text and not self._shown and not self._has_text:
            # The turn goes on after a restart.
            self._sink.show(TextDelta(text))
        self._shown, self._has_text = text, False
        self._place, self._writing = 0, None

    def show(self, event: ShownEvent) -> None:
        """Show an event."""
        match event:
            case TextDelta(text):
                if self._shown and not self._has_text and text.strip():
                    self._sink.show(TextDelta("\n\n"))
                self._has_text |= bool(text.strip())
                self._sink.show(event)
            case TextWasReasoning():
                self._sink.show(event)
                self._has_text = False
                if self._shown:
                    self._sink.show(TextDelta(self._shown))
            case ToolCallDelta(name):
                self._write(name)
            case ToolCall(name=name):
                self._write(name)
                self._place += 1
            case _:
                self._sink.show(event)

    def _write(self, name: str) -> None:
        """Show that the model writes a call; a name of a tool is shown once."""
        if not name or self._writing == (self._place, name):
            return
        self._writing = (self._place, name)
        number = len(self._tools.rounds) + 1
        title = self._tools.offer.title_of(name, self._tools.turn.user.language)
        self._sink.show(ToolStep(f"{number}.{self._place}", name, title, "writing"))

    async def finish(self, outcome: TurnOutcome) -> Sequence[NewOutbox]:
        """End the display; see ``Sink.finish``."""
        return await self._sink.finish(outcome)
