"""An emulated Telegram, and the real bot on it."""

import asyncio
import logging
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import structlog

from tgllm.api.clock import SystemClock
from tgllm.db.engine.unit import Connection
from tgllm.db.tables import users
from tgllm.observe.logs import configure_logging
from tgllm.testing.bot import RunningBot, running_bot
from tgllm.testing.emulator import Emulator
from tgllm.testing.emulator.state.records import EmulatedChat, EmulatedMessage, EmulatedTopic
from tgllm.testing.emulator.users import EmulatedUser
from tgllm.testing.scripted import ScriptedProvider

LetIn = Callable[[RunningBot, Sequence[EmulatedUser]], Awaitable[None]]
Start = Callable[..., AbstractAsyncContextManager[RunningBot]]


@pytest.fixture(autouse=True)
def log() -> Iterator[None]:
    """The log as the program writes it; other tests have theirs."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    configure_logging("console", "info", sys.stdout)
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


@pytest.fixture
async def emu() -> AsyncIterator[Emulator]:
    async with Emulator() as emulator:
        yield emulator


@pytest.fixture
def ann(emu: Emulator) -> EmulatedUser:
    """The owner of the bot."""
    return emu.add_user(first_name="Ann", language_code="en")


@pytest.fixture
def eve(emu: Emulator) -> EmulatedUser:
    """Nobody."""
    return emu.add_user(first_name="Eve", language_code="en")


@pytest.fixture
def provider() -> ScriptedProvider:
    return ScriptedProvider()


async def _let_in(bot: RunningBot, people: Sequence[EmulatedUser]) -> None:
    def unit(conn: Connection) -> None:
        for person in people:
            name = person.username, person.first_name, person.last_name
            users.upsert_seen(conn, users.SeenUser(person.id, *name, person.language_code), 1)
            users.set_status(conn, person.id, "active", 1)
            users.set_role(conn, person.id, "user", 1)

    await bot.core.database.write(unit)


@pytest.fixture
def let_in() -> LetIn:
    """Lets people use a bot that runs; nobody is told of it."""
    return _let_in


@pytest.fixture
def start(emu: Emulator, ann: EmulatedUser, tmp_path: Path, provider: ScriptedProvider) -> Start:
    """Starts the bot; a second call with the same database is a restart.

    The arguments are those of ``running_bot``, and ``let_in``: people who may use the bot, and are told nothing of it.
    """

    @asynccontextmanager
    async def start(*, let_in: Sequence[EmulatedUser] = (), **changes: Any) -> AsyncIterator[RunningBot]:
        async with running_bot(emu, tmp_path, **({"admins": [ann.id], "provider": provider} | changes)) as bot:
            if let_in:
                await _let_in(bot, let_in)
            yield bot

    return start


class PatientClock(SystemClock):
    """While it is patient, no wait of the bot comes to its end by itself, however slow the machine is."""

    patient = True

    def monotonic(self) -> float:
        return 0.0 if self.patient else super().monotonic()


@pytest.fixture
def patient_clock() -> PatientClock:
    return PatientClock()


@asynccontextmanager
async def _killed(running: AbstractAsyncContextManager[RunningBot]) -> AsyncIterator[RunningBot]:
    try:
        async with running as bot:
            yield bot
            bot.task.cancel()
            await asyncio.wait([bot.task])
    except asyncio.CancelledError:
        pass


@pytest.fixture
def killed() -> Callable[[AbstractAsyncContextManager[RunningBot]], AbstractAsyncContextManager[RunningBot]]:
    """Wraps what ``start`` gives: the bot ends with the block, and has no time to put anything in order."""
    return _killed


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


@pytest.fixture
def menus(emu: Emulator) -> Menus:
    return Menus(emu)


@pytest.fixture
def ask(emu: Emulator, ann: EmulatedUser) -> Callable[..., Awaitable[EmulatedMessage]]:
    """Says something for Ann and waits until the bot has said all it has to say to that.

    What admins are told unasked of requests for access is no answer.
    """

    def is_answer(message: EmulatedMessage) -> bool:
        is_shown_on_the_way = message.text == "Thinking..." or "Stop" in message.labels
        return message.from_bot and not is_shown_on_the_way and not message.text.startswith("🔔")

    async def say(
        text: str,
        *,
        chat: EmulatedChat | None = None,
        topic: EmulatedTopic | None = None,
        reply_to: EmulatedMessage | None = None,
    ) -> EmulatedMessage:
        said = await ann.say(text, chat=chat, topic=topic, reply_to=reply_to)
        place = chat or ann.private_chat()
        return await emu.wait_for_message(place, is_answer, after=said)

    return say
