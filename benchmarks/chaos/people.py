"""People who ask numbered questions, edit them, send files, and press the buttons of questions about answers."""

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass, field

from benchmarks.chaos.judge import ASKED, Verdict, has_parts, is_answered, is_given_up, judge
from benchmarks.chaos.outbox import Outbox
from benchmarks.chaos.questions import TOOLS, Part, Question, parts_in
from tgllm.testing.emulator import EmulatedChat, EmulatedMessage, EmulatedUser, Emulator

__all__ = ["Habits", "Talk"]

MOST_OPEN = 3
"""Questions for which a person waits at the same time."""
LOOK_SECONDS = 0.1
"""Pause between two looks at a chat."""


@dataclass(frozen=True, slots=True)
class Habits:
    """How often people do what, as parts of their questions."""

    long: float = 0.1
    files: float = 0.1
    edits: float = 0.1
    tools: float = 0.0
    """Questions for which the model calls a tool."""


@dataclass(slots=True)
class Talk:
    """One chat and the person in it who asks."""

    emulator: Emulator
    number: int
    person: EmulatedUser
    chat: EmulatedChat
    dice: random.Random
    habits: Habits
    prefix: str = ""
    """Before each question in a group."""
    asked: list[tuple[Question, EmulatedMessage]] = field(default_factory=list[tuple[Question, EmulatedMessage]])
    resent: set[Part] = field(default_factory=set[Part])
    """Parts that came again because the person wanted it."""
    answered_notices: set[int] = field(default_factory=set[int])
    asking: asyncio.Lock = field(default_factory=asyncio.Lock)
    waiting: int = 0
    """Questions that are still to be asked."""
    cards: int = 0
    """Cards that were pressed."""
    has_given_up: bool = False
    """Whether it waits for no answer any more."""

    @property
    def is_settled(self) -> bool:
        """Whether all questions are asked and answered, and all notices too."""
        return not (self.waiting or self.asking.locked() or self.missing or self._notice())

    @property
    def open(self) -> int:
        """Number of questions without a whole answer."""
        return sum(self._is_open(*asked) for asked in self.asked[-2 * MOST_OPEN :])

    @property
    def missing(self) -> list[Question]:
        """Questions without a whole answer."""
        return [question for question, message in self.asked if self._is_open(question, message)]

    def _is_open(self, question: Question, message: EmulatedMessage) -> bool:
        return not is_answered(self.chat, question) and not is_given_up(self.chat, message)

    async def ask_after(self, seconds: float) -> None:
        """Ask the next question after a while, once not too many are open; sometimes edit it afterwards."""
        self.waiting += 1
        await asyncio.sleep(seconds)
        async with self.asking:
            self.waiting -= 1
            await self._until(lambda: self.open < MOST_OPEN)
            if not self.has_given_up:
                await self._ask()

    def give_up(self) -> None:
        """Wait for no answer any more."""
        self.has_given_up = True

    async def _ask(self) -> None:
        dice, habits = self.dice, self.habits
        parts = dice.choice((2, 3)) if dice.random() < habits.long else 1
        has_file = dice.random() < habits.files
        tool = dice.randint(1, len(TOOLS) - 1) if habits.tools and dice.random() < habits.tools else 0
        question = Question(self.number, len(self.asked) + 1, 1, parts, has_file, tool)
        text = f"{self.prefix}{question}"
        if question.has_file:
            content = question.file_text.encode()
            message = await self.person.upload(
                content, name="notes.txt", mime="text/plain", caption=text, chat=self.chat
            )
        else:
            message = await self.person.say(text, chat=self.chat)
        self.asked.append((question, message))
        if dice.random() < habits.edits:
            await asyncio.sleep(dice.choice((0.0, 0.05, 0.5, 2.0)))
            await self._edit()

    async def _edit(self) -> None:
        question, message = self.asked[-1]
        question = question.edited()
        await self.person.edit(message, f"{self.prefix}{question}")
        self.asked[-1] = question, message
        # A later question would make it one of the past, which edits don't change.
        await self._until(lambda: not self._is_open(question, message))

    async def _until(self, is_so: Callable[[], bool]) -> None:
        """Wait for something in the chat, or until no answer is waited for any more.

        The changes of all chats would wake it too often.
        """
        while not is_so() and not self.has_given_up:  # noqa: ASYNC110  changes of all chats would wake it too often
            await asyncio.sleep(LOOK_SECONDS)

    async def press_notices(self, outbox: Outbox) -> None:
        """Answer the questions about answers, until cancelled, as a person does who knows which answer is meant."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            if (notice := self._notice()) is None:
                continue
            self.answered_notices.add(notice.id)
            # Long enough that what is on its way arrives.
            await asyncio.sleep(1.0)
            parts = parts_in(outbox.text(int((notice.buttons[0].data or "").partition(":")[2])))
            missing = not has_parts(self.chat, parts)
            if missing:
                self.resent.update(parts)
            await self.person.press(notice, notice.labels[0 if missing else 1])

    async def press_cards(self) -> None:
        """Approve the calls of tools that wait for it, until cancelled."""
        pressed: set[int] = set()
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            for message in list(self.chat.newest_first()):
                once = next((label for label in message.labels if "Once" in label), None)
                if message.from_bot and once is not None and message.id not in pressed:
                    pressed.add(message.id)
                    self.cards += 1
                    await asyncio.sleep(self.dice.random())
                    # A person presses again where nothing happens.
                    pressing = asyncio.create_task(self.person.press(message, once))
                    await asyncio.wait({pressing}, timeout=20)

    def _notice(self) -> EmulatedMessage | None:
        for message in self.chat.newest_first():
            if message.from_bot and ASKED in message.text and message.id not in self.answered_notices:
                return message if len(message.labels) >= 2 else None
        return None

    def verdict(self) -> Verdict:
        """Return the judgement of the chat."""
        return judge(self.chat, self.asked, frozenset(self.resent))
