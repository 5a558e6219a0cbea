"""Conversations of people with a running bot, for tests of commands and buttons."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from tgllm.api.clock import SystemClock, milliseconds
from tgllm.db.engine.unit import Connection
from tgllm.db.tables import outbox
from tgllm.db.tables.plugins import jobs
from tgllm.db.tables.tools.approvals import is_at_work
from tgllm.services.bot_core import BotCore
from tgllm.testing.emulator import EmulatedChat, EmulatedMessage, EmulatedTopic, EmulatedUser, Emulator
from tgllm.testing.emulator.world.transcript import transcript

__all__ = ["Pressed", "Talk"]

T = TypeVar("T")

WAIT_SECONDS = 30.0
"""Timeout of a wait; reached only after a failure."""
_LOOK_SECONDS = 0.003
"""Pause between two looks at the database; without one, looking takes most of the time in which the bot could work."""
_UNSENT = frozenset({"ready", "sending"})


@dataclass(frozen=True, slots=True)
class Pressed:
    """What a press has caused."""

    toast: str
    """Text that was shown at the button; empty if none was."""
    is_alert: bool
    """Whether it was shown as a dialog."""
    messages: tuple[EmulatedMessage, ...]
    """New messages of the bot in the chat."""


class Talk:
    """What people say and press, and what the bot does then. Each call waits until the bot has done it all."""

    def __init__(self, emulator: Emulator, core: BotCore) -> None:
        """Talk to the bot of ``core`` on ``emulator``."""
        self._emulator = emulator
        self._core = core

    async def say(
        self,
        person: EmulatedUser,
        text: str,
        *,
        chat: EmulatedChat | None = None,
        topic: EmulatedTopic | None = None,
        reply_to: EmulatedMessage | None = None,
    ) -> EmulatedMessage:
        """Send a text for a person, and return the first message of the bot that follows it in the chat.

        Raises:
            AssertionError: there is none; the message shows the conversation.
        """
        said = await person.say(text, chat=chat, topic=topic, reply_to=reply_to)
        await self.settled()
        return self.reply_to(said)

    async def press(self, person: EmulatedUser, message: EmulatedMessage, button: str) -> Pressed:
        """Press a button for a person, named by its label.

        Raises:
            LookupError: the message has no such button.
            AssertionError: the bot does not answer the press; the message shows the conversation.
        """
        latest = max((each.id for each in message.chat.messages), default=0)
        query = await person.press(message, button)
        await self.settled()
        if query.answer is None:
            raise AssertionError(f"the press of {button!r} is not answered\n{transcript(message.chat)}")
        new = tuple(each for each in message.chat.messages if each.from_bot and each.id > latest)
        return Pressed(str(query.answer.get("text") or ""), query.answer.get("show_alert") is True, new)

    def reply_to(self, said: EmulatedMessage) -> EmulatedMessage:
        """Return the first message of the bot after another message of the chat; never one of a person.

        Raises:
            AssertionError: there is none; the message shows the conversation.
        """
        after = (each for each in said.chat.messages if each.from_bot and each.id > said.id)
        found = next(after, None)
        if found is None:
            raise AssertionError(f"the bot has not replied to {said.text!r}\n{transcript(said.chat)}")
        return found

    async def settled(self) -> None:
        """Wait until the bot has handled all updates, has run the one-shot jobs that are due, and has sent everything.

        A turn that waits for the approval of a call counts as handled: press a button of its card to go on.

        With a ``ManualClock``, advance it before: ``await clock.advance(60)``.

        Raises:
            TimeoutError: it has not within half a minute; the message shows all conversations.
        """
        await self._emulator.wait_for(lambda: not len(self._emulator.bot.queue), WAIT_SECONDS)
        # The bot works in real time, whatever its own clock shows.
        real = SystemClock()
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                while await self._is_busy():
                    await real.sleep(_LOOK_SECONDS)
        except TimeoutError:
            chats = "\n".join(transcript(chat) for chat in self._emulator.world.chats.values())
            raise TimeoutError(f"the bot is not done within {WAIT_SECONDS:g} s\n{chats}") from None

    async def _is_busy(self) -> bool:
        # In the order in which one causes the other.
        database = self._core.database
        return await database.read(is_at_work) or await self._has_jobs() or await self._has(outbox.counts, _UNSENT)

    async def _has_jobs(self) -> bool:
        now = milliseconds(self._core.clock)
        found = await self._core.database.read(lambda conn: jobs.at_work(conn, now))
        return any(map(self._core.host.is_active, found))

    async def _has(self, counts: Callable[[Connection], dict[T, int]], states: frozenset[str]) -> bool:
        found = await self._core.database.read(counts)
        return bool(found.keys() & states)
