"""Formats, links and mentions of people's messages, as the model reads them."""

from typing import Any

import pytest

from bot_support import Ask, Menus, Start
from tgllm.testing.emulator import EmulatedMessage, EmulatedUser, Emulator
from tgllm.testing.emulator.world.wire import message_json
from tgllm.testing.scripted import ScriptedProvider

URL = "https://example.com/a?b=1"
LINK = [{"type": "text_link", "offset": 4, "length": 4, "url": URL}]
LINKED = f"see [this]({URL})"


def read(provider: ScriptedProvider) -> str:
    return provider.requests[-1].messages[-1].text


async def arrives(emu: Emulator, person: EmulatedUser, provider: ScriptedProvider, **fields: object) -> str:
    """Let a message arrive as Telegram would send it, and return what the model reads."""
    asked, chat = len(provider.requests), person.private_chat()
    message = EmulatedMessage(chat.next_message_id(), chat, person, 1_790_000_000)
    emu.bot.queue.put("message", {**message_json(message), **fields}, person.id)
    await emu.wait_for(lambda: len(provider.requests) > asked)
    return read(provider)


async def test_formats_of_a_message_reach_the_model(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider
) -> None:
    text = "Why?\nprint(1)\nis bold"
    entities = [
        {"type": "pre", "offset": 5, "length": 8, "language": "python"},
        {"type": "bold", "offset": 17, "length": 4},
    ]
    async with start():
        await ann.say(text, entities=entities)
        await emu.wait_for(lambda: provider.requests)
    assert read(provider) == "Why?\n```python\nprint(1)\n```\nis **bold**"


async def test_so_do_links_wherever_they_are(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider
) -> None:
    origin = {"type": "hidden_user", "sender_user_name": "Eve", "date": 1}
    photo = [{"file_id": "a", "file_unique_id": "b", "width": 1, "height": 1}]
    quote = {"text": "see this", "entities": LINK, "position": 0}
    async with start():
        assert await arrives(emu, ann, provider, text="see this", entities=LINK) == LINKED
        forwarded = await arrives(emu, ann, provider, text="see this", entities=LINK, forward_origin=origin)
        assert forwarded == f"[Forwarded from Eve]\n{LINKED}"
        caption = await arrives(emu, ann, provider, photo=photo, caption="see this", caption_entities=LINK)
        assert caption.splitlines()[-1] == LINKED
        assert LINKED in await arrives(emu, ann, provider, text="Why?", quote=quote)


async def test_so_do_those_of_the_message_that_is_replied_to(
    emu: Emulator, ann: EmulatedUser, eve: EmulatedUser, start: Start, ask: Ask, provider: ScriptedProvider
) -> None:
    group = emu.add_group(title="Team", members=[ann, eve])
    said = await eve.say("see this", chat=group, entities=LINK)
    async with start():
        await ask("@demo_bot is that true?", chat=group, reply_to=said)
    assert LINKED in read(provider)


async def test_a_chosen_part_is_found_behind_formats(
    emu: Emulator, ann: EmulatedUser, eve: EmulatedUser, start: Start, provider: ScriptedProvider
) -> None:
    group = emu.add_group(title="Team", members=[ann, eve])
    bold = [{"type": "bold", "offset": 0, "length": 4}, {"type": "bold", "offset": 5, "length": 5}]
    said = await eve.say("many words and this\nand that", chat=group, entities=bold)
    part = {"quote": {"text": "words and", "position": 5, "is_manual": True, "entities": [{**bold[1], "offset": 0}]}}
    async with start():
        await ann.say("@demo_bot why?", chat=group, reply_to=said, fields=part)
        await emu.wait_for(lambda: provider.requests)
    assert '"**words** and"' in read(provider)
    assert "**many** **words** and this\nand that" in read(provider)


async def test_a_new_format_is_an_edit(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider
) -> None:
    async with start():
        said = await ann.say("see this")
        await emu.wait_for_message(ann.private_chat(), lambda message: message.text == "see this" and message.from_bot)
        edited = {**message_json(said), "edit_date": 1_790_000_000, "entities": LINK}
        emu.bot.queue.put("edited_message", edited, ann.id)
        await emu.wait_for(lambda: len(provider.requests) > 1)
    assert read(provider) == LINKED


