"""Asking again, and moving within a conversation."""

import asyncio
from collections.abc import Sequence

import pytest

from bot_support import Ask, Start
from tgllm import hookimpl
from tgllm.api import Finished, PluginInfo, ProviderSpec, RateLimited
from tgllm.db.tables import inbox, requests
from tgllm.testing.emulator import Emulator
from tgllm.testing.emulator.state.records import EmulatedChat, EmulatedMessage
from tgllm.testing.emulator.users import EmulatedUser
from tgllm.testing.scripted import GivenPlugin, ScriptedProvider


def parts(chat: EmulatedChat, word: str) -> list[EmulatedMessage] | None:
    """The messages of an answer of two, once both are there."""
    found = [message for message in chat.messages if message.from_bot and message.text.startswith(word)]
    return found if len(found) == 2 else None


class Other(ScriptedProvider):
    """A second provider, of another name."""

    @property
    def plugin(self) -> GivenPlugin:
        return GivenPlugin.of("other", self)

    @hookimpl
    def tgllm_plugin_info(self) -> PluginInfo:
        return PluginInfo(id="other", title="Other", api="1.0")

    @hookimpl
    def tgllm_providers(self) -> Sequence[ProviderSpec]:
        return (ProviderSpec("other", "Other", lambda _ctx: self),)


async def test_retry_asks_the_last_question_again(start: Start, ask: Ask, provider: ScriptedProvider) -> None:
    async with start():
        await ask("one")
        provider.answer("bad")
        await ask("two")
        provider.answer("good")
        assert (await ask("/retry")).text == "good"
        assert provider.told == ["one", "one", "two"]
        await ask("three")
    assert provider.told == ["one", "one", "two", "good", "three"]


async def test_retry_may_name_another_model_for_once(start: Start, ask: Ask, provider: ScriptedProvider) -> None:
    other = Other()
    other.answer("from another")
    async with start(plugins=[other.plugin]) as bot:
        await ask("one")
        assert (await ask("/retry other/model")).text == "from another"
        request = (await bot.core.database.read(lambda conn: requests.recent(conn, 1)))[0]
        await ask("two")
    assert (request.provider, request.model) == ("other", "model")
    assert provider.told == ["one", "from another", "two"]


async def test_retry_takes_no_name_that_is_not_in_the_list_of_its_provider(
    start: Start, ask: Ask, provider: ScriptedProvider
) -> None:
    """Under it nobody would know the price."""
    async with start(refresh_cron="off") as bot:
        await bot.core.models.pull_and_sync_models()
        await ask("one")
        refused = await ask("/retry scripted/models/model")
        assert refused.text.startswith('There is no model "scripted/models/model". Did you mean scripted/model')
        assert (await ask("/retry model")).text == "one"
    assert [request.model for request in provider.requests] == ["model", "model"]


async def test_retry_with_an_unknown_model_says_so(start: Start, ask: Ask, provider: ScriptedProvider) -> None:
    async with start():
        await ask("one")
        assert "scripted" in (await ask("/retry skripted/model")).text
        assert "provider/model" in (await ask("/retry modell")).text
    assert len(provider.requests) == 1


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("/retry", "no question here yet"),
        ("/undo", "nothing to take back"),
        ("/continue", "no cut answer"),
        ("/fork", "as a reply to an answer"),
    ],
)
async def test_an_empty_chat_has_nothing_to_move_in(
    start: Start, ask: Ask, provider: ScriptedProvider, command: str, words: str
) -> None:
    async with start():
        assert words in (await ask(command)).text
    assert not provider.requests


@pytest.mark.parametrize("place", ["private", "group", "topic"])
async def test_a_button_asks_for_another_answer(
    emu: Emulator, ann: EmulatedUser, start: Start, ask: Ask, provider: ScriptedProvider, place: str
) -> None:
    chat = ann.private_chat() if place == "private" else emu.add_group(title="Team", members=[ann])
    topic = emu.add_topic(chat, "One") if place == "topic" else None
    async with start():
        await ask("@demo_bot zero", chat=chat, topic=topic)
        provider.answer("word " * 1000)
        provider.answer("better")
        await ann.say("@demo_bot one", chat=chat, topic=topic)
        (first, last) = await emu.wait_for(lambda: parts(chat, "word"))
        assert (first.labels, last.labels) == ([], ["Regenerate", "📄 answer.md"])
        await ann.press(last, "Regenerate")
        better = await emu.wait_for_message(chat, lambda message: message.text == "better")
        await emu.wait_for(lambda: not last.labels and better.labels == ["Regenerate"])
        await ask("@demo_bot two", chat=chat, topic=topic)
    assert better.topic == topic
    assert [text.split()[-1] for text in provider.told] == ["zero", "zero", "one", "better", "two"]


