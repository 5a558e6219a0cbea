"""Commands that only read are answered while a model writes; all others wait for their turn."""

import asyncio

import pytest

from bot_support import Ask, Start, from_bot
from tgllm import hookimpl
from tgllm.api import ChatCommand, CommandCall, PluginInfo
from tgllm.bot.intake.overtaking import MOST_AT_ONCE
from tgllm.testing.emulator import EmulatedUser, Emulator
from tgllm.testing.scripted import GivenPlugin, ScriptedProvider

READING = ["/help", "/ping", "/usage", "/models", "/model", "/facts", "/history", "/settings", "/system", "/persona"]
READING += ["/start", "/admin"]


@pytest.mark.parametrize("command", READING)
async def test_a_command_that_only_reads_is_answered_at_once(
    emu: Emulator, ann: EmulatedUser, start: Start, ask: Ask, provider: ScriptedProvider, command: str
) -> None:
    go_on = asyncio.Event()
    provider.answer("Half", go_on, " and whole")
    async with start():
        await ann.say("one")
        await emu.wait_for(lambda: provider.open_streams)
        await ask(command)
        assert provider.open_streams == 1
        go_on.set()
        await emu.wait_for_message(ann.private_chat(), lambda message: message.text == "Half and whole")


async def test_the_menu_of_admins_works_while_the_model_writes(
    emu: Emulator, ann: EmulatedUser, start: Start, ask: Ask, provider: ScriptedProvider
) -> None:
    go_on = asyncio.Event()
    provider.answer("Half", go_on)
    async with start():
        await ann.say("one")
        await emu.wait_for(lambda: provider.open_streams)
        menu = await ask("/admin")
        await ann.press(menu, "Plugins")
        await emu.wait_for(lambda: "Plugins" in menu.text)
        assert provider.open_streams == 1
        go_on.set()


async def test_the_answer_below_it_quotes_its_question(
    emu: Emulator, ann: EmulatedUser, start: Start, ask: Ask, provider: ScriptedProvider
) -> None:
    go_on = asyncio.Event()
    provider.answer("Half", go_on)
    async with start():
        asked = await ann.say("one")
        await emu.wait_for(lambda: provider.open_streams)
        await ask("/ping")
        go_on.set()
        answer = await emu.wait_for_message(ann.private_chat(), lambda message: message.text == "Half")
    assert answer.reply_to is asked


async def test_it_is_answered_in_a_group_and_below_a_picture_too(
    emu: Emulator, ann: EmulatedUser, start: Start, ask: Ask, provider: ScriptedProvider
) -> None:
    group = emu.add_group(title="Team", members=[ann])
    go_on = asyncio.Event()
    provider.answer("Half", go_on)
    async with start():
        await ann.say("@demo_bot one", chat=group)
        await emu.wait_for(lambda: provider.open_streams)
        await ask("/ping@demo_bot", chat=group)
        sent = await ann.upload(b"x", kind="photo", caption="/ping", chat=group)
        await emu.wait_for_message(group, lambda message: "Bot ready" in message.text, after=sent)
        assert provider.open_streams == 1
        go_on.set()


async def test_the_caption_of_an_album_does_not_leave_the_album(
    emu: Emulator, ann: EmulatedUser, start: Start, ask: Ask
) -> None:
    chat = ann.private_chat()
    item = {
        "date": 1,
        "chat": {"id": chat.id, "type": "private", "first_name": "Ann"},
        "from": {"id": ann.id, "is_bot": False, "first_name": "Ann"},
        "media_group_id": "7",
        "photo": [{"file_id": "a", "file_unique_id": "b", "width": 1, "height": 1}],
    }
    async with start():
        emu.inject_update({"message": {"message_id": 901, **item}})
        emu.inject_update({"message": {"message_id": 902, "caption": "/ping", **item}})
        await emu.wait_for_message(chat, lambda message: "Bot ready" in message.text)
        await ask("/facts")
    assert not [message for message in from_bot(chat) if "can't read" in message.text]


async def test_commands_that_change_something_wait_in_their_order(
    emu: Emulator, ann: EmulatedUser, start: Start, ask: Ask, provider: ScriptedProvider
) -> None:
    go_on = asyncio.Event()
    provider.answer("first", go_on)
    async with start():
        await ann.say("one")
        await emu.wait_for(lambda: provider.open_streams)
        for text in ("/system Be brief.", "two", "/system Be long.", "three"):
            said = await ann.say(text)
            await emu.wait_for(lambda said=said: said.reactions)
        await ask("/ping")
        assert len(from_bot(ann.private_chat())) == 1
        go_on.set()
        await emu.wait_for_message(ann.private_chat(), lambda message: message.from_bot and message.text == "three")
    assert [request.system for request in provider.requests] == [None, "Be brief.", "Be long."]


async def test_behind_commands_alone_it_shows_what_they_have_changed(
    emu: Emulator, ann: EmulatedUser, start: Start
) -> None:
    for text in ("/system Be brief.", "/system"):
        await ann.say(text)
    async with start():
        shown = await emu.wait_for_message(
            ann.private_chat(), lambda message: message.from_bot and "Be brief." in message.text
        )
        assert shown.from_bot


async def test_a_question_of_the_same_batch_is_no_reason_to_wait(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider
) -> None:
    go_on = asyncio.Event()
    provider.answer("first", go_on)
    await ann.say("one")
    await ann.say("/ping")
    async with start():
        await emu.wait_for_message(ann.private_chat(), lambda message: "Bot ready" in message.text)
        go_on.set()
        await emu.wait_for_message(ann.private_chat(), lambda message: message.text == "first")


async def test_only_some_of_them_are_handled_at_once(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider
) -> None:
    go_on = asyncio.Event()
    provider.answer("first", go_on)
    await ann.say("one")
    for _ in range(MOST_AT_ONCE + 3):
        await ann.say("/ping")
    async with start():
        chat = ann.private_chat()
        await emu.wait_for(lambda: len(from_bot(chat)) == MOST_AT_ONCE)
        assert [message.text for message in from_bot(chat)] == ["Bot ready"] * MOST_AT_ONCE
        go_on.set()
        await emu.wait_for(lambda: len(from_bot(chat)) == MOST_AT_ONCE + 4)


class Weather:
    """A plugin with two commands."""

    @hookimpl
    def tgllm_plugin_info(self) -> PluginInfo:
        return PluginInfo(id="weather", title="Weather", api="1.0")

    @hookimpl
    def tgllm_commands(self) -> tuple[ChatCommand, ...]:
        async def say(call: CommandCall) -> str:
            return f"{call.name}: rain"

        return (
            ChatCommand("weather", "the weather", say, aliases=("w",), reads_only=True),
            ChatCommand("move", "moves a cloud", say),
        )


async def test_commands_of_plugins_say_so_themselves(
    emu: Emulator, ann: EmulatedUser, start: Start, ask: Ask, provider: ScriptedProvider
) -> None:
    go_on = asyncio.Event()
    provider.answer("first", go_on)
    async with start(plugins=[GivenPlugin.of("weather", Weather())]):
        await ann.say("one")
        await emu.wait_for(lambda: provider.open_streams)
        moved = await ann.say("/move")
        await emu.wait_for(lambda: moved.reactions)
        assert (await ask("/w")).text == "weather: rain"
        assert [message.text for message in from_bot(ann.private_chat())] == ["weather: rain"]
        go_on.set()
        await emu.wait_for_message(ann.private_chat(), lambda message: message.text == "move: rain")
