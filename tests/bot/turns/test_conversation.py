"""The main job: a question is asked, the answer streams into the chat, and all of it is in the database."""

import asyncio

import pytest

from bot_support import Start
from tgllm import hookimpl
from tgllm.api import Finished, PluginInfo, RateLimited, ReasoningDelta, Usage
from tgllm.db.engine.unit import Connection
from tgllm.db.tables import inbox, messages, outbox, requests
from tgllm.testing.emulator import Emulator
from tgllm.testing.emulator.users import EmulatedUser
from tgllm.testing.scripted import GivenPlugin, ScriptedProvider


class Listener:
    """A plugin that is slow to take note of answers."""

    def __init__(self) -> None:
        self.go_on = asyncio.Event()
        self.has_ended = False

    @hookimpl
    def tgllm_plugin_info(self) -> PluginInfo:
        return PluginInfo(id="listener", title="Listener", api="1.0")

    @hookimpl
    async def tgllm_after_reply(self) -> None:
        try:
            await self.go_on.wait()
        finally:
            self.has_ended = True


@pytest.mark.parametrize("in_topic", [False, True], ids=["chat", "topic"])
async def test_an_answer_streams_as_a_draft_and_ends_as_a_message(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider, in_topic: bool
) -> None:
    topic = emu.add_topic(ann.private_chat(), "Stories") if in_topic else None
    go_on = asyncio.Event()
    provider.answer("Once upon", go_on, " a time.", Finished("stop", Usage(3, 4)))
    async with start():
        await ann.say("Tell me a story", topic=topic)
        draft = await emu.wait_for_draft(ann.private_chat(), lambda draft: draft.text == "Once upon")
        assert (draft.can_stop, draft.topic) == (True, topic)
        go_on.set()
        answer = await emu.wait_for_message(ann.private_chat())
    assert (answer.text, answer.topic) == ("Once upon a time.", topic)
    assert not ann.private_chat().drafts


async def test_an_answer_does_not_wait_for_plugins_that_are_told_of_it(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider
) -> None:
    listener = Listener()
    provider.answer("Fine.")
    async with start(plugins=[GivenPlugin.of("listener", listener)]):
        await ann.say("How are you?")
        await emu.wait_for_message(ann.private_chat(), lambda message: message.text == "Fine.")
        assert not listener.has_ended
        listener.go_on.set()


async def test_all_of_a_turn_is_in_the_database(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider
) -> None:
    provider.answer(ReasoningDelta("hm"), "Fine.", Finished("stop", Usage(3, 4, 2, 1)))
    async with start() as bot:
        await ann.say("How are you?")
        answer = await emu.wait_for_message(ann.private_chat())
        await bot.stop()
        database = bot.core.database
        request = (await database.read(lambda conn: requests.recent(conn, 10)))[0]
        said = await database.read(lambda conn: messages.of_turn(conn, request.turn_id))
        sent = await database.read(lambda conn: outbox.find(conn, request.turn_id, 0))
        states = await database.read(inbox.counts)
    assert (request.provider, request.model, request.status) == ("scripted", "model", "ok")
    assert (request.input_tokens, request.output_tokens) == (3, 4)
    assert (request.reasoning_tokens, request.cached_tokens) == (2, 1)
    assert request.latency_ms is not None
    assert request.user_id == ann.id
    assert [(message.role, message.text) for message in said] == [("user", "How are you?"), ("assistant", "Fine.")]
    assert sent is not None
    assert (sent.state, sent.message_id) == ("sent", answer.id)
    assert states == {"done": 1}


async def test_a_quick_answer_costs_one_message_and_no_draft(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider
) -> None:
    async with start(streaming__first_delay=60):
        await ann.say("quick")
        await emu.wait_for_message(ann.private_chat())
    calls = [call.method for call in emu.journal if call.method not in {"getMe", "getUpdates", "setMyCommands"}]
    assert calls == ["sendMessage"]


async def test_the_model_sees_what_was_said_before(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider
) -> None:
    async with start():
        for text in ("one", "two", "three"):
            asked = await ann.say(text)
            await emu.wait_for_message(ann.private_chat(), lambda message: message.from_bot, after=asked)
    assert provider.told == ["one", "one", "two", "two", "three"]


async def test_the_conversation_survives_a_restart(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider
) -> None:
    async with start():
        await ann.say("one")
        await emu.wait_for_message(ann.private_chat())
    async with start():
        asked = await ann.say("two")
        await emu.wait_for_message(ann.private_chat(), lambda message: message.from_bot, after=asked)
    assert provider.told == ["one", "one", "two"]


async def test_history_is_cut_to_the_token_budget(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider
) -> None:
    long = "word " * 200
    async with start(turns__context_tokens=256):
        for text in (long, "two", "three"):
            asked = await ann.say(text)
            await emu.wait_for_message(ann.private_chat(), lambda message: message.from_bot, after=asked)
    assert provider.told == ["two", "two", "three"]


