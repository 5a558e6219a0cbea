"""Answers and replies without end: they are cut, come as a file, and hold up nothing."""

import asyncio
import sys
from collections.abc import AsyncGenerator, Sequence

import pytest

from bot_support import Start, content, from_bot
from tgllm import hookimpl
from tgllm.api import (
    ChatCommand,
    ChatRequest,
    CommandCall,
    Finished,
    PluginInfo,
    ReasoningDelta,
    Reply,
    StreamEvent,
    TextDelta,
)
from tgllm.bot.renderer import process
from tgllm.db.tables import messages, outbox, requests
from tgllm.testing.emulator import Emulator, Fault
from tgllm.testing.emulator.state.records import EmulatedMessage
from tgllm.testing.emulator.users import EmulatedUser
from tgllm.testing.scripted import GivenPlugin, ScriptedProvider

HANGS = "import os\nos.write(1, (2).to_bytes(8, 'big') + b'{}')\nwhile True: pass"
LIMIT = 20_000


class Endless(ScriptedProvider):
    """Every stream repeats one event for ever."""

    def __init__(self, event: StreamEvent) -> None:
        super().__init__()
        self.event = event

    async def generate(self, request: ChatRequest) -> AsyncGenerator[StreamEvent, None]:
        self.requests.append(request)
        self.open_streams += 1
        try:
            while len(self.requests) == 1:
                yield self.event
                await asyncio.sleep(0)
            yield TextDelta("The rest.")
            yield Finished()
        finally:
            self.open_streams -= 1


class Talker:
    """A plugin with commands that return long texts."""

    def __init__(self, text: str) -> None:
        self.text = text

    @hookimpl
    def tgllm_plugin_info(self) -> PluginInfo:
        return PluginInfo(id="talker", title="Talker", api="1.0")

    @hookimpl
    def tgllm_commands(self) -> Sequence[ChatCommand]:
        return (ChatCommand("plain", "Talk", self._plain), ChatCommand("marked", "Talk", self._marked))

    async def _plain(self, call: CommandCall) -> str:
        return self.text

    async def _marked(self, call: CommandCall) -> Reply:
        return Reply(self.text, markdown=True)


def is_document(message: EmulatedMessage) -> bool:
    return message.from_bot and message.file is not None


@pytest.mark.parametrize("place", ["private", "group"])
@pytest.mark.parametrize("event", [TextDelta("x"), TextDelta("word " * 1000), TextDelta("x" * 5_000_000)])
async def test_a_stream_without_end_is_a_beginning_and_a_file(
    emu: Emulator, ann: EmulatedUser, start: Start, place: str, event: TextDelta
) -> None:
    chat = ann.private_chat() if place == "private" else emu.add_group(title="Team", members=[ann])
    provider = Endless(event)
    async with start(provider=provider, turns__max_answer=LIMIT) as bot:
        await ann.say("@demo_bot go", chat=chat)
        document = await emu.wait_for_message(chat, is_document)
        assert provider.open_streams == 0
        (request,) = await bot.core.database.read(lambda conn: requests.recent(conn, 1))
        said = await bot.core.database.read(lambda conn: messages.of_turn(conn, request.turn_id))
        await bot.stop()
    assert len(content(document)) == len(said[-1].text) == LIMIT
    assert (request.status, request.finish_reason) == ("ok", "length")
    shown = [message for message in from_bot(chat) if message is not document]
    assert len(shown) == 1
    assert "ended it here" in shown[0].text
    assert document.labels == ["Continue", "Regenerate"]


@pytest.mark.parametrize("how", ["button", "command"])
async def test_a_cut_answer_can_be_continued_once(emu: Emulator, ann: EmulatedUser, start: Start, how: str) -> None:
    chat = ann.private_chat()
    async with start(provider=Endless(TextDelta("word ")), turns__max_answer=100):
        await ann.say("go")
        cut = await emu.wait_for_message(chat, lambda message: "Continue" in message.labels)
        if how == "button":
            query = cut, cut.labels
            await ann.press(cut, "Continue")
            await emu.wait_for(lambda: not query[0].labels)
        else:
            await ann.say("/continue")
        rest = await emu.wait_for_message(chat, lambda message: message.text.startswith("The rest."))
    assert rest.labels == ["Regenerate"]


async def test_what_continues_a_long_answer_has_its_end(emu: Emulator, ann: EmulatedUser, start: Start) -> None:
    provider = Endless(TextDelta("word "))
    async with start(provider=provider, turns__max_answer=LIMIT, turns__context_tokens=1000):
        await ann.say("go")
        document = await emu.wait_for_message(ann.private_chat(), is_document)
        await ann.press(document, "Continue")
        await emu.wait_for_message(ann.private_chat(), lambda message: message.text.startswith("The rest."))
    question, answer, _ = provider.told
    assert question == "go"
    assert answer.startswith("… ")
    assert answer.endswith("word word ")


