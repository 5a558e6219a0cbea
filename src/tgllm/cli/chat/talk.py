"""Questions and answers of a chat: shared by a single question and the interactive chat."""

import os
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from tgllm.api import TgllmError
from tgllm.api.clock import Clock
from tgllm.cli.chat.answering import follow
from tgllm.cli.chat.display import Display, JsonDisplay, MarkdownDisplay, PlainDisplay, Words
from tgllm.cli.chat.engine import Engine
from tgllm.cli.chat.local_files import LocalFiles
from tgllm.cli.chat.notes import Notes
from tgllm.cli.chat.saved import save
from tgllm.cli.chat.session import Asked, Session
from tgllm.cli.output import print_json
from tgllm.observe.visible import visible
from tgllm.services.conversations.turn import TurnOutcome
from tgllm.services.files.attachment import Attachment

__all__ = ["Talk", "is_rich"]


def is_rich() -> bool:
    """Return whether the output is a terminal that can move its cursor."""
    return sys.stdout.isatty() and os.environ.get("TERM", "").lower() not in {"dumb", "unknown"}


@dataclass(slots=True)
class Talk:
    """A conversation and how its answers are shown."""

    engine: Engine
    session: Session
    notes: Notes
    clock: Clock
    as_json: bool = False
    files: LocalFiles = field(default_factory=LocalFiles)

    def ask(self, text: str, attachments: Sequence[Attachment] = ()) -> TurnOutcome:
        """Ask a question and show the answer; see ``follow`` for what it raises."""
        return self._show(self.session.ask(text, attachments, self.files))

    def retry(self) -> TurnOutcome | None:
        """Ask the last question again; None if there is none."""
        asked = self.session.retry(self.files)
        return None if asked is None else self._show(asked)

    def _show(self, asked: Asked) -> TurnOutcome:
        outcome = follow(asked, self._display())
        paths = save(outcome.files, Path.cwd(), outcome.tools.files)
        cost = self._cost(outcome)
        if self.as_json:
            print_json(self._document(outcome, paths, cost))
        for path in paths:
            self.notes.tell("terminal.saved", path=visible(str(path)))
        self.notes.after(outcome)
        if not self.as_json:
            self.notes.usage(outcome, cost)
        return outcome

    def _display(self) -> Display:
        texts = self.engine.core.texts
        words = Words(texts, self.session.language, self.clock)
        if self.as_json:
            return JsonDisplay(words, self.notes.write)
        if not is_rich():
            return PlainDisplay(sys.stdout, words, self.notes.write)
        from tgllm.cli.chat.markdown import MarkdownRenderer  # noqa: PLC0415  rich is for terminals only
        from tgllm.cli.chat.screen import Screen  # noqa: PLC0415  rich is for terminals only

        renderer = MarkdownRenderer(no_color=bool(os.environ.get("NO_COLOR")))
        return MarkdownDisplay(Screen(sys.stdout, renderer), words, self.clock)

    def _cost(self, outcome: TurnOutcome) -> int | None:
        if not outcome.asked:
            return None
        prices = self.engine.core.prices
        return self.engine.read(lambda conn: prices.cost(conn, outcome.model, outcome.usage))

    def _document(self, outcome: TurnOutcome, paths: Sequence[Path], cost: int | None) -> dict[str, Any]:
        error = outcome.error
        return {
            "text": outcome.text,
            "reasoning": outcome.reasoning,
            "model": str(outcome.model),
            "status": outcome.status,
            "finish_reason": outcome.reason,
            "usage": asdict(outcome.usage),
            "cost_usd": None if cost is None else cost / 1_000_000,
            "seconds": round(outcome.seconds, 3),
            "files": [str(path) for path in paths],
            "tools": [{"tool": step.tool, "state": step.state} for step in outcome.tools.steps],
            "sources": [asdict(source) for source in outcome.tools.sources],
            "unread": [self._described(each) for each in outcome.unread],
            "error": None if error is None else self._described(error),
        }

    def _described(self, error: TgllmError) -> dict[str, str]:
        return {"code": error.code, "message": self.notes.failure(error)}
