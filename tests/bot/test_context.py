"""What the model knows of a chat: what was said, until it is cleared or begun anew."""

from collections.abc import Sequence

import pytest

from bot_support import Ask, Menus, Start
from tgllm import hookimpl
from tgllm.api import ChatCommand, CommandCall, PluginInfo, Reply
from tgllm.db.engine.unit import Connection
from tgllm.db.tables import conversations, messages
from tgllm.services.common.lane import Lane
from tgllm.testing.emulator import Emulator
from tgllm.testing.emulator.users import EmulatedUser
from tgllm.testing.scripted import GivenPlugin, ScriptedProvider

CODE = "\n".join(f"    line({number})" for number in range(500))
PARAGRAPHS = [f"Paragraph {number}. " + "😀 word " * 150 for number in range(12)]


class Reader:
    """A plugin whose command answers with as long a text as there is."""

    @hookimpl
    def tgllm_plugin_info(self) -> PluginInfo:
        return PluginInfo(id="reader", title="Reader", api="1.0")

    @hookimpl
    def tgllm_commands(self) -> Sequence[ChatCommand]:
        return (ChatCommand("read", "Read aloud", self._read),)

    async def _read(self, _call: CommandCall) -> Reply:
        return Reply(f"**Read:**\n\n```py\n{CODE}\n```\n\n*The end.*", markdown=True)


async def test_three_turns_are_three_turns(
    emu: Emulator, ann: EmulatedUser, start: Start, ask: Ask, provider: ScriptedProvider
) -> None:
    async with start() as bot:
        for text in ("one", "two", "three"):
            await ask(text)
        lane = Lane(ann.id).key

        def turns(conn: Connection) -> list[str]:
            conversation = conversations.active_in(conn, lane)
            assert conversation is not None
            history = messages.history(conn, conversation.id, conversation.head_message_id, 100)
            return [message.text for message in history if message.role == "user"]

        assert len(await bot.core.database.read(turns)) == 3


async def test_clear_empties_the_context(
    emu: Emulator, ann: EmulatedUser, start: Start, ask: Ask, provider: ScriptedProvider
) -> None:
    async with start():
        await ask("one")
        said = await ask("/clear")
        assert "context is empty" in said.text
        await ask("two")
    assert provider.told == ["two"]
    assert len(provider.requests) == 2


async def test_an_empty_context_stays_empty_after_a_restart(
    emu: Emulator, ann: EmulatedUser, start: Start, ask: Ask, provider: ScriptedProvider
) -> None:
    async with start():
        await ask("one")
        await ask("/clear")
    async with start():
        await ask("two")
    assert provider.told == ["two"]


async def test_clear_waits_for_the_answer_that_is_being_written(
    emu: Emulator, ann: EmulatedUser, start: Start, ask: Ask, provider: ScriptedProvider
) -> None:
    async with start():
        await ann.say("one")
        await ann.say("/clear")
        await emu.wait_for_message(ann.private_chat(), lambda message: "context is empty" in message.text)
        await ask("two")
    assert [len(request.messages) for request in provider.requests] == [1, 1]


async def test_each_topic_is_cleared_by_itself(
    emu: Emulator, ann: EmulatedUser, start: Start, ask: Ask, provider: ScriptedProvider
) -> None:
    group = emu.add_group(title="Team", members=[ann], is_forum=True)
    news, music = emu.add_topic(group, "News"), emu.add_topic(group, "Music")
    async with start():
        await ask("@demo_bot a", chat=group, topic=news)
        await ask("@demo_bot b", chat=group, topic=music)
        await ask("/clear", chat=group, topic=music)
        await ask("@demo_bot c", chat=group, topic=news)
        assert len(provider.told) == 3
        await ask("@demo_bot d", chat=group, topic=music)
        assert len(provider.told) == 1


async def test_each_topic_has_a_context_of_its_own_size(
    emu: Emulator, menus: Menus, ann: EmulatedUser, start: Start, provider: ScriptedProvider
) -> None:
    group = emu.add_group(title="Team", members=[ann], is_forum=True)
    news, music = emu.add_topic(group, "News"), emu.add_topic(group, "Music")
    long = "@demo_bot " + "word " * 600
    async with start():
        menu = await menus.ask(ann, "/settings@demo_bot", chat=group, topic=music)
        await menus.press(ann, menu, "Context")
        await menus.press(ann, menu, "2K tokens")
        for topic in (news, music):
            for _ in range(2):
                await menus.ask(ann, long, chat=group, topic=topic)
        await menus.ask(ann, "/new@demo_bot", chat=group, topic=music)
        again = await menus.ask(ann, "/settings@demo_bot", chat=group, topic=music)
        assert "Context: 0 of 2000 tokens taken" in again.text.splitlines()
    assert [len(request.messages) for request in provider.requests] == [1, 3, 1, 1]


async def test_a_question_that_is_longer_than_the_context_is_refused_with_words(
    emu: Emulator, ann: EmulatedUser, start: Start, ask: Ask, provider: ScriptedProvider
) -> None:
    async with start(turns__context_tokens=300):
        refused = await ask("word " * 300)
        assert "takes about 459 tokens, and the context of this chat has 300" in refused.text
        await ask("short")
    assert [provider.told, len(provider.requests)] == [["short"], 1]


