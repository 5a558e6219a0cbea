"""Albums: one question with all files, whenever and wherever its items arrive."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from bot_support import PatientClock, Start, pause
from tgllm.db.tables import inbox, messages
from tgllm.testing.emulator import Emulator
from tgllm.testing.emulator.state.records import EmulatedMessage
from tgllm.testing.emulator.users import EmulatedUser
from tgllm.testing.scripted import ScriptedProvider

THREE = [(f"{number}.txt", b"picture %d" % number) for number in range(3)]


async def album(person: EmulatedUser, items: Sequence[tuple[str, bytes]], **fields: Any) -> list[EmulatedMessage]:
    """Send texts as an album of documents, which every model reads."""
    return await person.album(items, kind="document", mime="text/plain", **fields)


def is_nice(message: EmulatedMessage) -> bool:
    return message.from_bot and "Nice." in message.text


def group_of(items: list[EmulatedMessage]) -> str:
    return str(items[0].fields["media_group_id"])


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Albums here come at once, unless a test says otherwise."""
    monkeypatch.setattr("tgllm.bot.turns.albums.WAIT_SECONDS", 0.1)


async def test_the_caption_of_an_album_is_answered_once(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider
) -> None:
    provider.answer("Nice.")
    chat = ann.private_chat()
    sent = await album(ann, THREE, caption="Our boat")
    async with start() as bot:
        await emu.wait_for_message(chat, is_nice)
        assert await bot.core.database.read(inbox.counts) == {"done": 1, "merged": 2}
        stored = await bot.core.database.read(lambda conn: messages.find_by_telegram(conn, ann.id, sent[2].id))
    assert sum("Nice." in text for text in chat.bot_texts) == 1
    assert provider.questions[0].endswith("Our boat")
    assert stored is not None
    assert stored.telegram_message_ids == tuple(message.id for message in sent)


async def test_an_album_without_words_is_one_question(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider
) -> None:
    provider.answer("Three boats.")
    await album(ann, THREE)
    async with start():
        await emu.wait_for_message(ann.private_chat(), lambda message: "Three boats." in message.text)
    assert len(provider.requests) == 1
    assert "3 pictures or files, sent without words" in provider.questions[0]


async def test_several_captions_are_one_question_in_their_order(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider
) -> None:
    first = await album(ann, [THREE[0]], caption="The bow")
    await ann.say("something else")
    await album(ann, [THREE[1]], caption="The stern", group_id=group_of(first))
    async with start():
        await emu.wait_for(lambda: len(provider.requests) == 2)
    assert provider.questions[0].endswith("The bow\nThe stern")
    assert provider.questions[1] == "something else"


