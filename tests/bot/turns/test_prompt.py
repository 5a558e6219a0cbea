"""What the model is told besides the words: who speaks, what is replied to, what was forwarded."""

from typing import Any

import pytest

from bot_support import Ask, Start
from tgllm.testing.emulator import Emulator
from tgllm.testing.emulator.state.records import EmulatedMessage
from tgllm.testing.emulator.users import EmulatedUser
from tgllm.testing.emulator.world.wire import message_json
from tgllm.testing.scripted import ScriptedProvider

ORIGINS: dict[str, dict[str, Any]] = {
    "Carol Jones": {
        "type": "user",
        "sender_user": {"id": 5, "is_bot": False, "first_name": "Carol", "last_name": "Jones"},
    },
    "Somebody": {"type": "hidden_user", "sender_user_name": "Somebody"},
    "The Team": {"type": "chat", "sender_chat": {"id": -5, "type": "group", "title": "The Team"}},
    "The News": {"type": "channel", "chat": {"id": -6, "type": "channel", "title": "The News"}, "message_id": 3},
}


def told(provider: ScriptedProvider) -> str:
    return provider.requests[-1].messages[-1].text


def send(emu: Emulator, person: EmulatedUser, text: str, **fields: object) -> None:
    """Let a message arrive that has fields which the emulator's users can't set."""
    chat = person.private_chat()
    message = EmulatedMessage(chat.next_message_id(), chat, person, 1_790_000_000)
    emu.bot.queue.put("message", {**message_json(message), "text": text, **fields}, person.id)


async def test_a_reply_to_an_older_answer_quotes_it(start: Start, ask: Ask, provider: ScriptedProvider) -> None:
    async with start():
        first = await ask("A fjord  is\ndeep")
        await ask("two")
        await ask("Why?", reply_to=first)
    assert told(provider) == '[In reply to your earlier answer: "A fjord is deep"]\nWhy?'


async def test_a_reply_to_the_latest_answer_needs_no_quote(start: Start, ask: Ask, provider: ScriptedProvider) -> None:
    async with start() as bot:
        await ask("one")
        latest = await ask("two")
        await bot.talk.settled()
        await ask("Why?", reply_to=latest)
    assert told(provider) == "Why?"


async def test_a_long_quote_is_cut(start: Start, ask: Ask, provider: ScriptedProvider) -> None:
    async with start():
        first = await ask("long " * 200)
        await ask("two")
        await ask("Why?", reply_to=first)
    assert told(provider).endswith('…"]\nWhy?')
    assert len(told(provider)) < 400


async def test_a_reply_to_a_person_names_that_person(
    emu: Emulator, ann: EmulatedUser, eve: EmulatedUser, start: Start, ask: Ask, provider: ScriptedProvider
) -> None:
    group = emu.add_group(title="Team", members=[ann, eve])
    said = await eve.say("Norway has the most", chat=group)
    async with start():
        await ask("@demo_bot is that true?", chat=group, reply_to=said)
    assert told(provider) == '[In reply to Eve: "Norway has the most"]\nAnn: is that true?'


async def test_the_part_that_a_person_quotes_is_quoted(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider
) -> None:
    async with start():
        send(emu, ann, "Why?", quote={"text": "very deep", "position": 0, "is_manual": True})
        await emu.wait_for(lambda: provider.requests)
    assert told(provider) == '[Quote: "very deep"]\nWhy?'


@pytest.mark.parametrize("name", ORIGINS)
async def test_a_forwarded_message_is_marked(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider, name: str
) -> None:
    async with start():
        send(emu, ann, "Look at this", forward_origin={"date": 1, **ORIGINS[name]})
        await emu.wait_for(lambda: provider.requests)
    assert told(provider) == f"[Forwarded from {name}]\nLook at this"


async def test_in_a_group_the_model_is_told_who_speaks(
    emu: Emulator,
    ann: EmulatedUser,
    eve: EmulatedUser,
    start: Start,
    ask: Ask,
    provider: ScriptedProvider,
) -> None:
    group = emu.add_group(title="Team", members=[ann, eve])
    async with start(let_in=[eve]):
        await ask("@demo_bot I like tea", chat=group)
        await eve.say("@demo_bot I like coffee", chat=group)
        await emu.wait_for_message(group, lambda message: message.from_bot and "coffee" in message.text)
    said = [message.text for message in provider.requests[-1].messages if message.role == "user"]
    assert said == ["Ann: I like tea", "Eve: I like coffee"]


async def test_the_list_of_conversations_shows_the_words_alone(
    emu: Emulator, ann: EmulatedUser, start: Start, ask: Ask
) -> None:
    group = emu.add_group(title="Team", members=[ann])
    async with start():
        await ask("@demo_bot I like tea", chat=group)
        listed = await ask("/history", chat=group)
    assert listed.buttons[0].text == "✓ I like tea"


@pytest.mark.parametrize(
    "origin",
    [
        {"type": "hidden_user", "sender_user_name": ""},
        {"type": "hidden_user"},
        {"type": "channel", "chat": {"id": -6, "type": "channel"}, "message_id": 3},
        {"type": "brand_new"},
    ],
)
async def test_a_forward_without_a_name_is_answered(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider, origin: dict[str, Any]
) -> None:
    async with start():
        send(emu, ann, "Look at this", forward_origin={"date": 1, **origin})
        await emu.wait_for(lambda: provider.requests)
    assert told(provider) == "[Forwarded from somebody who hides their name]\nLook at this"


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        ({"forward_origin": {"type": "chat", "date": 1, "sender_chat": {"id": -5, "type": "group", "title": "The Team"},
                             "author_signature": "Bo"}}, "The Team (Bo)"),
        ({"forward_date": 1, "forward_from": {"id": 5, "is_bot": False, "first_name": "Bo"}}, "Bo"),
        ({"forward_date": 1, "forward_sender_name": "Bo"}, "Bo"),
        ({"forward_date": 1, "forward_from_chat": {"id": -6, "type": "channel", "title": "News"}}, "News"),
        ({"forward_date": 1}, "somebody who hides their name"),
    ],
)  # fmt: skip
async def test_signatures_and_forwards_of_older_servers_are_named(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider, fields: dict[str, Any], name: str
) -> None:
    async with start():
        send(emu, ann, "Look at this", **fields)
        await emu.wait_for(lambda: provider.requests)
    assert told(provider) == f"[Forwarded from {name}]\nLook at this"