async def test_a_mention_by_name_is_heard_in_a_group(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider
) -> None:
    group = emu.add_group(title="Team", members=[ann])
    bot = {"id": emu.bot.id, "is_bot": True, "first_name": "Demo"}
    async with start():
        await ann.say(
            "Demo, what is up?",
            chat=group,
            entities=[{"type": "text_mention", "offset": 0, "length": 4, "user": bot}],
        )
        await emu.wait_for(lambda: provider.requests)
    assert read(provider) == "Ann: what is up?"


async def test_an_address_with_the_name_of_the_bot_is_no_mention_and_stays_whole(
    emu: Emulator, ann: EmulatedUser, start: Start, ask: Ask, provider: ScriptedProvider
) -> None:
    group = emu.add_group(title="Team", members=[ann])
    async with start():
        await ann.say("see https://example.com/@demo_bot/post", chat=group)
        await ann.say("ann@demo_bot.org or @demo_bot_two?", chat=group)
        await ask("@demo_bot see https://example.com/@demo_bot/post", chat=group)
    assert provider.questions == ["Ann: see https://example.com/@demo_bot/post"]


async def test_a_command_in_code_is_a_question(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider
) -> None:
    async with start():
        await ann.say("/clear", entities=[{"type": "code", "offset": 0, "length": 6}])
        await emu.wait_for(lambda: provider.requests)
    assert read(provider) == "`/clear`"


async def test_the_title_has_no_marks(
    emu: Emulator, ann: EmulatedUser, start: Start, menus: Menus, provider: ScriptedProvider
) -> None:
    async with start():
        await ann.say("see this", entities=LINK)
        await emu.wait_for_message(ann.private_chat(), lambda message: message.from_bot)
        listed = await menus.ask(ann, "/history")
        undone = await menus.ask(ann, "/undo")
    assert listed.labels[0] == "✓ see this"
    assert undone.text == "Taken back: see this"


async def test_instructions_keep_their_formats(
    emu: Emulator, ann: EmulatedUser, start: Start, ask: Ask, provider: ScriptedProvider
) -> None:
    async with start():
        for text in ("/system Be brief", "/remember Be brief", "/persona Poet: Be brief"):
            bold = [{"type": "bold", "offset": len(text) - 5, "length": 5}]
            said = await ann.say(text, entities=bold)
            await emu.wait_for_message(ann.private_chat(), lambda message: message.from_bot, after=said)
        await ask("hi")
    assert str(provider.requests[-1].system).count("Be **brief**") == 3


@pytest.mark.parametrize(
    "odd",
    [
        {"type": "bold", "offset": 99, "length": 3},
        {"type": "bold", "offset": -1, "length": 3},
        {"type": "bold", "offset": 1, "length": 2},
        {"type": "bold"},
        {"offset": 0, "length": 1},
        {"type": "of_tomorrow", "offset": 0, "length": 3},
        {"type": "text_mention", "offset": 0, "length": 3, "user": {"id": 5}},
        {"type": "text_mention", "offset": 0, "length": 3, "user": "Ann"},
        {"type": "text_link", "offset": 0, "length": 3, "url": {}},
        "bold",
    ],
)
async def test_an_odd_entity_costs_no_text(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider, odd: Any
) -> None:
    async with start():
        text = await arrives(emu, ann, provider, text="\U0001f389 party", entities=[odd])
    assert text.replace("*", "") == "\U0001f389 party"


async def test_formats_of_an_album_and_of_a_text_in_parts_reach_the_model(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider
) -> None:
    chat, code = ann.private_chat(), "x = 1\n" * 682 + "y =\n"
    async with start():
        await ann.album([("a.jpg", b"x"), ("b.jpg", b"y")], caption="see this", entities=LINK)
        await emu.wait_for(lambda: provider.requests)
        assert read(provider).splitlines()[-1] == LINKED
        await emu.wait_for_message(chat, lambda message: message.from_bot and "see this" in message.text)
        for text, size in ((code, 4096), ("2\nWhy?", 1)):
            block = {"type": "pre", "offset": 0, "length": size, "language": "py"}
            fields = message_json(EmulatedMessage(chat.next_message_id(), chat, ann, 1_790_000_000))
            emu.bot.queue.put("message", {**fields, "text": text, "entities": [block]}, ann.id)
        await emu.wait_for(lambda: len(provider.requests) > 1)
    assert read(provider) == f"```py\n{code}2\n```\nWhy?"