async def test_answers_have_no_regenerate_button_where_the_operator_wants_none(
    emu: Emulator, ann: EmulatedUser, start: Start, ask: Ask, provider: ScriptedProvider
) -> None:
    async with start(rendering__regenerate_button=False) as bot:
        assert not (await ask("one")).labels
        provider.answer("Half", asyncio.Event())
        assert (await stopped(emu, ann, "two")).labels == ["Continue"]
        await bot.stop()


async def stopped(emu: Emulator, user: EmulatedUser, text: str, word: str = "Half") -> EmulatedMessage:
    """Ask, press Stop on the draft when it shows the word, and return the answer."""
    chat = user.private_chat()
    asked = await user.say(text)
    draft = await emu.wait_for_draft(chat, lambda draft: draft.text.startswith(word))
    await user.stop(draft)
    return await emu.wait_for_message(chat, lambda message: "Stopped." in message.text, after=asked)


async def test_a_stopped_answer_can_be_continued(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider
) -> None:
    provider.answer("Half of it", asyncio.Event())
    provider.answer("and the rest")
    async with start():
        half = await stopped(emu, ann, "two")
        assert half.labels == ["Continue", "Regenerate"]
        await ann.press(half, "Continue")
        rest = await emu.wait_for_message(ann.private_chat(), lambda message: message.text == "and the rest")
        assert rest.labels == ["Regenerate"]
        await emu.wait_for(lambda: not half.labels)
    assert provider.told[0] == "two"
    assert provider.told[1].startswith("Half of it")
    assert provider.told[2].startswith("Go on exactly where you stopped")


async def test_a_stopped_answer_can_be_asked_for_again(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider
) -> None:
    provider.answer("Half", asyncio.Event())
    provider.answer("Whole")
    async with start():
        half = await stopped(emu, ann, "two")
        await ann.press(half, "Regenerate")
        await emu.wait_for_message(ann.private_chat(), lambda message: message.text == "Whole")
        await emu.wait_for(lambda: not half.labels)
    assert provider.told == ["two"]


async def test_an_answer_stopped_before_its_first_word_can_only_be_asked_for_again(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider
) -> None:
    provider.answer(asyncio.Event())
    async with start(streaming__first_delay=0):
        assert (await stopped(emu, ann, "two", word="")).labels == ["Try again"]


async def test_a_stopped_answer_in_a_group_can_be_continued(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider
) -> None:
    group = emu.add_group(title="Team", members=[ann])
    provider.answer("Half", asyncio.Event())
    provider.answer("Rest")
    async with start():
        await ann.say("@demo_bot go", chat=group)
        half = await emu.wait_for_message(group, lambda message: "Half" in message.text)
        await ann.press(half, "Stop")
        await emu.wait_for(lambda: half.labels == ["Continue", "Regenerate"])
        await ann.press(half, "Continue")
        await emu.wait_for_message(group, lambda message: message.text == "Rest")


async def test_a_failed_answer_has_a_button_that_asks_again(
    emu: Emulator, ann: EmulatedUser, start: Start, ask: Ask, provider: ScriptedProvider
) -> None:
    provider.answer("Half of", RateLimited("busy"))
    provider.answer("Whole")
    async with start():
        failed = await ask("go")
        assert failed.labels == ["Try again"]
        query = await ann.press(failed, "Try again")
        whole = await emu.wait_for_message(ann.private_chat(), lambda message: message.text == "Whole")
        await emu.wait_for(lambda: query.answer is not None)
        assert whole.labels == ["Regenerate"]
        assert failed.text.startswith("Half of")
        await emu.wait_for(lambda: not failed.labels)
    assert provider.told == ["go"]


async def test_the_button_goes_before_the_answer_is_there(
    emu: Emulator, ann: EmulatedUser, start: Start, ask: Ask, provider: ScriptedProvider
) -> None:
    go_on = asyncio.Event()
    provider.answer(RateLimited("busy"))
    provider.answer(go_on, "Whole")
    async with start():
        failed = await ask("go")
        await ann.press(failed, "Try again")
        await emu.wait_for(lambda: not failed.labels)
        go_on.set()
        await emu.wait_for_message(ann.private_chat(), lambda message: message.text == "Whole")


