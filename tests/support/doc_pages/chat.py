"""Conversations of a page, held with the real bot on an emulated Telegram.

    Ann: /admin users pending          somebody says something
    Bot: Pending requests: ...         what the bot answers; "..." stands for any text
      a second line of the answer
    Ann presses: Approve                a button of the bot's last message that has it
    Bot to Eve: You have been ...      what it writes to somebody else

Ann is the owner, Bob an approved user, and Eve has asked for access; other names are people who are new to the bot.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from doc_pages.shell import add_people, is_like
from tgllm.testing.bot import running_bot
from tgllm.testing.emulator import EmulatedMessage, EmulatedUser, Emulator

SECONDS = 30.0
"""Time limit of an answer."""
LINE = re.compile(r"^(\w+)(?: (presses|to \w+))?: (.*(?:\n+ {2}.*)*)", re.MULTILINE)


@dataclass(frozen=True)
class Line:
    """A line of a conversation."""

    speaker: str
    how: str
    """``presses``, ``to NAME``, or nothing."""
    text: str


def read_lines(text: str) -> Iterator[Line]:
    """The lines of a conversation.

    Raises:
        ValueError: a line is none.
    """
    rest = LINE.sub("", text).strip()
    if rest:
        raise ValueError(f"no line of a conversation: {rest.splitlines()[0]}")
    for found in LINE.finditer(text):
        yield Line(found[1], found[2] or "", re.sub(r"^ {2}", "", found[3], flags=re.MULTILINE))


class Conversation:
    """A conversation on its way through the bot."""

    def __init__(self, emulator: Emulator) -> None:
        self._emulator = emulator
        self._people: dict[str, EmulatedUser] = {}
        self._seen: dict[str, int] = {}
        """The id of the last message that the conversation has come to, by person."""
        self._last = ""

    def person(self, name: str) -> EmulatedUser:
        if name not in self._people:
            person = self._emulator.add_user(first_name=name, username=name.lower(), language_code="en")
            person.private_chat()  # as after Start: the bot may write to them first
            self._people[name] = person
        return self._people[name]

    async def hold(self, text: str) -> None:
        lines = list(read_lines(text))
        for line, following in zip(lines, [*lines[1:], None], strict=True):
            if line.speaker == "Bot":
                await self.hears(line.how.removeprefix("to ") or self._last, line.text)
            elif line.how == "presses":
                await self.presses(line.speaker, line.text)
            else:
                self._last = line.speaker
                said = await self.person(line.speaker).say(line.text)
                self._seen[line.speaker] = said.id
                if following is None or following.speaker != "Bot":
                    await self.hears(line.speaker, "...")

    async def hears(self, name: str, text: str) -> None:
        """Wait for a message of the bot that is newer than what was said, or edited since."""
        found = await self._emulator.wait_for(lambda: next(self._answers(name, text), None), SECONDS)
        self._seen[name] = max(self._seen.get(name, 0), found.id)

    def _answers(self, name: str, text: str) -> Iterator[EmulatedMessage]:
        seen = self._seen.get(name, 0)
        for message in self.person(name).private_chat().messages:
            if message.from_bot and (message.id > seen or message.edit_date) and is_like(message.text, text):
                yield message

    async def presses(self, name: str, label: str) -> None:
        self._last = name
        person = self.person(name)

        def found() -> EmulatedMessage | None:
            messages = [each for each in person.private_chat().messages if each.from_bot and label in each.labels]
            return messages[-1] if messages else None

        await person.press(await self._emulator.wait_for(found, SECONDS), label)


async def hold_conversation(folder: Path, text: str) -> None:
    """Hold a conversation with a bot of its own."""
    async with Emulator() as emulator:
        conversation = Conversation(emulator)
        ann, bob, eve = (conversation.person(name) for name in ("Ann", "Bob", "Eve"))
        add_people(folder / "tgllm.db", ann, bob, eve)
        async with running_bot(emulator, folder, admins=[ann.id]):
            await conversation.hold(text)
