"""Reminders in groups."""

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from contextlib import AbstractAsyncContextManager

    from tgllm.testing.bot import RunningBot
    from tgllm.testing.clock import ManualClock
    from tgllm.testing.emulator import EmulatedChat, EmulatedMessage, EmulatedUser, Emulator
    from tgllm.testing.fixtures import StartBot

    StartInGroup = Callable[[], AbstractAsyncContextManager[RunningBot]]

HOUR = 3600


@pytest.fixture
def bob(emulator: "Emulator") -> "EmulatedUser":
    return emulator.add_user(first_name="Bob")


@pytest.fixture
def group(emulator: "Emulator", ann: "EmulatedUser", bob: "EmulatedUser") -> "EmulatedChat":
    return emulator.add_group(title="Team", members=[ann, bob], bots=[], is_basic=True)


@pytest.fixture
def start_in_group(
    start: "StartBot", emulator: "Emulator", ann: "EmulatedUser", group: "EmulatedChat"
) -> "StartInGroup":
    """Starts the bot, which Ann then adds to the group."""

    @asynccontextmanager
    async def begin() -> "AsyncIterator[RunningBot]":
        async with start() as bot:
            await ann.add(group, emulator.bot)
            await bot.talk.settled()
            yield bot

    return begin


def sent(chat: "EmulatedChat") -> list["EmulatedMessage"]:
    """What the bot has written there."""
    return [message for message in chat.messages if message.from_bot]


async def test_a_reminder_is_for_the_person_who_asked(
    start_in_group: "StartInGroup",
    ann: "EmulatedUser",
    bob: "EmulatedUser",
    group: "EmulatedChat",
    clock: "ManualClock",
) -> None:
    async with start_in_group() as bot:
        await bot.talk.say(bob, "/later 1h tea", chat=group)
        await bot.talk.say(ann, "/later 1h cake", chat=group)
        await clock.advance(HOUR)
        await bot.talk.settled()
        tea, cake = sent(group)[-2:]
        assert (tea.text, cake.text) == ("⏰ Bob: tea", "⏰ @ann: cake")
        assert (await bot.talk.press(ann, tea, "Done")).toast == "This button is for somebody else."
        await bot.talk.press(bob, tea, "Done")
        assert tea.text == "✅ tea"


async def test_the_list_of_a_group_shows_nothing_private(
    start_in_group: "StartInGroup", ann: "EmulatedUser", group: "EmulatedChat"
) -> None:
    async with start_in_group() as bot:
        await bot.talk.say(ann, "/later 1h secret")
        await bot.talk.say(ann, "/later 2h cake", chat=group)
        here = await bot.talk.say(ann, "/later", chat=group)
        private = await bot.talk.say(ann, "/later")
        assert here.text.splitlines()[1:] == ["1. at 02:00: cake"]
        assert private.text.splitlines()[1:] == ["1. at 01:00: secret", "2. at 02:00: cake"]


async def test_reminders_follow_the_group_to_its_supergroup(
    start_in_group: "StartInGroup",
    ann: "EmulatedUser",
    bob: "EmulatedUser",
    group: "EmulatedChat",
    clock: "ManualClock",
) -> None:
    async with start_in_group() as bot:
        for person in (ann, bob):
            await bot.talk.say(person, "/later 1h tea", chat=group)
        grown = await ann.upgrade(group)
        await bot.talk.settled()
        listed = await bot.talk.say(bob, "/later", chat=grown)
        assert listed.text.splitlines()[1:] == ["1. at 01:00: tea"]
        await clock.advance(HOUR)
        await bot.talk.settled()
        assert [message.text for message in sent(grown)[-2:]] == ["⏰ @ann: tea", "⏰ Bob: tea"]


async def test_forget_reaches_the_reminders_in_groups(
    start_in_group: "StartInGroup",
    ann: "EmulatedUser",
    bob: "EmulatedUser",
    group: "EmulatedChat",
    clock: "ManualClock",
) -> None:
    async with start_in_group() as bot:
        for person in (ann, bob):
            await bot.talk.say(person, "/later 1h tea", chat=group)
        asked = await bot.talk.say(ann, "/forget")
        await bot.talk.press(ann, asked, asked.labels[0])
        (store,) = (owned.context.store for owned in bot.core.host.commands if owned.plugin_id == "remind")
        assert await store.get(f"group:{group.id}") == [bob.id]
        await clock.advance(HOUR)
        await bot.talk.settled()
        assert sent(group)[-1].text == "⏰ Bob: tea"


async def test_a_reminder_to_a_chat_without_access_is_dropped(
    start_in_group: "StartInGroup",
    emulator: "Emulator",
    ann: "EmulatedUser",
    group: "EmulatedChat",
    clock: "ManualClock",
) -> None:
    async with start_in_group() as bot:
        await bot.talk.say(ann, "/later 1h tea", chat=group)
        await ann.remove(group, emulator.bot)
        await bot.talk.settled()
        written = len(sent(group))
        await clock.advance(HOUR)
        await bot.talk.settled()
        assert len(sent(group)) == written
        assert (await bot.talk.say(ann, "/later")).text.startswith("Write a time")