async def test_a_picture_alone_does_not_wait_for_others(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tgllm.bot.turns.albums.WAIT_SECONDS", 1e6)
    async with start():
        await ann.upload(b"picture", kind="photo", caption="What is it?")
        await emu.wait_for(lambda: len(provider.requests) == 1)
        await ann.upload(b"another", kind="photo")
        await emu.wait_for(lambda: len(provider.requests) == 2)
        await album(ann, [(f"{number}.txt", b"%d" % number) for number in range(10)], caption="All ten")
        await emu.wait_for(lambda: len(provider.requests) == 3)
    assert provider.questions[0].endswith("What is it?")
    assert "A picture, sent without words" in provider.questions[1]
    assert provider.questions[2].endswith("All ten")


async def test_an_item_that_comes_a_little_later_still_belongs_to_it(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tgllm.bot.turns.albums.WAIT_SECONDS", 1e6)
    async with start() as bot:
        first = await album(ann, THREE, caption="Our boat")
        await emu.wait_for(lambda: not emu.bot.queue.pending)
        await album(ann, [(f"{number}.txt", b"x%d" % number) for number in range(7)], group_id=group_of(first))
        await emu.wait_for(lambda: provider.requests)
        assert (await bot.core.database.read(inbox.counts))["merged"] == 9


async def test_items_that_come_after_the_question_are_a_question_of_their_own(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider, patient_clock: PatientClock
) -> None:
    go_on, chat = asyncio.Event(), ann.private_chat()
    provider.answer("Ni", go_on, "ce.")
    async with start(clock=patient_clock) as bot:
        sent = await album(ann, THREE, caption="Our boat")
        while (await bot.core.database.read(inbox.counts)).get("merged") != 2:
            await pause()
        patient_clock.patient = False
        await emu.wait_for_draft(chat, lambda draft: draft.text == "Ni")
        await album(ann, [("late.txt", b"late"), ("later.txt", b"later")], group_id=group_of(sent))
        await emu.wait_for(lambda: not emu.bot.queue.pending)
        go_on.set()
        await emu.wait_for(lambda: len(provider.requests) == 2)
        assert "2 pictures or files, sent without words" in provider.questions[1]
        await album(ann, [("last.txt", b"last")], caption="And this?", group_id=group_of(sent))
        await emu.wait_for(lambda: len(provider.requests) == 3)
    assert provider.questions[2].endswith("And this?")


@pytest.mark.parametrize("caption", ["", "Our boat"])
async def test_an_album_that_waited_loses_the_reaction_of_each_item(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider, caption: str
) -> None:
    go_on = asyncio.Event()
    provider.answer(go_on, "slow")
    async with start():
        await ann.say("first")
        await emu.wait_for(lambda: provider.requests)
        sent = await album(ann, THREE, caption=caption)
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
    provider.answer("Nice.")
    await album(ann, THREE)
    async with killed(start()) as bot:
        await emu.wait_for(lambda: provider.requests)
        assert await bot.core.database.read(inbox.counts) == {"running": 1, "merged": 2}
    async with start():
        await emu.wait_for_message(ann.private_chat(), is_nice)
    first, second = provider.questions
    assert first == second
    assert "3 pictures" in first


async def test_in_a_topic_of_a_group_the_album_that_speaks_to_the_bot_is_answered_there(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider
) -> None:
    group = emu.add_group(title="Team", members=[ann], is_forum=True)
    topic = emu.add_topic(group, "Boats")
    provider.answer("Nice.")
    await album(ann, THREE, caption="not for the bot", chat=group, topic=topic)
    await album(ann, THREE, caption="@demo_bot our boat", chat=group, topic=topic)
    async with start():
        answer = await emu.wait_for_message(group, is_nice)
    assert answer.topic is topic
    assert [question.splitlines()[-1] for question in provider.questions] == ["Ann: our boat"]


async def test_in_a_group_an_album_with_one_mention_counts_as_a_whole(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider
) -> None:
    group = emu.add_group(title="Team", members=[ann])
    provider.answer("Nice.")
    async with start() as bot:
        first = await album(ann, [THREE[0]], chat=group)
        await album(ann, [("1.txt", b"1")], caption="@demo_bot look", chat=group, group_id=group_of(first))
        last = await album(ann, [("2.txt", b"2")], chat=group, group_id=group_of(first))
        await emu.wait_for_message(group, is_nice)
        stored = await bot.core.database.read(lambda conn: messages.find_by_telegram(conn, group.id, last[0].id))
    assert len(provider.requests) == 1
    assert stored is not None
    assert len(stored.telegram_message_ids) == 3


async def test_nothing_is_kept_of_an_album_of_a_group_that_is_for_others(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider
) -> None:
    group = emu.add_group(title="Team", members=[ann])
    async with start() as bot:
        await album(ann, [("1.txt", b"1"), ("2.txt", b"2")], caption="our holidays", chat=group)
        await ann.say("@demo_bot hello", chat=group)
        await emu.wait_for(lambda: provider.requests)
        rows = await bot.core.database.read(lambda conn: conn.execute("SELECT payload FROM inbox").fetchall())
    assert len(provider.requests) == 1
    assert not [row[0] for row in rows if "media_group_id" in row[0] or "holidays" in row[0]]


async def test_the_command_in_the_caption_of_an_album_is_run_once_and_its_items_are_no_question(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider
) -> None:
    chat = ann.private_chat()
    async with start() as bot:
        await album(ann, THREE, caption="/ping")
        await emu.wait_for_message(chat, lambda message: message.text == "Bot ready")
        await ann.say("hello")
        await emu.wait_for(lambda: provider.requests)
        assert (await bot.core.database.read(inbox.counts))["merged"] == 2
    assert provider.questions == ["hello"]
    assert chat.bot_texts.count("Bot ready") == 1


async def test_the_same_album_twice_is_two_questions(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider
) -> None:
    async with start():
        await album(ann, THREE, caption="once")
        await emu.wait_for(lambda: len(provider.requests) == 1)
        await album(ann, THREE, caption="twice")
        await emu.wait_for(lambda: len(provider.requests) == 2)
    assert [question.splitlines()[-1] for question in provider.questions] == ["once", "twice"]


async def test_an_edited_caption_is_asked_again(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider
) -> None:
    async with start():
        sent = await ann.upload(b"picture", kind="photo", caption="one")
        await emu.wait_for_message(ann.private_chat())
        await ann.edit(sent, "two")
        await emu.wait_for(lambda: len(provider.requests) == 2)
    assert [len(request.messages) for request in provider.requests] == [1, 1]
    assert provider.questions[1].endswith("two")


async def test_a_message_without_an_id_is_answered(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider
) -> None:
    provider.answer("Nice.")
    chat = {"id": ann.id, "type": "private", "first_name": "Ann"}
    sender = {"id": ann.id, "is_bot": False, "first_name": "Ann"}
    ann.private_chat()
    async with start():
        emu.inject_update({"message": {"date": 1, "chat": chat, "from": sender, "caption": "What is it?", "photo": []}})
        await emu.wait_for_message(ann.private_chat(), is_nice)
