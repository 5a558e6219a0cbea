"""Pictures and files: an album is one question, and it is told once that they themselves are not read."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from bot_support import PatientClock, Start
from tgllm.db.tables import inbox, messages
from tgllm.testing.emulator import Emulator
from tgllm.testing.emulator.state.records import EmulatedMessage
from tgllm.testing.emulator.users import EmulatedUser
from tgllm.testing.scripted import ScriptedProvider

THREE = [(f"{number}.jpg", b"picture") for number in range(3)]
UNREAD = "I can't read the attachments yet, so I answer only your text."
UNSUPPORTED = "I can't read this kind of message yet. Send me text."


def group_of(album: list[EmulatedMessage]) -> str:
    return str(album[0].fields["media_group_id"])


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Albums here come at once, unless a test says otherwise."""
    monkeypatch.setattr("tgllm.bot.turns.albums.WAIT_SECONDS", 0.1)


async def test_the_caption_of_an_album_is_answered_once(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider
) -> None:
    provider.answer("Nice.")
    chat = ann.private_chat()
    sent = await ann.album(THREE, caption="Our boat")
    async with start() as bot:
        await emu.wait_for_message(chat, lambda message: message.text == UNREAD)
        assert await bot.core.database.read(inbox.counts) == {"done": 1, "merged": 2}
        stored = await bot.core.database.read(lambda conn: messages.find_by_telegram(conn, ann.id, sent[2].id))
    assert chat.bot_texts == ["Nice.", UNREAD]
    told = "[The message came with 3 pictures or files, which you can't see]\nOur boat"
    assert provider.questions == [told]
    assert stored is not None
    assert stored.telegram_message_ids == tuple(message.id for message in sent)


async def test_an_album_without_words_is_told_once(emu: Emulator, ann: EmulatedUser, start: Start) -> None:
    chat = ann.private_chat()
    await ann.album(THREE)
    async with start():
        await emu.wait_for_message(chat)
        await ann.say("/ping")
        await emu.wait_for_message(chat, lambda message: message.text == "Bot ready")
    assert chat.bot_texts == [UNSUPPORTED, "Bot ready"]


async def test_several_captions_are_one_question_in_their_order(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider
) -> None:
    first = await ann.album([THREE[0]], caption="The bow")
    await ann.say("something else")
    await ann.album([THREE[1]], caption="The stern", group_id=group_of(first))
    async with start():
        await emu.wait_for(lambda: len(provider.requests) == 2)
    questions = [request.messages[-1].text.partition("]\n") for request in provider.requests]
    assert questions[0][2] == "The bow\nThe stern"
    assert questions[1][0] == "something else"


