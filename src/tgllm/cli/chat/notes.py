"""What is said about an answer beside it, on standard error."""

import os
import sys
from typing import Any

from tgllm.api import AuthFailed, DatabaseError, FileUnreadable, ModelNotFound, NotConfigured, TgllmError, Usage
from tgllm.cli.failure import tell_raw
from tgllm.i18n import Catalogue, error_text
from tgllm.i18n.numbers import dollars, grouped
from tgllm.observe.redaction import redact
from tgllm.observe.visible import visible, visible_line
from tgllm.services.conversations.tool_words import cited, is_web, notes_on_tools
from tgllm.services.conversations.turn import TurnOutcome

__all__ = ["Notes", "has_styles"]


_FOR_OPERATORS = (AuthFailed, DatabaseError, ModelNotFound, NotConfigured)
"""Errors whose text for a chat sends people to the operator, who reads this."""


def has_styles() -> bool:
    """Return whether a terminal may get colours and styles."""
    return not os.environ.get("NO_COLOR") and os.environ.get("TERM", "").lower() not in {"", "dumb", "unknown"}


class Notes:
    """Notes in the language of the bot, dim in a terminal."""

    def __init__(self, texts: Catalogue) -> None:
        """Use a catalogue, in its default language."""
        self._texts = texts
        self._is_terminal = sys.stderr.isatty()
        self._is_dim = self._is_terminal and has_styles()
        self.is_interactive = False
        """Whether errors may send the person to commands of the interactive chat, such as ``/model``."""

    def text(self, key: str, **params: Any) -> str:  # noqa: ANN401  as of the catalogue
        """Return a text of the terminal."""
        return self._texts(key, **params)

    def tell(self, key: str, **params: Any) -> None:  # noqa: ANN401  as of the catalogue
        """Write a text of the terminal."""
        self.write(self.text(key, **params))

    def write(self, text: str) -> None:
        """Write a text as a note."""
        if self._is_dim:
            sys.stderr.write(f"\x1b[2m{visible(redact(text))}\x1b[0m\n")
        else:
            tell_raw(f"{text}\n")

    def fail(self, error: TgllmError) -> None:
        """Write an error: what to do about it, and what exactly has failed."""
        tell_raw(f"tgllm: {self.failure(error)}\n")

    def failure(self, error: TgllmError) -> str:
        """Return an error in words."""
        if (text := self._own(error)) is not None:
            return text
        friendly, exact = error_text(self._texts, error), redact(str(error))
        if isinstance(error, _FOR_OPERATORS) and exact:
            return exact
        if isinstance(error, FileUnreadable) or not exact or exact in friendly:
            return friendly
        return f"{friendly} ({visible_line(exact)})"

    def after(self, outcome: TurnOutcome) -> None:
        """Write why an answer is not what was asked for, if so."""
        for error in outcome.unread:
            if error is not outcome.error:
                self.fail(error)
        for note in outcome.read:
            if note.shown or note.truncated:
                self.tell("terminal.read_in_part", name=visible_line(note.name))
        self._tools(outcome)
        if outcome.retired is not None:
            self.tell("terminal.retired", retired=str(outcome.retired), model=str(outcome.in_place_of or outcome.model))
        if outcome.in_place_of is not None:
            self.tell("terminal.in_place_of", asked=str(outcome.in_place_of), model=str(outcome.model))
        if outcome.files_left_out:
            self.tell("terminal.files_left_out", number=outcome.files_left_out)
        self._end(outcome)

    def _tools(self, outcome: TurnOutcome) -> None:
        """Write which calls did not work, and the sources of the others."""
        for note in notes_on_tools(outcome.tools, self._texts, ""):
            self.write(note)
        for number, (title, url) in enumerate(cited(outcome.tools, is_web), 1):
            self.write(f"{number}. {title}: {url}")

    def _end(self, outcome: TurnOutcome) -> None:
        if outcome.error is not None:
            self.fail(outcome.error)
        elif outcome.status == "ok" and outcome.is_empty:
            self.tell("terminal.empty")
        elif outcome.dropped or outcome.reason == "length":
            self.tell("terminal.length")
        elif outcome.reason == "filtered":
            self.tell("terminal.filtered")

    def usage(self, outcome: TurnOutcome, cost: int | None) -> None:
        """Write model, tokens, cost and time of an answer, in a terminal only."""
        if not self._is_terminal or not outcome.asked:
            return
        tokens = self._tokens(outcome.usage)
        price = [] if cost is None else [dollars(cost)]
        self.write(" · ".join([str(outcome.model), *tokens, *price, f"{outcome.seconds:.1f} s"]))

    def _tokens(self, usage: Usage) -> list[str]:
        sent, received = usage.input_tokens, usage.output_tokens
        if sent is None or received is None:
            return []
        return [self.text("terminal.tokens", sent=grouped(sent), received=grouped(received))]

    def _own(self, error: TgllmError) -> str | None:
        """Return the text of an error whose text for a chat would mislead in a shell."""
        params: dict[str, Any] = {"name": str(error.params.get("name", "")), **error.params}
        if error.code in {"question_too_long", "context_too_long"}:
            return f"{self.text('terminal.too_long')} ({visible_line(redact(str(error)))})"
        return self._own_of_file(error.code, params | {"choose": self._choose})

    def _own_of_file(self, code: str, params: dict[str, Any]) -> str | None:
        match code:
            case "file_missing":
                text = self.text("terminal.file_missing", **params)
            case "file_not_opened":
                text = self.text("terminal.file_not_opened", **params)
            case "file_needs":
                text = self.text("terminal.file_needs", **params)
            case "file_no_text":
                text = self.text("terminal.file_no_text", **params)
            case "file_no_sight":
                text = self.text("terminal.file_no_sight", **params)
            case "file_no_reader":
                text = self.text("terminal.file_no_reader", **params)
            case "file_no_transcriber":
                text = self.text("terminal.file_no_transcriber", **params)
            case _:
                text = None
        return text

    @property
    def _choose(self) -> str:
        return "/model PROVIDER/MODEL" if self.is_interactive else "-m PROVIDER/MODEL"
