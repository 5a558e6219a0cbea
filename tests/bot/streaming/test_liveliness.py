"""An answer that takes its time: what the chat shows until it comes."""

import asyncio
import re

import pytest

from bot_support import Start
from tgllm.api import ReasoningDelta, Waiting
from tgllm.api.clock import SystemClock
from tgllm.db.engine.unit import Connection
from tgllm.db.tables import conversations
from tgllm.services.common.lane import Lane
from tgllm.testing.emulator import Emulator, Fault
from tgllm.testing.emulator.users import EmulatedUser
from tgllm.testing.scripted import ScriptedProvider


class Ahead(SystemClock):
    """Goes on as others do, and can be put forward."""

    ahead = 0.0

    def monotonic(self) -> float:
        return super().monotonic() + self.ahead


async def test_a_wait_is_told_in_a_draft(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider
) -> None:
    go_on = asyncio.Event()
    provider.answer(Waiting("rate_limit", 30.0), go_on, "Here it is.")
    async with start():
        await ann.say("hello")
        await emu.wait_for_draft(ann.private_chat(), lambda draft: "trying again soon" in draft.text)
        go_on.set()
        answer = await emu.wait_for_message(ann.private_chat())
    assert answer.text == "Here it is."


async def test_a_wait_is_told_in_the_placeholder_of_a_group(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider
) -> None:
    group = emu.add_group(title="Team", members=[ann])
    go_on = asyncio.Event()
    provider.answer(Waiting("queue"), go_on, "Here it is.")
    async with start():
        await ann.say("@demo_bot hello", chat=group)
        shown = await emu.wait_for_message(group, lambda message: "waits in its queue" in message.text)
        go_on.set()
        await emu.wait_for(lambda: shown.text == "Here it is.")


@pytest.mark.parametrize("place", ["group", "topic"])
async def test_a_long_thought_in_a_group_tells_how_long_it_has_been(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider, place: str
) -> None:
    group = emu.add_group(title="Team", members=[ann])
    topic = emu.add_topic(group, "One") if place == "topic" else None
    clock, go_on = Ahead(), asyncio.Event()
    provider.answer(ReasoningDelta("hm"), go_on, "Here it is.")
    async with start(clock=clock, streaming__keep_alive=0.02):
        await ann.say("@demo_bot hello", chat=group, topic=topic)
        shown = await emu.wait_for_message(group, lambda message: message.text == "Thinking...")
        clock.ahead = 60.0
        await emu.wait_for(lambda: re.fullmatch(r"Thinking\.\.\. \(\d\d+ s\)", shown.text))
        go_on.set()
        await emu.wait_for(lambda: shown.text == "Here it is.")
    assert shown.topic is topic


async def test_an_unchanged_draft_is_sent_again(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider
) -> None:
    go_on = asyncio.Event()
    provider.answer(ReasoningDelta("hm"), go_on, "Here it is.")
    async with start(streaming__keep_alive=0.02):
        await ann.say("hello")

        draft = await emu.wait_for_draft(ann.private_chat(), lambda draft: draft.revision >= 3)
        assert draft.text == ""
        go_on.set()
        await emu.wait_for_message(ann.private_chat())


async def test_thoughts_grow_in_the_draft_of_a_chat_that_wants_them(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider
) -> None:
    go_on = asyncio.Event()
    provider.answer(ReasoningDelta("Let me "), ReasoningDelta("see."), go_on, "Here it is.")
    lane = Lane(ann.id).key

    def want_thoughts(conn: Connection) -> None:
        conversation = conversations.active_for(conn, lane, 0)
        conversations.set_settings(conn, conversation.id, {"reasoning_display": "shown"}, 0)

    async with start() as bot:
        await bot.core.database.write(want_thoughts)
        await ann.say("hello")
        draft = await emu.wait_for_draft(ann.private_chat(), lambda draft: draft.text.endswith("Let me see."))
        assert [entity["type"] for entity in draft.content.entities] == ["blockquote", "bold"]
        go_on.set()
        await emu.wait_for_message(ann.private_chat(), lambda message: message.text.endswith("Here it is."))


async def test_after_a_429_the_draft_goes_on_and_the_answer_is_whole(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider
) -> None:
    go_on = asyncio.Event()
    refused = emu.faults.add(Fault.retry_after("sendMessageDraft", 1))
    provider.answer("One", " two", go_on, " three.")
    async with start():
        await ann.say("hello")
        await refused.reached.wait()
        await emu.wait_for_draft(ann.private_chat(), lambda draft: draft.text == "One two")
        go_on.set()
        answer = await emu.wait_for_message(ann.private_chat())
    assert answer.text == "One two three."


async def test_an_ending_outlives_drafts_that_are_refused_for_good(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider
) -> None:
    go_on = asyncio.Event()
    refused = emu.faults.add(
        Fault.api_error("sendMessageDraft", 400, "Bad Request: TEXTDRAFT_PEER_INVALID", times=None)
    )
    provider.answer("One", go_on, " two.")
    async with start():
        await ann.say("hello")
        await refused.reached.wait()
        go_on.set()
        answer = await emu.wait_for_message(ann.private_chat())
    assert answer.text == "One two."
    assert not ann.private_chat().drafts
