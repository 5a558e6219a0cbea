"""What a test shows that waits in vain, or whose assertion fails: the chats, and no objects of the emulator."""

import pytest

from emulator_support import Call
from tgllm.testing.emulator import Emulator

pytest_plugins = ["pytester"]

OPTIONS = ("-p", "no:cacheprovider", "-p", "no:xdist", "-p", "no:cov")
FAILING = """
from tgllm.testing.emulator import EmulatedMessage

pytest_plugins = ["tgllm.testing.fixtures"]


async def test_it(emulator, start_bot):
    ann = emulator.add_user(first_name="Ann")
    async with start_bot(admins=[ann.id]):
        said = await ann.say("Good morning")
        answer = await emulator.wait_for_answer(said)
        assert answer.text == "Good evening"
"""


async def test_a_wait_for_an_answer_never_takes_what_one_has_said(emu: Emulator, api: Call) -> None:
    ann = emu.add_user(first_name="Ann")
    ping = await ann.say("ping")
    await api("sendMessage", chat_id=ann.id, text="ping yourself")
    said = await ann.say("ping again")
    await ann.say("a third ping")
    await api("sendMessage", chat_id=ann.id, text="other")
    await api("sendMessage", chat_id=ann.id, text="the pong to ping")

    assert (await emu.wait_for_answer(ping)).text == "ping yourself"
    assert (await emu.wait_for_answer(said, lambda message: "ping" in message.text)).text == "the pong to ping"


async def test_a_wait_for_an_answer_stays_in_its_topic(emu: Emulator, api: Call) -> None:
    ann = emu.add_user(first_name="Ann")
    group = emu.add_group(title="Crew", members=[ann], is_forum=True)
    topics = [emu.add_topic(group, name) for name in ("one", "two")]
    said = [await ann.say("hello", topic=topic) for topic in topics]
    for number in (1, 0):
        place = {"chat_id": group.id, "message_thread_id": topics[number].id}
        await api("sendMessage", text=f"hello in {topics[number].name}", **place)

    assert [(await emu.wait_for_answer(one)).text for one in said] == ["hello in one", "hello in two"]


async def test_a_wait_in_vain_shows_who_said_what(emu: Emulator, api: Call) -> None:
    ann = emu.add_user(first_name="Ann")
    said = await ann.say("remind me")
    rows = [[{"text": "In an hour", "callback_data": "h"}, {"text": "Tomorrow", "callback_data": "t"}]]
    rows += [[{"text": "Never", "callback_data": "n"}]]
    await api("setMyCommands", commands=[{"command": "help", "description": "Show the commands"}])
    await api("sendMessage", chat_id=ann.id, text="When?", reply_markup={"inline_keyboard": rows})
    message = await emu.wait_for_answer(said)
    await ann.press(message, "Tomorrow")
    query = await ann.press(message, "Never")
    await api("answerCallbackQuery", callback_query_id=query.id, text="As you like")
    await api("sendMessageDraft", chat_id=ann.id, draft_id=7, text="Let me thi")

    with pytest.raises(TimeoutError) as caught:
        await emu.wait_for_answer(message, timeout=0.01)

    told = str(caught.value)
    assert (
        "--- Ann and demo_bot (chat 1001)\n"
        "Ann [#1]: remind me\n"
        "demo_bot [#2]: When?\n"
        "  [In an hour] [Tomorrow]\n"
        "  [Never]\n"
        "  Ann pressed [Tomorrow]: not answered yet\n"
        "  Ann pressed [Never]: As you like\n"
        "demo_bot [draft 7]: Let me thi\n" in told
    )
    assert "setMyCommands" not in told
    assert "sendMessage 200" in told


async def test_messages_chats_and_people_are_short_in_a_failed_assertion(emu: Emulator, api: Call) -> None:
    ann = emu.add_user(first_name="Ann")
    await api("setMyCommands", commands=[{"command": "help", "description": "Show the commands"}])
    markup = {"inline_keyboard": [[{"text": "Snooze", "callback_data": "s"}]]}
    await api("sendMessage", chat_id=ann.private_chat().id, text="Tea!", reply_markup=markup)
    (message,) = ann.private_chat().messages

    assert repr(message) == "<message #1 of demo_bot: 'Tea!' [Snooze]>"
    assert repr(ann.private_chat()) == "<private 1001, Ann, messages: 1>"
    assert (repr(ann), repr(message.sender)) == ("<user 1001, Ann>", "<bot 42, demo_bot>")


@pytest.mark.once
def test_a_failed_test_reports_the_chats(pytester: pytest.Pytester) -> None:
    pytester.makeini("[pytest]\nasyncio_mode = auto\nasyncio_default_fixture_loop_scope = function\n")
    pytester.makepyfile(FAILING)

    result = pytester.runpytest_subprocess(*OPTIONS)

    assert result.parseoutcomes() == {"failed": 1}
    report = result.stdout.str()
    assert "Ann [#1]: Good morning" in report
    assert report.count("Good morning") >= 2
    assert "description" not in report