@pytest.mark.parametrize("in_topic", [False, True], ids=["group", "topic"])
async def test_in_a_group_one_message_grows_and_ends_as_the_answer(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider, in_topic: bool
) -> None:
    group = emu.add_group(title="Team", members=[ann], is_forum=in_topic)
    topic = emu.add_topic(group, "News") if in_topic else None
    go_on = asyncio.Event()
    provider.answer("Once upon", go_on, " a time.")
    async with start():
        await ann.say("nobody is spoken to", chat=group, topic=topic)
        asked = await ann.say("@demo_bot a story, please", chat=group, topic=topic)
        growing = await emu.wait_for_message(group, lambda message: message.text == "Once upon")
        assert growing.reply_markup is not None
        go_on.set()
        answer = await emu.wait_for_message(group, lambda message: message.text == "Once upon a time.")
    assert (answer.id, answer.topic) == (growing.id, topic)
    assert answer.labels == ["Regenerate"]
    assert answer.reply_to == asked
    assert provider.questions == ["Ann: a story, please"]
    assert len([message for message in group.messages if message.from_bot]) == 1


async def test_topics_of_a_group_are_conversations_of_their_own(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider
) -> None:
    group = emu.add_group(title="Team", members=[ann], is_forum=True)
    news, music = emu.add_topic(group, "News"), emu.add_topic(group, "Music")
    async with start():
        await ann.say("@demo_bot news", chat=group, topic=news)
        await emu.wait_for_message(group, lambda message: message.from_bot and message.text == "Ann: news")
        await ann.say("@demo_bot music", chat=group, topic=music)
        await emu.wait_for_message(group, lambda message: message.from_bot and message.text == "Ann: music")
    assert provider.told == ["Ann: music"]
    assert {message.text: message.topic for message in group.messages if message.from_bot} == {
        "Ann: news": news,
        "Ann: music": music,
    }


async def test_a_failing_provider_is_told_in_words_and_stored(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider
) -> None:
    provider.answer("Half of", RateLimited("busy", retry_after=7))
    async with start() as bot:
        await ann.say("go")
        answer = await emu.wait_for_message(ann.private_chat())
        await bot.stop()
        request = (await bot.core.database.read(lambda conn: requests.recent(conn, 1)))[0]
    assert answer.text.startswith("Half of\n\n")
    assert "7 seconds" in answer.text
    assert (request.status, request.error_code) == ("failed", "rate_limited")


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (ValueError("bang"), "The provider scripted is broken"),
        (KeyError("x"), "The provider scripted is broken"),
        (ConnectionResetError(), "The provider can't be reached now. Try again"),
        (TimeoutError(), "The provider can't be reached now. Try again"),
    ],
)
async def test_a_provider_that_breaks_the_contract_does_not_break_the_bot(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider, error: Exception, told: str
) -> None:
    provider.answer(error)
    async with start():
        await ann.say("go")
        first = await emu.wait_for_message(ann.private_chat())
        await ann.say("again")
        await emu.wait_for_message(ann.private_chat(), lambda message: message.text == "again" and message.from_bot)
    assert first.text.startswith(told)


async def test_a_silent_model_is_given_up_and_what_came_is_kept(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider
) -> None:
    provider.answer("So far", asyncio.Event())
    async with start(turns__idle_timeout=0.05):
        await ann.say("go")
        answer = await emu.wait_for_message(ann.private_chat())
    assert answer.text.startswith("So far\n\n")
    assert "silent" in answer.text
    assert provider.open_streams == 0


async def test_an_unknown_model_is_told(emu: Emulator, ann: EmulatedUser, start: Start) -> None:
    async with start(default_model="skripted/model"):
        await ann.say("go")
        answer = await emu.wait_for_message(ann.private_chat())
    assert "scripted" in answer.text


async def test_an_empty_answer_is_told(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider
) -> None:
    provider.answer()
    async with start():
        await ann.say("go")
        answer = await emu.wait_for_message(ann.private_chat())
    assert "empty answer" in answer.text


async def test_an_answer_of_white_space_is_told_and_no_model_is_shown_it_later(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider
) -> None:
    provider.answer(" \n\n")
    async with start():
        await ann.say("first")
        told = await emu.wait_for_message(ann.private_chat())
        provider.answer("an answer")
        await ann.say("second")
        await emu.wait_for_message(ann.private_chat(), lambda message: message.text == "an answer")
    assert "empty answer" in told.text
    assert [(message.role, message.text) for message in provider.requests[-1].messages] == [("user", "second")]


async def test_chats_do_not_wait_for_each_other_and_one_chat_keeps_its_order(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider
) -> None:
    group = emu.add_group(title="Team", members=[ann])
    go_on = asyncio.Event()
    provider.answer(go_on, "slow")
    async with start():
        await ann.say("first")
        await emu.wait_for(lambda: provider.requests)
        await ann.say("second")
        await ann.say("@demo_bot quick", chat=group)
        await emu.wait_for_message(group, lambda message: message.text == "Ann: quick")
        assert provider.questions == ["first", "Ann: quick"]
        go_on.set()
        await emu.wait_for_message(ann.private_chat(), lambda message: message.from_bot and message.text == "second")
    assert ann.private_chat().bot_texts == ["slow", "second"]


async def test_a_turn_that_can_not_be_stored_is_told_and_holds_nobody_up(
    emu: Emulator, ann: EmulatedUser, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_conn: Connection) -> None:
        raise RuntimeError("a fault of the program")

    async with start() as bot:
        with monkeypatch.context() as patch:
            patch.setattr(bot.core.budgets, "settle", lambda *_: (broken,))
            asked = await ann.say("one")
            told = await emu.wait_for_message(ann.private_chat(), lambda message: message.from_bot, after=asked)
        assert told.text != "one"
        said = await ann.say("two")
        await emu.wait_for_message(ann.private_chat(), lambda message: message.text == "two", after=said)