@pytest.mark.parametrize("place", ["private", "group", "topic"])
async def test_a_long_answer_is_split(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider, place: str
) -> None:
    chat = ann.private_chat() if place == "private" else emu.add_group(title="Team", members=[ann])
    topic = emu.add_topic(chat, "One") if place == "topic" else None
    text = "\n\n".join(paragraph.strip() for paragraph in PARAGRAPHS)
    provider.answer(text)
    async with start():
        await ann.say("@demo_bot Tell me more", chat=chat, topic=topic)
        await emu.wait_for_message(chat, lambda message: "Paragraph 11" in message.text)
    parts = [message for message in chat.messages if message.from_bot]
    assert "\n\n".join(part.text for part in parts) == text
    assert len(parts) > 1
    assert {part.topic for part in parts} == {topic}
    assert all(len(part.text.encode("utf-16-le")) // 2 <= 4096 for part in parts)


@pytest.mark.parametrize("place", ["private", "group", "topic"])
async def test_a_long_message_in_markdown_is_split_and_its_code_goes_on(
    emu: Emulator, ann: EmulatedUser, start: Start, place: str
) -> None:
    chat = ann.private_chat() if place == "private" else emu.add_group(title="Team", members=[ann])
    topic = emu.add_topic(chat, "One") if place == "topic" else None
    async with start(plugins=[GivenPlugin.of("reader", Reader())]):
        await ann.say("/read@demo_bot", chat=chat, topic=topic)
        await emu.wait_for_message(chat, lambda message: message.text.endswith("The end."))
    parts = [message for message in chat.messages if message.from_bot]
    assert "\n".join(part.text for part in parts).split() == ["Read:", *CODE.split(), "The", "end."]
    assert [[entity["type"] for entity in part.entities] for part in parts] == [["bold", "pre"], ["pre", "italic"]]
    assert {entity["language"] for part in parts for entity in part.entities if entity["type"] == "pre"} == {"py"}
    assert {part.topic for part in parts} == {topic}


async def test_a_long_message_looks_as_its_chat_wants_it(menus: Menus, ann: EmulatedUser, start: Start) -> None:
    async with start(plugins=[GivenPlugin.of("reader", Reader())]):
        menu = await menus.ask(ann, "/settings")
        await menus.press(ann, menu, "Rich messages")
        await menus.press(ann, menu, "for every answer")
        assert "rich_message" in (await menus.ask(ann, "/read")).fields


async def test_a_new_conversation_keeps_the_former_one_in_the_list(
    emu: Emulator, ann: EmulatedUser, start: Start, ask: Ask, provider: ScriptedProvider
) -> None:
    async with start():
        await ask("What is a fjord?")
        await ask("/new")
        await ask("What is a lagoon?")
        assert len(provider.told) == 1
        listed = await ask("/history")
        assert listed.labels == ["✓ What is a lagoon?", "What is a fjord?"]
        assert listed.text.startswith("There are 2 conversations")
        await ann.press(listed, "What is a fjord?")
        await emu.wait_for_message(
            ann.private_chat(), lambda message: "We go on with: What is a fjord?" in message.text
        )
        await ask("And two of them?")
    assert provider.told == ["What is a fjord?", "What is a fjord?", "And two of them?"]


async def test_the_list_comes_back_after_a_choice(
    emu: Emulator, ann: EmulatedUser, start: Start, ask: Ask, provider: ScriptedProvider
) -> None:
    async with start():
        await ask("first")
        listed = await ask("/history")
        assert listed.text.startswith("There is 1 conversation ")
        await ann.press(listed, "✓ first")
        chosen = await emu.wait_for_message(ann.private_chat(), lambda message: "We go on" in message.text)
        assert chosen.id == listed.id
        await ann.press(chosen, "All conversations")
        await emu.wait_for_message(ann.private_chat(), lambda message: "There is 1" in message.text)


async def test_a_long_list_has_pages(
    emu: Emulator, ann: EmulatedUser, start: Start, ask: Ask, provider: ScriptedProvider
) -> None:
    async with start():
        for number in range(9):
            await ask(f"question {number}")
            await ask("/new")
        listed = await ask("/history")
        assert listed.labels[:2] == ["question 8", "question 7"]
        await ann.press(listed, "»")
        await emu.wait_for(lambda: listed.buttons[0].text == "question 0")


async def test_a_chat_without_conversations_has_an_empty_list(
    emu: Emulator, ann: EmulatedUser, start: Start, ask: Ask, provider: ScriptedProvider
) -> None:
    async with start():
        listed = await ask("/history")
    assert "no conversations here yet" in listed.text
    assert not listed.buttons


async def test_conversations_of_another_chat_can_not_be_opened(
    emu: Emulator, ann: EmulatedUser, start: Start, ask: Ask, provider: ScriptedProvider
) -> None:
    group = emu.add_group(title="Team", members=[ann])
    async with start() as bot:
        await ask("private matters")
        private = await bot.core.database.read(lambda conn: conversations.active_in(conn, Lane(ann.id).key))
        assert private is not None
        await ask("@demo_bot public", chat=group)
        listed = await ask("/history", chat=group)
        assert len(listed.buttons) == 1
        listed.reply_markup = {
            "inline_keyboard": [
                [{"text": data, "callback_data": data}]
                for data in (f"reopen:{private.id}", "reopen:x", "reopen:²", "reopen:" + "9" * 40)
            ]
        }
        for button in listed.buttons:
            query = await ann.press(listed, button.text)
            await emu.wait_for(lambda query=query: query.answer)  # type: ignore[misc]  bound now
            assert query.answer is not None
            assert "not there any more" in query.answer["text"]
        await ask("@demo_bot again", chat=group)
    assert "private matters" not in " ".join(provider.told)


async def test_a_conversation_is_not_changed_under_a_running_turn(
    emu: Emulator, ann: EmulatedUser, start: Start, ask: Ask, provider: ScriptedProvider
) -> None:
    async with start():
        await ask("first")
        await ask("/new")
        listed = await ask("/history")
        await ann.say("second")
        await ann.press(listed, "first")
        await emu.wait_for_message(ann.private_chat(), lambda message: "We go on with: first" in message.text)
        await ask("third")
    assert provider.told == ["first", "first", "third"]
