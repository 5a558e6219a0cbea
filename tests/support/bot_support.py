"""Types of the bot's fixtures, clocks, and questions about chats."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass

from tgllm.api.clock import SystemClock
from tgllm.db.engine.unit import Connection
from tgllm.db.tables import groups, inbox, outbox
from tgllm.testing.bot import RunningBot
from tgllm.testing.emulator import EmulatedChat, EmulatedMessage, EmulatedTopic, EmulatedUser, Emulator

Start = Callable[..., AbstractAsyncContextManager[RunningBot]]
"""Starts the bot for a block; the keywords are those of ``running_bot``."""
Killed = Callable[[AbstractAsyncContextManager[RunningBot]], AbstractAsyncContextManager[RunningBot]]
"""Makes the bot of a block end without an orderly shutdown."""
LetIn = Callable[[RunningBot, Sequence[EmulatedUser]], Awaitable[None]]
"""Approves people for a running bot."""
Topics = tuple[EmulatedTopic, EmulatedTopic]
"""Two topics of a group."""
Ask = Callable[..., Awaitable[EmulatedMessage]]
"""Says something for Ann, and returns the answer."""


class PatientClock(SystemClock):
    """While it is patient, no wait of the bot comes to its end by itself, however slow the machine is."""

    patient = True

    def monotonic(self) -> float:
        return 0.0 if self.patient else super().monotonic()


@dataclass(frozen=True)
class Menus:
    """What people do with commands and buttons, and what they see then."""

    emu: Emulator

    async def ask(
        self,
        person: EmulatedUser,
        text: str,
        *,
        chat: EmulatedChat | None = None,
        topic: EmulatedTopic | None = None,
    ) -> EmulatedMessage:
        """What the bot answers, once it is there as a whole."""
        asked = await person.say(text, chat=chat, topic=topic)
        return await self.emu.wait_for_message(
            asked.chat, lambda message: message.from_bot and message.text != "Thinking...", after=asked
        )

    async def press(self, person: EmulatedUser, message: EmulatedMessage, label: str) -> None:
        """Press a button, and wait until the message or its buttons are others."""
        before = message.text, message.labels
        await person.press(message, label)
        await self.emu.wait_for(lambda: (message.text, message.labels) != before)

    async def toast(self, person: EmulatedUser, message: EmulatedMessage, data: str) -> str:
        """What the bot shows for callback data that no button has to have."""
        query = person._query(message, data)
        answer = await self.emu.wait_for(lambda: query.answer)
        return str(answer.get("text") or "")


class LaterClock(SystemClock):
    """So many hours from now."""

    def __init__(self, hours: float) -> None:
        self._seconds = hours * 3600

    def now(self) -> float:
        return super().now() + self._seconds


class HastyClock(SystemClock):
    """Its pauses are a fiftieth as long, so that a bot that backs off need not be waited for."""

    async def sleep(self, seconds: float) -> None:
        await super().sleep(seconds / 50)


async def pause() -> None:
    """Let the bot work for a while, between two looks at its database.

    Without it, looking takes most of the time in which the bot could work.
    """
    await asyncio.sleep(0.003)


async def settled(emu: Emulator, bot: RunningBot) -> None:
    """Wait until the bot has handled all updates, and has sent what it had to.

    An answer to a later message says less: a command that only reads overtakes questions and edits.
    """
    await emu.wait_for(lambda: not len(emu.bot.queue), timeout=60)
    while (await bot.core.database.read(inbox.counts)).keys() & {"queued", "running"}:
        await pause()
    while (await bot.core.database.read(outbox.counts)).keys() & {"ready", "sending"}:
        await pause()


def from_bot(chat: EmulatedChat) -> list[EmulatedMessage]:
    """The messages of the bot."""
    return [message for message in chat.messages if message.from_bot]


def is_notice(message: EmulatedMessage) -> bool:
    """Whether it asks if an answer has arrived."""
    return "I have it" in message.labels


def content(message: EmulatedMessage) -> str:
    """The text in the file of a message."""
    assert message.file is not None
    return message.file.content.decode()


def decide_group(
    chat: EmulatedChat, status: groups.GroupStatus = "active", title: str = "Team"
) -> Callable[[Connection], object]:
    """The unit of work that registers a group and decides about it."""

    def unit(conn: Connection) -> None:
        groups.request(conn, chat.id, title, 1)
        groups.set_status(conn, chat.id, status, 1)

    return unit