async def test_an_outdated_continue_button_changes_nothing(emu: Emulator, ann: EmulatedUser, start: Start) -> None:
    chat, provider = ann.private_chat(), Endless(TextDelta("word "))
    async with start(provider=provider, turns__max_answer=100):
        await ann.say("go")
        cut = await emu.wait_for_message(chat, lambda message: "Continue" in message.labels)
        await ann.say("something else")
        await emu.wait_for_message(chat, lambda message: message.text == "The rest.")
        await ann.press(cut, "Continue")
        await emu.wait_for(lambda: not cut.labels)
    assert len(provider.requests) == 2


async def test_reasoning_without_end_is_ended_and_said(emu: Emulator, ann: EmulatedUser, start: Start) -> None:
    chat, provider = ann.private_chat(), Endless(ReasoningDelta("hm "))
    async with start(provider=provider, turns__max_answer=LIMIT):
        await ann.say("go")
        answer = await emu.wait_for_message(chat)
    assert answer.text.startswith("The model went on thinking")
    assert answer.labels == ["Continue", "Try again"]
    assert provider.open_streams == 0


@pytest.mark.parametrize("command", ["plain", "marked"])
async def test_a_long_reply_of_a_command_is_a_beginning_and_a_file(
    emu: Emulator, ann: EmulatedUser, start: Start, command: str
) -> None:
    text = "A *word* to say.\n" * 125_000
    chat = ann.private_chat()
    async with start(plugins=[GivenPlugin.of("talker", Talker(text))]) as bot:
        await ann.say(f"/{command}")
        document = await emu.wait_for_message(chat, is_document)
        counts = await bot.core.database.read(outbox.counts)
        await bot.stop()
    assert content(document) == text.strip()
    assert [message.text.endswith("The full text is in the file.") for message in from_bot(chat)[:-1]] == [True]
    assert sum(counts.values()) == 2


async def test_a_reply_whose_file_is_refused_comes_as_a_few_messages(
    emu: Emulator, ann: EmulatedUser, start: Start
) -> None:
    refused = "Bad Request: not enough rights to send documents to the chat"
    emu.faults.add(Fault.api_error("sendDocument", 400, refused))
    async with start(plugins=[GivenPlugin.of("talker", Talker("A word to say. " * 140_000))]) as bot:
        asked = await ann.say("/plain")
        await emu.wait_for_message(ann.private_chat(), after=asked)
        await bot.runtime._parts.sender.wait_idle()
        await bot.stop()
    assert 10 < len(from_bot(ann.private_chat())) <= 21


@pytest.mark.parametrize("text", [" " * 50_000, "\n" * 50_000])
async def test_a_long_blank_reply_is_none(emu: Emulator, ann: EmulatedUser, start: Start, text: str) -> None:
    async with start(plugins=[GivenPlugin.of("talker", Talker(text))]):
        for command in ("/plain", "/marked"):
            await ann.say(command)
        pinged = await ann.say("/ping")
        await emu.wait_for_message(ann.private_chat(), lambda message: message.text == "Bot ready", after=pinged)
    assert ann.private_chat().bot_texts == ["Bot ready"]


async def test_while_texts_can_not_be_rendered_others_are_answered_and_the_bot_can_be_stopped(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The renderer never ends, and its time is not over during the test until the bot is stopped."""
    monkeypatch.setattr(process, "worker_command", lambda: [sys.executable, "-c", HANGS])
    group = emu.add_group(title="Team", members=[ann], is_forum=True)
    topics = [emu.add_topic(group, str(number)) for number in range(3)]
    for _ in topics:
        provider.answer("**word** " * 5000)
    async with start(rendering__timeout=600, rendering__file_over=0, turns__stop_timeout=0) as bot:
        for topic in topics:
            await ann.say("@demo_bot go", chat=group, topic=topic)
        await emu.wait_for(lambda: bot.runtime._parts.renderer._process._process)
        pinged = await ann.say("/ping")
        await emu.wait_for_message(ann.private_chat(), lambda message: message.text == "Bot ready", after=pinged)
        monkeypatch.setattr("tgllm.bot.runtime.DRAIN_SECONDS", 0.1)
        await bot.stop()
        assert bot.runtime._parts.renderer._process._process is None


async def test_a_text_that_is_not_rendered_in_time_arrives_plain_and_whole(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "worker_command", lambda: [sys.executable, "-c", HANGS])
    text = "A **word** to say.\n\n" * 2000
    provider.answer(text, "End.")
    async with start(rendering__timeout=0.05, rendering__file_over=0):
        await ann.say("go")
        await emu.wait_for_message(ann.private_chat(), lambda message: message.text.endswith("End."))
    arrived = "\n\n".join(ann.private_chat().bot_texts)
    assert arrived.split() == (text + "End.").split()
