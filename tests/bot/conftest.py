"""An emulated Telegram, and the real bot on it."""

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from bot_support import Killed, LetIn, Menus, PatientClock, Start, Topics
from tgllm.db.engine.unit import Connection
from tgllm.db.tables import users
from tgllm.observe.logs import configure_logging
from tgllm.testing.bot import RunningBot, running_bot
from tgllm.testing.emulator import Emulator
from tgllm.testing.emulator.state.records import EmulatedChat, EmulatedMessage, EmulatedTopic
from tgllm.testing.emulator.users import EmulatedUser
from tgllm.testing.scripted import ScriptedProvider


@pytest.fixture(autouse=True)
def log(restored_logging: None) -> None:
    """The log as the program writes it; other tests have theirs."""
    configure_logging("console", "info", sys.stdout)


@pytest.fixture
def topics(emu: Emulator, ann: EmulatedUser) -> Topics:
    """Two topics of a group with Ann in it."""
    group = emu.add_group(title="Team", members=[ann], is_forum=True)
    return emu.add_topic(group, "One"), emu.add_topic(group, "Two")


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
def killed() -> Killed:
    """Wraps what ``start`` gives: the bot ends with the block, and has no time to put anything in order."""
    return _killed


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
