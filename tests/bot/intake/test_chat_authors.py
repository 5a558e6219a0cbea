"""People who write in the name of a chat are told why they get no answer, and no more than that."""

from typing import Any

import pytest

from bot_support import Ask, Start, from_bot
from tgllm.testing.bot import RunningBot
from tgllm.testing.emulator import EmulatedChat, EmulatedUser, Emulator
from tgllm.testing.scripted import ScriptedProvider

REASON = "I answer people, and can't see who writes anonymously or in the name of a channel."
NEWS = {"id": -1005, "type": "channel", "title": "The News"}


@pytest.fixture
async def group(emu: Emulator, ann: EmulatedUser) -> EmulatedChat:
    group = emu.add_group(title="Team", members=[ann])
    await ann.promote(group, emu.bot)
    return group


def in_the_name_of(group: EmulatedChat, author: str) -> dict[str, Any]:
    anonymous = {"id": group.id, "type": group.type, "title": group.title}
    return {"sender_chat": NEWS if author == "channel" else anonymous}


async def payloads(bot: RunningBot) -> str:
    rows = await bot.core.database.read(lambda conn: conn.execute("SELECT payload FROM inbox").fetchall())
    return "".join(row[0] for row in rows)


@pytest.mark.parametrize("author", ["anonymous", "channel"])
@pytest.mark.parametrize("text", ["@demo_bot what is it?", "/ping@demo_bot", "/start"])
async def test_they_are_told_why_and_nothing_is_stored(
    emu: Emulator,
    ann: EmulatedUser,
    group: EmulatedChat,
    start: Start,
    provider: ScriptedProvider,
    author: str,
    text: str,
) -> None:
    async with start() as bot:
        asked = await ann.say(text, chat=group, fields=in_the_name_of(group, author))
        told = await emu.wait_for_message(group)
        assert text not in await payloads(bot)
    assert told.text.startswith(REASON)
    assert told.reply_to is asked
    assert provider.requests == []


async def test_a_reply_to_the_bot_is_answered_too(
    emu: Emulator, ann: EmulatedUser, group: EmulatedChat, start: Start, ask: Ask
) -> None:
    async with start():
        answer = await ask("@demo_bot hi", chat=group)
        asked = await ann.say("why?", chat=group, reply_to=answer, fields=in_the_name_of(group, "anonymous"))
        told = await emu.wait_for_message(group, after=asked)
    assert told.text.startswith(REASON)


async def test_a_command_that_may_be_for_another_bot_is_ignored(
    emu: Emulator, ann: EmulatedUser, group: EmulatedChat, start: Start, ask: Ask
) -> None:
    async with start():
        await ann.say("/ban Eve", chat=group, fields=in_the_name_of(group, "anonymous"))
        await ask("@demo_bot hi", chat=group)
        assert not [message for message in from_bot(group) if message.text.startswith(REASON)]
        asked = await ann.say("/ban@demo_bot Eve", chat=group, fields=in_the_name_of(group, "anonymous"))
        told = await emu.wait_for_message(group, after=asked)
    assert told.text.startswith(REASON)


async def test_the_placeholder_of_an_anonymous_admin_is_enough(
    emu: Emulator, ann: EmulatedUser, group: EmulatedChat, start: Start
) -> None:
    anonymous = {"id": 1087968824, "is_bot": True, "first_name": "Group", "username": "GroupAnonymousBot"}
    async with start():
        asked = await ann.say("@demo_bot hi", chat=group, fields={"from": anonymous})
        told = await emu.wait_for_message(group, after=asked)
    assert told.text.startswith(REASON)


async def test_they_are_told_once_in_a_while(
    emu: Emulator, ann: EmulatedUser, group: EmulatedChat, start: Start, ask: Ask
) -> None:
    async with start():
        for _ in range(5):
            await ann.say("@demo_bot hi", chat=group, fields=in_the_name_of(group, "anonymous"))
        await ask("@demo_bot hi", chat=group)
    assert len([message for message in from_bot(group) if message.text.startswith(REASON)]) == 1


@pytest.mark.parametrize("mode", ["always", "mention", "never"])
@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"is_automatic_forward": True, "from": {"id": 777000, "is_bot": False, "first_name": "Telegram"}},
        {"from": {"id": 5, "is_bot": True, "first_name": "Other"}},
    ],
)
async def test_what_is_not_for_the_bot_gets_no_answer(
    ann: EmulatedUser, group: EmulatedChat, start: Start, ask: Ask, mode: str, fields: dict[str, Any]
) -> None:
    async with start():
        await ask(f"/groupmode {mode}", chat=group)
        before = len(from_bot(group))
        text = "@demo_bot news" if fields or mode == "never" else "news"
        await ann.say(text, chat=group, fields={**in_the_name_of(group, "channel"), **fields})
        await ask("/ping", chat=group)
    assert len(from_bot(group)) - before == 1