async def test_a_picture_alone_does_not_wait_for_others(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tgllm.bot.turns.albums.WAIT_SECONDS", 1e6)
    chat = ann.private_chat()
    async with start():
        await ann.upload(b"picture", kind="photo", caption="What is it?")
        await emu.wait_for_message(chat, lambda message: "can't read the attachment yet" in message.text)
        await ann.upload(b"picture", kind="photo")
        await emu.wait_for_message(chat, lambda message: message.text == UNSUPPORTED)
        await ann.album([(f"{number}.jpg", b"x") for number in range(10)], caption="All ten")
        await emu.wait_for_message(chat, lambda message: message.text == UNREAD)
    assert [question.partition("]\n")[2] for question in provider.questions] == [
        "What is it?",
        "All ten",
    ]


async def test_an_item_that_comes_a_little_later_still_belongs_to_it(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tgllm.bot.turns.albums.WAIT_SECONDS", 1e6)
    async with start():
        first = await ann.album(THREE, caption="Our boat")
        await emu.wait_for(lambda: not emu.bot.queue.pending)
        await ann.album([(f"{number}.jpg", b"x") for number in range(7)], group_id=group_of(first))
        await emu.wait_for(lambda: provider.requests)
    assert "with 10 pictures" in provider.requests[0].messages[-1].text


async def test_an_item_that_comes_too_late_is_not_told_again(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider, patient_clock: PatientClock
) -> None:
    go_on, chat = asyncio.Event(), ann.private_chat()
    provider.answer("Ni", go_on, "ce.")
    async with start(clock=patient_clock) as bot:
        sent = await ann.album(THREE, caption="Our boat")
        while (await bot.core.database.read(inbox.counts)).get("merged") != 2:
            pass
        patient_clock.patient = False
        await emu.wait_for_draft(chat, lambda draft: draft.text == "Ni")
        await ann.album(THREE, group_id=group_of(sent))
        await emu.wait_for(lambda: not emu.bot.queue.pending)
        go_on.set()
        await ann.say("/ping")
        await emu.wait_for_message(chat, lambda message: message.text == "Bot ready")
        assert chat.bot_texts == ["Nice.", UNREAD, "Bot ready"]
        # Its own words are answered all the same.
        await ann.album([THREE[0]], caption="And this?", group_id=group_of(sent))
        await emu.wait_for_message(chat, lambda message: message.from_bot and "And this?" in message.text)
        await ann.say("/ping")
        await emu.wait_for(lambda: chat.bot_texts.count("Bot ready") == 2)
    assert chat.bot_texts.count(UNREAD) == 1
    assert UNSUPPORTED not in chat.bot_texts


@pytest.mark.parametrize("caption", ["", "Our boat"])
async def test_an_album_that_waited_loses_the_reaction_of_each_item(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider, caption: str
) -> None:
    go_on = asyncio.Event()
    provider.answer(go_on, "slow")
    async with start():
        await ann.say("first")
        await emu.wait_for(lambda: provider.requests)
        sent = await ann.album(THREE, caption=caption)
        await emu.wait_for(lambda: len(emu.journal.of("setMessageReaction")) == 3)
        go_on.set()
        await emu.wait_for(lambda: len(emu.journal.of("setMessageReaction")) == 6)
    reactions = [
        (call.params["message_id"], bool(call.params["reaction"])) for call in emu.journal.of("setMessageReaction")
    ]
    assert reactions[3:] == [(message.id, False) for message in sent]


async def test_what_was_gathered_survives_a_crash(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider, killed: Callable[..., Any]
) -> None:
    provider.answer(asyncio.Event())
    await ann.album(THREE, caption="Our boat")
    async with killed(start()) as bot:
        await emu.wait_for(lambda: provider.requests)
        assert await bot.core.database.read(inbox.counts) == {"running": 1, "merged": 2}
    async with start():
        await emu.wait_for_message(ann.private_chat(), lambda message: message.text == UNREAD)
    first, second = (request.messages[-1].text for request in provider.requests)
    assert first == second
    assert "with 3 pictures" in first


async def test_in_a_topic_of_a_group_the_album_that_speaks_to_the_bot_is_answered_there(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider
) -> None:
    group = emu.add_group(title="Team", members=[ann], is_forum=True)
    topic = emu.add_topic(group, "Boats")
    await ann.album(THREE, caption="not for the bot", chat=group, topic=topic)
    await ann.album(THREE, caption="@demo_bot our boat", chat=group, topic=topic)
    async with start():
        notice = await emu.wait_for_message(group, lambda message: "can't read the attachment" in message.text)
    assert notice.topic is topic
    assert [question.partition("]\n")[2] for question in provider.questions] == ["Ann: our boat"]


async def test_in_a_group_a_caption_of_a_later_item_is_heard_and_told(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider
) -> None:
    group = emu.add_group(title="Team", members=[ann])
    async with start() as bot:
        first = await ann.album([THREE[0]], chat=group)
        await ann.album([THREE[1]], caption="@demo_bot look", chat=group, group_id=group_of(first))
        await emu.wait_for_message(group, lambda message: "can't read the attachment" in message.text)
        await bot.stop()
    assert len(provider.requests) == 1


async def test_an_edited_caption_is_asked_again(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider
) -> None:
    chat = ann.private_chat()
    async with start():
        sent = await ann.upload(b"picture", kind="photo", caption="one")
        await emu.wait_for_message(chat, lambda message: "can't read" in message.text)
        await ann.edit(sent, "two")
        await emu.wait_for_message(chat, lambda message: message.from_bot and message.text.endswith("]\ntwo"))
    assert [len(request.messages) for request in provider.requests] == [1, 1]
