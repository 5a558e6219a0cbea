"""What the model knows of a chat: what was said, until it is cleared or begun anew."""

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING

from tgllm.db import conversations, messages
from tgllm.db.unit import Connection
from tgllm.services.lane import Lane
from tgllm.testing.bot import RunningBot
from tgllm.testing.emulator import Emulator
from tgllm.testing.emulator.state import EmulatedMessage
from tgllm.testing.emulator.users import EmulatedUser
from tgllm.testing.scripted import ScriptedProvider

if TYPE_CHECKING:
    from conftest import Menus

Start = Callable[..., AbstractAsyncContextManager[RunningBot]]
Ask = Callable[..., Awaitable[EmulatedMessage]]


def asked(provider: ScriptedProvider) -> list[str]:
    """What the model was told with the last question."""
    return [message.text for message in provider.requests[-1].messages]


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
    assert asked(provider) == ["two"]
    assert len(provider.requests) == 2


async def test_an_empty_context_stays_empty_after_a_restart(
    emu: Emulator, ann: EmulatedUser, start: Start, ask: Ask, provider: ScriptedProvider
) -> None:
    async with start():
        await ask("one")
        await ask("/clear")
    async with start():
        await ask("two")
    assert asked(provider) == ["two"]


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
        assert len(asked(provider)) == 3
        await ask("@demo_bot d", chat=group, topic=music)
        assert len(asked(provider)) == 1


async def test_each_topic_has_a_context_of_its_own_size(
    emu: Emulator, menus: "Menus", ann: EmulatedUser, start: Start, provider: ScriptedProvider
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
    assert [asked(provider), len(provider.requests)] == [["short"], 1]


async def test_a_new_conversation_keeps_the_former_one_in_the_list(
    emu: Emulator, ann: EmulatedUser, start: Start, ask: Ask, provider: ScriptedProvider
) -> None:
    async with start():
        await ask("What is a fjord?")
        await ask("/new")
        await ask("What is a lagoon?")
        assert len(asked(provider)) == 1
        listed = await ask("/history")
        assert [button.text for button in listed.buttons] == ["✓ What is a lagoon?", "What is a fjord?"]
        assert listed.text.startswith("There are 2 conversations")
        await ann.press(listed, "What is a fjord?")
        await emu.wait_for_message(
            ann.private_chat(), lambda message: "We go on with: What is a fjord?" in message.text
        )
        await ask("And two of them?")
    assert asked(provider) == ["What is a fjord?", "What is a fjord?", "And two of them?"]


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
        assert [button.text for button in listed.buttons][:2] == ["question 8", "question 7"]
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
    assert "private matters" not in " ".join(asked(provider))


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
    assert asked(provider) == ["first", "first", "third"]