async def test_only_the_last_question_can_be_asked_again_and_the_button_goes(
    emu: Emulator, ann: EmulatedUser, start: Start, ask: Ask, provider: ScriptedProvider
) -> None:
    provider.answer(RateLimited("busy"))
    async with start():
        failed = await ask("go")
        await ask("something else")
        query = await ann.press(failed, "Try again")
        answer = await emu.wait_for(lambda: query.answer)
        assert answer["text"] == "Only the last question can be asked again."
        await emu.wait_for(lambda: not failed.labels)
    assert len(provider.requests) == 2


async def test_a_question_without_any_answer_can_be_asked_again_too(
    start: Start, ask: Ask, provider: ScriptedProvider
) -> None:
    provider.answer(RateLimited("busy"))
    provider.answer("Now it works")
    async with start():
        await ask("one")
        assert (await ask("/retry")).text == "Now it works"
        await ask("two")
    assert provider.told == ["one", "Now it works", "two"]


async def test_a_silent_model_s_answer_has_the_button(start: Start, ask: Ask, provider: ScriptedProvider) -> None:
    provider.answer("So far", asyncio.Event())
    async with start(turns__idle_timeout=0.05):
        assert (await ask("go")).labels == ["Try again"]


async def test_an_answer_cut_by_the_end_of_the_program_has_the_button(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider
) -> None:
    provider.answer("Half", asyncio.Event())
    provider.answer("Whole")
    async with start(turns__stop_timeout=0) as bot:
        await ann.say("go")
        await emu.wait_for_draft(ann.private_chat(), lambda draft: draft.text == "Half")
        await bot.stop()
    cut = ann.private_chat().messages[-1]
    assert cut.labels == ["Try again"]
    async with start():
        await ann.press(cut, "Try again")
        await emu.wait_for_message(ann.private_chat(), lambda message: message.text == "Whole")
    assert provider.told == ["go"]


async def test_two_presses_ask_once(
    emu: Emulator, ann: EmulatedUser, start: Start, ask: Ask, provider: ScriptedProvider
) -> None:
    provider.answer(RateLimited("busy"))
    async with start():
        failed = await ask("one")
        first, second = await ann.press(failed, "Try again"), await ann.press(failed, "Try again")
        await emu.wait_for(lambda: first.answer is not None and second.answer is not None)
    assert second.answer is not None
    assert "Only the last" in second.answer["text"]
    assert len(provider.requests) == 2


async def test_a_press_waits_for_the_turn_that_runs(
    emu: Emulator, ann: EmulatedUser, start: Start, ask: Ask, provider: ScriptedProvider
) -> None:
    go_on = asyncio.Event()
    provider.answer(RateLimited("busy"))
    provider.answer(go_on, "second")
    async with start() as bot:
        failed = await ask("one")
        await ann.say("two")
        await emu.wait_for(lambda: len(provider.requests) == 2)
        query = await ann.press(failed, "Try again")
        await emu.wait_for(lambda: not emu.bot.queue.pending)
        assert (await bot.core.database.read(inbox.counts)).get("queued") == 1
        go_on.set()
        await emu.wait_for(lambda: query.answer is not None)
    assert len(provider.requests) == 2


async def test_the_button_works_in_a_group(
    emu: Emulator, ann: EmulatedUser, start: Start, ask: Ask, provider: ScriptedProvider
) -> None:
    group = emu.add_group(title="Team", members=[ann])
    provider.answer("Half of", RateLimited("busy"))
    provider.answer("Whole")
    async with start():
        failed = await ask("@demo_bot go", chat=group)
        assert failed.labels == ["Try again"]
        await ann.press(failed, "Try again")
        whole = await emu.wait_for_message(group, lambda message: message.text == "Whole")
    assert whole.reply_to is not None
    assert whole.reply_to.text == "@demo_bot go"
    assert len(provider.told) == 1


async def test_undo_takes_the_last_turn_back(start: Start, ask: Ask, provider: ScriptedProvider) -> None:
    async with start():
        await ask("one")
        await ask("two")
        assert (await ask("/undo")).text == "Taken back: two"
        await ask("three")
    assert provider.told == ["one", "one", "three"]


