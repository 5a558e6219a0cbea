"""People of a schedule: what they ask and edit, and the buttons that they press."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from benchmarks.chaos.judge import ASKED, Verdict, has_parts, judge
from benchmarks.chaos.questions import Part, Question, parts_in
from benchmarks.simulation.loop import run_now
from tgllm.db.engine.unit import Connection
from tgllm.db.tables import outbox
from tgllm.testing.emulator import EmulatedChat, EmulatedMessage, EmulatedUser, Emulator

__all__ = ["Action", "Crowd", "planned"]


@dataclass(slots=True)
class Action:
    """Something that somebody does at a time."""

    at: float
    kind: Literal["ask", "edit"]
    chat: int
    parts: int = 1
    """Of the answer."""
    is_done: bool = False


def planned(dice: random.Random, now: float, questions: int, chats: int) -> list[Action]:
    """Return actions in their order: at most so many questions, and edits of them."""
    actions = list[Action]()
    for _ in range(dice.randint(min(1, questions), questions)):
        number = dice.randrange(chats)
        at = now + dice.choice((0.0, dice.uniform(0, 4)))
        actions.append(Action(at, "ask", number, 2 if dice.random() < 0.1 else 1))
        if dice.random() < 0.15:
            actions.append(Action(at + dice.uniform(0, 2), "edit", number))
    return sorted(actions, key=lambda action: action.at)


@dataclass(slots=True)
class _Talk:
    chat: EmulatedChat
    asked: list[tuple[Question, EmulatedMessage]] = field(default_factory=list[tuple[Question, EmulatedMessage]])
    resent: set[Part] = field(default_factory=set[Part])
    pressed: set[int] = field(default_factory=set[int])


class Crowd:
    """People, one for each chat."""

    def __init__(
        self,
        emulator: Emulator,
        people: Sequence[EmulatedUser],
        chats: Sequence[EmulatedChat],
        actions: Sequence[Action],
    ) -> None:
        """Create it."""
        self._emulator = emulator
        self._people = people
        self._talks = [_Talk(chat) for chat in chats]
        self.actions = actions

    @property
    def questions(self) -> int:
        """Number of questions that were asked."""
        return sum(len(each.asked) for each in self._talks)

    def act(self, action: Action) -> None:
        """Do something."""
        action.is_done = True
        each, person = self._talks[action.chat], self._people[action.chat]
        prefix = "" if each.chat.is_private else f"@{self._emulator.bot.username} "
        if action.kind == "ask":
            question = Question(action.chat, len(each.asked) + 1, 1, action.parts)
            each.asked.append((question, run_now(person.say(f"{prefix}{question}", chat=each.chat))))
        elif each.asked:
            question, message = each.asked[-1]
            question = question.edited()
            run_now(person.edit(message, f"{prefix}{question}"))
            each.asked[-1] = question, message

    def is_busy(self) -> bool:
        """Return whether somebody has something to do."""
        return not all(action.is_done for action in self.actions) or any(map(_notice, self._talks))

    def press_notices(self, conn: Connection) -> None:
        """Answer the questions whether an answer has arrived, as people do who know which answer is meant."""
        for each in self._talks:
            if (notice := _notice(each)) is not None:
                self._press(conn, each, notice)

    def _press(self, conn: Connection, each: _Talk, notice: EmulatedMessage) -> None:
        each.pressed.add(notice.id)
        row = outbox.get(conn, int((notice.buttons[0].data or ":0").partition(":")[2]))
        parts = parts_in("" if row is None else str(row.payload))
        missing = not has_parts(each.chat, parts)
        if missing:
            each.resent.update(parts)
        person = next(one for one in self._people if one.id in each.chat.members or each.chat.user is one)
        run_now(person.press(notice, notice.labels[0 if missing else 1]))

    def verdict(self) -> Verdict:
        """Judge all chats."""
        verdict = Verdict()
        for each in self._talks:
            verdict.add(judge(each.chat, each.asked, frozenset(each.resent)))
        return verdict


def _notice(each: _Talk) -> EmulatedMessage | None:
    for message in each.chat.newest_first():
        if message.from_bot and ASKED in message.text and message.buttons and message.id not in each.pressed:
            return message
    return None
