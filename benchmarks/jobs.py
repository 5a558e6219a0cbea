"""Jobs whose calls are counted, of a bot on the emulator with the built-in echo provider."""

import asyncio
import io
import tempfile
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Final

from benchmarks.call_counter import CallCounter, Calls, counting_calls
from benchmarks.words import QUESTION
from tgllm.testing.bot import running_bot
from tgllm.testing.emulator import Emulator

if TYPE_CHECKING:
    from tgllm.testing.emulator.state import EmulatedMessage
    from tgllm.testing.emulator.users import EmulatedUser

__all__ = ["JOBS", "count_job", "fill"]


class People:
    """An admin, and new users."""

    def __init__(self, emulator: Emulator) -> None:
        """Add the admin, and open the admin's chat with the bot."""
        self._emulator = emulator
        self.admin = emulator.add_user(first_name="Ann", language_code="en")
        self._cards = self.admin.private_chat()

    async def ask_for_access(self, name: str) -> "tuple[EmulatedUser, EmulatedMessage]":
        """Have a new user write to the bot; return the user and the access card in the admin's chat."""
        person = self._emulator.add_user(first_name=name, language_code="en")
        said = await person.say("/start")
        await self._emulator.wait_for_message(person.private_chat(), after=said)
        card = await self._emulator.wait_for_message(self._cards, lambda it: bool(it.buttons) and name in it.text)
        return person, card

    async def approve(self, person: "EmulatedUser", card: "EmulatedMessage") -> None:
        """Press the first button of the card, and wait for the messages to the user and the admin."""
        last, before = person.private_chat().messages[-1], card.labels
        await self.admin.press(card, card.buttons[0].text)
        await self._emulator.wait_for_message(person.private_chat(), after=last)
        await self._emulator.wait_for(lambda: card.labels != before)

    async def ask(self, person: "EmulatedUser") -> None:
        """Ask a question, and wait for the answer."""
        said = await person.say(QUESTION)
        await self._emulator.wait_for_message(person.private_chat(), lambda it: it.text == QUESTION, after=said)

    async def use_in_group(self, person: "EmulatedUser") -> None:
        """Have a user use the bot in a new group, which makes a request for access of the group."""
        group = self._emulator.add_group(title="Room", members=[person])
        await person.say("/ping@demo_bot", chat=group)
        await self._emulator.wait_for_message(group)


Job = Callable[[People, CallCounter], Awaitable[None]]
"""Runs once to warm up, resets the counter, and runs again."""


async def _question(people: People, counter: CallCounter) -> None:
    person, card = await people.ask_for_access("Bea")
    await people.approve(person, card)
    await people.ask(person)
    await counter.quiet()
    counter.reset()
    await people.ask(person)
    await counter.quiet()


async def _approve(people: People, counter: CallCounter) -> None:
    person, card = await people.ask_for_access("Bea")
    await people.approve(person, card)
    person, card = await people.ask_for_access("Eve")
    await counter.quiet()
    counter.reset()
    await people.approve(person, card)
    await counter.quiet()


JOBS: Final[Mapping[str, Job]] = {"a question and its answer": _question, 'an admin presses "Approve"': _approve}


def count_job(job: Job) -> Calls:
    """Run a job with a new bot and return its calls."""

    async def count() -> Calls:
        with counting_calls() as counter:
            async with _bot(Path(folder)) as people:
                await job(people, counter)
                return counter.calls()

    with tempfile.TemporaryDirectory(prefix="tgllm-benchmark-") as folder, redirect_stdout(io.StringIO()):
        return asyncio.run(count())


def fill(folder: Path) -> None:
    """Create a database in ``folder`` with a row of everything that shell commands list."""

    async def use() -> None:
        async with _bot(folder) as people:
            person, card = await people.ask_for_access("Bea")
            await people.approve(person, card)
            await people.ask(person)
            await people.use_in_group(person)

    with redirect_stdout(io.StringIO()):
        asyncio.run(use())


@asynccontextmanager
async def _bot(folder: Path) -> AsyncGenerator[People]:
    async with Emulator() as emulator:
        people = People(emulator)
        # Intervals longer than the run disable background work and drafts.
        async with running_bot(
            emulator,
            folder,
            admins=[people.admin.id],
            database__watch_interval=3600.0,
            sending__poll_timeout=50,
            streaming__first_delay=3600.0,
        ):
            yield people