async def test_undo_names_the_file_of_a_question_without_words(
    start: Start, ask: Ask, emu: Emulator, ann: EmulatedUser, provider: ScriptedProvider
) -> None:
    provider.answer("Notes.")
    async with start():
        sent = await ann.upload(b"Tea comes from Assam.\n", name="notes.txt")
        await emu.wait_for_message(sent.chat, lambda message: message.text.startswith("Notes."))
        assert (await ask("/undo")).text == "Taken back: notes.txt"


async def test_fork_goes_on_from_an_earlier_answer(start: Start, ask: Ask, provider: ScriptedProvider) -> None:
    async with start():
        first = await ask("one")
        await ask("two")
        assert "We go on from that answer" in (await ask("/fork", reply_to=first)).text
        await ask("three")
    assert provider.told == ["one", "one", "three"]


async def test_fork_may_bring_the_next_question(start: Start, ask: Ask, provider: ScriptedProvider) -> None:
    async with start():
        first = await ask("one")
        await ask("/new")
        await ask("two")
        await ask("/fork three", reply_to=first)
        assert provider.told == ["one", "one", "three"]
        await ask("four")
    assert provider.told == ["one", "one", "three", "three", "four"]


async def test_fork_from_any_part_of_a_long_answer_also_in_a_group(
    emu: Emulator, ann: EmulatedUser, start: Start, ask: Ask, provider: ScriptedProvider
) -> None:
    group = emu.add_group(title="Team", members=[ann])
    provider.answer("word " * 2000)
    async with start():
        await ask("@demo_bot one", chat=group)
        await emu.wait_for(lambda: len([message for message in group.messages if message.from_bot]) == 3)
        last = group.messages[-1]
        await ask("@demo_bot two", chat=group)
        await ask("/fork", chat=group, reply_to=last)
        await ask("@demo_bot three", chat=group)
        assert len(provider.told) == 3
        await ask("/fork four", chat=group, reply_to=last)
    assert len(provider.told) == 3
    assert provider.told[-1] == "Ann: four"


async def test_fork_from_a_question_says_how(start: Start, ask: Ask, emu: Emulator, ann: EmulatedUser) -> None:
    async with start():
        await ask("one")
        question = ann.private_chat().messages[0]
        assert "as a reply to an answer" in (await ask("/fork", reply_to=question)).text


async def test_continue_asks_for_the_rest_of_a_cut_answer(start: Start, ask: Ask, provider: ScriptedProvider) -> None:
    provider.answer("One, two,", Finished("length"))
    provider.answer("three.")
    async with start():
        assert "/continue" in (await ask("count")).text
        assert (await ask("/continue")).text == "three."
        assert provider.told[:2] == ["count", "One, two,"]
        assert "Go on" in provider.told[2]
        assert "no cut answer" in (await ask("/continue")).text


async def test_a_press_that_waits_is_not_lost_when_the_bot_stops(
    emu: Emulator, ann: EmulatedUser, start: Start, ask: Ask, provider: ScriptedProvider
) -> None:
    provider.answer(RateLimited("busy"))
    provider.answer(asyncio.Event())
    async with start(turns__stop_timeout=0) as bot:
        failed = await ask("one")
        await ann.say("two")
        await emu.wait_for(lambda: len(provider.requests) == 2)
        query = await ann.press(failed, "Try again")
        await emu.wait_for(lambda: not emu.bot.queue.pending)
        await bot.stop()
        assert query.answer is None
    async with start():
        await emu.wait_for(lambda: query.answer is not None)
    assert query.answer is not None
    assert "Only the last" in query.answer["text"]


async def test_each_topic_has_a_last_question_of_its_own(
    emu: Emulator, ann: EmulatedUser, start: Start, ask: Ask, provider: ScriptedProvider
) -> None:
    group = emu.add_group(title="Team", members=[ann], is_forum=True)
    news, music = emu.add_topic(group, "News"), emu.add_topic(group, "Music")
    async with start():
        await ask("@demo_bot a", chat=group, topic=news)
        await ask("@demo_bot b", chat=group, topic=music)
        await ask("/retry", chat=group, topic=news)
        assert provider.told == ["Ann: a"]
        await ask("/undo", chat=group, topic=music)
        await ask("@demo_bot c", chat=group, topic=music)
    assert provider.told == ["Ann: c"]
