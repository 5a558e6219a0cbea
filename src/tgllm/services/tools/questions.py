"""Questions with buttons that tools ask in the middle of a call.

They are in memory: a call that asks is running, and a crash ends it with its question. The buttons that are left then
say so.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from secrets import token_hex
from typing import Any, Final, Literal

from tgllm.api import Ask, DatabaseError
from tgllm.api.clock import Clock, milliseconds
from tgllm.db.database import Database
from tgllm.db.tables import outbox
from tgllm.db.tables.outbox import NewOutbox
from tgllm.db.tables.tools.calls import StoredCall
from tgllm.i18n import Catalogue
from tgllm.plugins.calls.outcome import words_of
from tgllm.services.common.lane import Lane
from tgllm.services.common.text import clip, one_line, unlinked, without_controls
from tgllm.services.conversations.turn import Turn
from tgllm.services.messaging.rows import PLACEHOLDER, edit_of_row, message_row, reply_parameters

__all__ = ["QUESTION", "Pressed", "Questions"]

QUESTION: Final = "ask"
"""First word of the callback data of the buttons; the key of the question and the number of the button follow."""

MOST_CHOICES: Final = 20
_LONGEST_QUESTION: Final = 1_000
_LONGEST_LABEL: Final = 60
MOST_QUESTIONS: Final = 10
"""Most questions of a call; further ones have no answer. They are asked one after another, so that they can't flood a
chat."""
_DECLINE: Final = -1

Pressed = Literal["taken", "foreign", "gone"]
"""Result of a press: the tool has its answer; another person is asked; the question is not open any more."""


@dataclass(slots=True, eq=False)
class _Open:
    """A question that waits for its answer."""

    user_id: int
    count: int
    answer: asyncio.Future[int]


class Questions:
    """Asks the people of running calls."""

    def __init__(self, database: Database, clock: Clock, texts: Catalogue, seconds: float) -> None:
        """Create it.

        Args:
            database: with the outbox.
            clock: for the deadline.
            texts: words around the question.
            seconds: time in which a question must be answered.
        """
        self._database = database
        self._clock = clock
        self._texts = texts
        self._seconds = seconds
        self._open: dict[str, _Open] = {}

    def ask_for(self, turn: Turn, call: StoredCall, title: str) -> Ask | None:
        """Return what asks the person of a turn; None if no one can be asked."""
        if turn.person_id is None:
            return None
        return _Asking(self, turn, title or call.tool)

    def answer(self, key: str, number: int, user_id: int) -> Pressed:
        """Answer a question by a press.

        Args:
            key: of the question; it may be forged.
            number: of the button; -1 declines.
            user_id: who has pressed.
        """
        waiting = self._open.get(key)
        if waiting is None or waiting.answer.done() or not _DECLINE <= number < waiting.count:
            return "gone"
        if waiting.user_id != user_id:
            return "foreign"
        waiting.answer.set_result(number)
        return "taken"

    async def ask(self, turn: Turn, title: str, question: str, choices: Sequence[str], url: str) -> str | None:
        """Ask the person of a turn; return the choice, None if there is none."""
        # A plugin may pass values of any type.
        labels = [one_line(words_of(each), _LONGEST_LABEL) or "-" for each in tuple(choices)[:MOST_CHOICES]]
        language, key = turn.user.language, token_hex(8)
        shown = labels or [self._texts("question.done", language)]
        asked = without_controls(words_of(question)[:_LONGEST_QUESTION])
        text = unlinked(f"{one_line(title, _LONGEST_LABEL)}\n\n{asked}")
        waiting = _Open(turn.user.id, len(shown), asyncio.get_running_loop().create_future())
        self._open[key] = waiting
        chosen: int | None = None
        try:
            await self._store(self._message(turn, key, text, self._keyboard(key, shown, url, language)))
            chosen = await self._wait(waiting.answer)
        finally:
            del self._open[key]
            line = shown[chosen] if chosen is not None and chosen >= 0 else self._texts("question.no_answer", language)
            with suppress(DatabaseError):
                await self._store(_closing(self._message(turn, key, f"{text}\n\n➡️ {line}", None)))
        if chosen is None or chosen < 0:
            return None
        return tuple(choices)[chosen] if labels else "done"

    async def _wait(self, answer: "asyncio.Future[int]") -> int | None:
        timer = asyncio.ensure_future(self._clock.sleep(self._seconds))
        try:
            await asyncio.wait({answer, timer}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            timer.cancel()
        return answer.result() if answer.done() else None

    async def _store(self, row: NewOutbox) -> None:
        now = milliseconds(self._clock)
        self._database.expect("outbox")
        await self._database.write(lambda conn: outbox.add(conn, [row], now))

    def _keyboard(self, key: str, labels: Sequence[str], url: str, language: str) -> dict[str, Any]:
        rows: list[list[dict[str, str]]] = []
        if str(url).startswith(("https://", "http://")):
            rows.append([{"text": self._texts("question.open", language), "url": str(url)}])
        rows += [[{"text": label, "callback_data": f"{QUESTION}:{key}:{place}"}] for place, label in enumerate(labels)]
        decline = self._texts("question.decline", language)
        rows.append([{"text": decline, "callback_data": f"{QUESTION}:{key}:{_DECLINE}"}])
        return {"inline_keyboard": rows}

    @staticmethod
    def _message(turn: Turn, key: str, text: str, keyboard: dict[str, Any] | None) -> NewOutbox:
        extra: dict[str, Any] = {PLACEHOLDER: True}
        if keyboard is not None:
            extra |= {"reply_markup": keyboard, **reply_parameters(turn.message_id)}
        return replace(message_row(Lane.parse(turn.lane), clip(text), extra), turn_id=f"{QUESTION}:{key}")


@dataclass(slots=True, eq=False)
class _Asking:
    """Asks the person of one call."""

    questions: Questions
    turn: Turn
    title: str
    asked: int = 0
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def __call__(self, question: str, choices: Sequence[str] = (), *, url: str = "") -> str | None:
        async with self.lock:
            if self.asked >= MOST_QUESTIONS:
                return None
            self.asked += 1
            return await self.questions.ask(self.turn, self.title, question, choices, url)


def _closing(row: NewOutbox) -> NewOutbox:
    """Return the row that edits the message of a question, without buttons."""
    return replace(edit_of_row(row, 0), part=1)
