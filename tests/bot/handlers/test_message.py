"""Messages that are no plain texts: service messages, and captions that are commands."""

import asyncio
from typing import Any

import pytest

from bot_support import Ask, Start, from_bot
from tgllm.testing.emulator import EmulatedUser, Emulator
from tgllm.testing.emulator.state.records import EmulatedMessage, EmulatedTopic
from tgllm.testing.emulator.world.wire import message_json
from tgllm.testing.scripted import ScriptedProvider

SERVICE: dict[str, dict[str, Any]] = {
    "pinned_message": {"message_id": 1, "date": 0, "chat": {"id": 1, "type": "private"}},
    "message_auto_delete_timer_changed": {"message_auto_delete_time": 86400},
    "forum_topic_created": {"name": "One", "icon_color": 1},
    "forum_topic_edited": {"name": "Two"},
    "forum_topic_closed": {},
    "write_access_allowed": {},
    "users_shared": {"request_id": 1, "users": []},
    "chat_background_set": {"type": {}},
    "brand_new_thing": {"name": "x"},
}


@pytest.mark.parametrize("name", SERVICE)
async def test_a_service_message_gets_no_answer(
    emu: Emulator, ann: EmulatedUser, start: Start, ask: Ask, provider: ScriptedProvider, name: str
) -> None:
    async with start():
        await ann.cause({name: SERVICE[name]})
        await ask("hi")
    assert len(from_bot(ann.private_chat())) == len(provider.requests) == 1


async def test_pins_are_silent_in_a_group_that_is_always_answered(
    emu: Emulator, ann: EmulatedUser, start: Start, ask: Ask, provider: ScriptedProvider
) -> None:
    group = emu.add_group(title="Team", members=[ann])
    await ann.promote(group, emu.bot)
    async with start():
        await ask("/groupmode always", chat=group)
        before = len(from_bot(group))
        await ann.pin(group.messages[-1])
        await ann.cause({"new_chat_title": "Teams"}, chat=group)
        await ask("hi", chat=group)
    assert (len(from_bot(group)) - before, len(provider.requests)) == (1, 1)


def topic_of_the_bot(emu: Emulator, topic: EmulatedTopic) -> EmulatedTopic:
    """The topic as if the bot had created it."""
    topic.creator = emu.bot
    return topic


async def test_a_message_in_a_topic_of_the_bot_is_no_reply_to_it(
    emu: Emulator, ann: EmulatedUser, start: Start, ask: Ask, provider: ScriptedProvider
) -> None:
    group = emu.add_group(title="Team", members=[ann])
    await ann.promote(group, emu.bot)
    topic = topic_of_the_bot(emu, emu.add_topic(group, "News"))
    async with start():
        await ann.say("lunch at noon?", topic=topic)
        first = await ask("@demo_bot hi", topic=topic, chat=group)
        await ann.say("/remember", topic=topic)
        await ask("and now?", topic=topic, chat=group, reply_to=first)
        # What came first may be the answer to the command.
        await emu.wait_for(lambda: len(provider.requests) > 1)
    assert [request.messages[-1].text for request in provider.requests] == ["Ann: hi", "Ann: and now?"]


async def test_a_long_text_in_a_private_topic_of_the_bot_is_one_question(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider
) -> None:
    topic = topic_of_the_bot(emu, emu.add_topic(ann.private_chat(), "News"))
    text = "word " * 1000
    async with start():
        for part in (text[:4096], text[4096:]):
            await ann.say(part, topic=topic)
        await emu.wait_for(lambda: provider.requests)
    assert provider.requests[0].messages[-1].text == text.strip()


async def test_a_caption_that_begins_with_a_command_is_one(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider
) -> None:
    chat = ann.private_chat()
    async with start():
        await ann.upload(b"x", kind="photo", caption="/system Answer in verse.")
        await emu.wait_for_message(chat, lambda message: message.from_bot)
        await ann.say("/system")
        shown = await emu.wait_for_message(
            chat, lambda message: message.from_bot and "Answer in verse." in message.text
        )
    assert shown.reply_to is None
    assert provider.requests == []


async def test_stop_below_a_picture_stops_the_answer(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider
) -> None:
    chat = ann.private_chat()
    provider.answer("Half", asyncio.Event())
    async with start():
        await ann.say("hi")
        await emu.wait_for(lambda: provider.open_streams)
        await ann.upload(b"x", kind="photo", caption="/stop")
        await emu.wait_for_message(chat, lambda message: message.text.endswith("Stopped."))


@pytest.mark.parametrize("place", [0, 1])
async def test_the_command_of_an_album_runs_once(
    emu: Emulator, ann: EmulatedUser, start: Start, ask: Ask, provider: ScriptedProvider, place: int
) -> None:
    async with start():
        sent = await ann.album([("a.jpg", b"a")], caption="" if place else "/system Be brief.")
        group_id = sent[0].fields["media_group_id"]
        await ann.album([("b.jpg", b"b")], caption="/system Be brief." if place else "", group_id=group_id)
        await emu.wait_for_message(ann.private_chat(), lambda message: message.from_bot)
        await ask("hi")
    texts = [message.text for message in from_bot(ann.private_chat())]
    assert len(texts) == 2, texts
    assert provider.requests[0].system == "Be brief."


async def test_a_forwarded_caption_is_no_command(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider
) -> None:
    async with start():
        origin = {"type": "hidden_user", "date": 1, "sender_user_name": "Bob"}
        photo = [{"file_id": "a", "file_unique_id": "b", "width": 1, "height": 1}]
        chat = ann.private_chat()
        message = EmulatedMessage(chat.next_message_id(), chat, ann, 1_790_000_000)
        fields = {"photo": photo, "caption": "/system Be brief.", "forward_origin": origin}
        emu.bot.queue.put("message", {**message_json(message), **fields}, ann.id)
        await emu.wait_for(lambda: provider.requests)
    assert "/system Be brief." in provider.questions[0]
    assert provider.requests[0].system is None
