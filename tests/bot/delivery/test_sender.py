"""Sending: what Telegram refuses, delays or leaves open."""

import asyncio
from collections.abc import Callable

import pytest

from bot_support import HastyClock, Menus, Start, is_notice, pause
from tgllm.api.clock import SystemClock, milliseconds
from tgllm.bot.delivery.claims import PARALLEL_CALLS, PARALLEL_IN_CHAT
from tgllm.bot.delivery.recording import MOST_REPEATS
from tgllm.bot.delivery.rows import edit_of_part, message_rows
from tgllm.bot.delivery.sender import Sender
from tgllm.bot.rendering.payloads import EntityText
from tgllm.db.engine.unit import Connection
from tgllm.db.tables import outbox
from tgllm.db.tables.outbox import NOTICE
from tgllm.i18n import Catalogue
from tgllm.services.common.lane import Lane
from tgllm.services.messaging.rows import with_priority
from tgllm.testing.emulator import Emulator, Fault
from tgllm.testing.emulator.users import EmulatedUser
from tgllm.testing.scripted import ScriptedProvider


async def test_a_message_that_telegram_delays_arrives_later(emu: Emulator, ann: EmulatedUser, start: Start) -> None:
    emu.faults.add(Fault.retry_after("sendMessage", 1))
    async with start():
        await ann.say("patience")
        await emu.wait_for_message(ann.private_chat())
    assert ann.private_chat().bot_texts == ["patience"]


async def test_a_hold_on_one_chat_does_not_hold_others(emu: Emulator, ann: EmulatedUser, start: Start) -> None:
    group = emu.add_group(title="Team", members=[ann])
    fault = emu.faults.add(Fault.retry_after("sendMessage", 30, chat_id=ann.id))
    async with start() as bot:
        await ann.say("held")
        await fault.reached.wait()
        await ann.say("@demo_bot free", chat=group)
        await emu.wait_for_message(group, lambda message: message.text == "Ann: free")
        await bot.core.database.write(lambda conn: outbox.drop(conn, 1, "the test is over"))
    assert ann.private_chat().bot_texts == []


async def test_the_topics_of_one_group_leave_room_for_other_chats(
    emu: Emulator, ann: EmulatedUser, start: Start
) -> None:
    group = emu.add_group(title="Team", members=[ann], is_forum=True)
    topics = [emu.add_topic(group, f"Topic {number}") for number in range(2 * PARALLEL_CALLS)]
    rows = [row for topic in topics for row in message_rows(Lane(group.id, topic.id), "news")]
    held = emu.faults.add(Fault.hold("sendMessage", times=None, chat_id=group.id))
    async with start() as bot:
        await bot.core.database.write(lambda conn: outbox.add(conn, rows, 1))
        await held.reached.wait()
        await ann.say("/ping")
        assert (await emu.wait_for_message(ann.private_chat())).text == "Bot ready"
        assert (await bot.core.database.read(outbox.counts))["sending"] < 2 * PARALLEL_IN_CHAT
        emu.faults.clear()
        held.release()
        await emu.wait_for(lambda: len([message for message in group.messages if message.from_bot]) == len(topics))


async def test_what_waits_for_the_minute_of_its_group_is_not_under_way(
    emu: Emulator, ann: EmulatedUser, start: Start
) -> None:
    group = emu.add_group(title="Team", members=[ann])
    rows = [row for text in ("one", "two") for row in message_rows(Lane(group.id), text)]
    async with start(sending__paced=True, sending__group_per_minute=1) as bot:
        await bot.core.database.write(lambda conn: outbox.add(conn, rows, 1))
        await emu.wait_for_message(group)
        while "sent" not in (counts := await bot.core.database.read(outbox.counts)):
            await pause()
        await bot.core.database.write(lambda conn: outbox.drop(conn, 2, "the test is over"))
    assert counts == {"sent": 1, "ready": 1}
    assert group.bot_texts == ["one"]


@pytest.mark.parametrize("status", [502, 503, 504])
async def test_an_answer_that_a_gateway_did_not_pass_on_is_sent_again(
    emu: Emulator, ann: EmulatedUser, start: Start, status: int
) -> None:
    emu.faults.add(Fault.bad_gateway("sendMessage", times=3, status=status))
    async with start(clock=HastyClock()) as bot:
        await ann.say("did it arrive?")
        await emu.wait_for_message(ann.private_chat())
        await bot.stop()
        assert await bot.core.database.read(outbox.counts) == {"sent": 1}
    assert ann.private_chat().bot_texts == ["did it arrive?"]


@pytest.mark.parametrize("make", [Fault.cut_after, Fault.cut_before, Fault.restarting])
async def test_a_send_with_an_unknown_end_is_not_repeated_but_offered_again(
    emu: Emulator, ann: EmulatedUser, start: Start, menus: Menus, make: Callable[[str], Fault]
) -> None:
    emu.faults.add(make("sendMessage"))
    async with start(sending__resolve=False) as bot:
        await ann.say("did it arrive?")
        notice = await emu.wait_for_message(ann.private_chat(), is_notice)
        assert ann.private_chat().bot_texts.count("did it arrive?") <= 1
        before, again = len(ann.private_chat().bot_texts), str(notice.buttons[0].data)
        assert await menus.toast(ann, notice, again) == "Sent again."
        await emu.wait_for(lambda: len(ann.private_chat().bot_texts) > before and not notice.labels)
        # Such as by a press that was on its way already; it takes the buttons away once more.
        assert await menus.toast(ann, notice, again) == ""
        await bot.stop()
        assert await bot.core.database.read(outbox.counts) == {"sent": 4}
    assert ann.private_chat().bot_texts[before:] == ["did it arrive?"]


async def test_an_answer_is_still_offered_when_the_offer_itself_had_an_unknown_end(
    emu: Emulator, ann: EmulatedUser, start: Start
) -> None:
    emu.faults.add(Fault.cut_before("sendMessage", times=2))
    async with start(sending__resolve=False):
        await ann.say("did it arrive?")
        notice = await emu.wait_for_message(ann.private_chat(), is_notice)
        await ann.press(notice, "Send again")
        await emu.wait_for_message(ann.private_chat(), lambda message: message.text == "did it arrive?", after=notice)
    assert len(ann.private_chat().bot_texts) == 2


async def test_an_offer_that_came_twice_loses_its_buttons_twice(emu: Emulator, ann: EmulatedUser, start: Start) -> None:
    emu.faults.add(Fault.cut_before("sendMessage"))
    emu.faults.add(Fault.cut_after("sendMessage"))
    async with start(sending__resolve=False):
        await ann.say("did it arrive?")
        first = await emu.wait_for_message(ann.private_chat(), is_notice)
        second = await emu.wait_for_message(ann.private_chat(), is_notice, after=first)
        for notice in (first, second):
            await ann.press(notice, "Send again")
            await emu.wait_for(lambda shown=notice: not shown.labels)
        await emu.wait_for(lambda: ann.private_chat().bot_texts.count("did it arrive?") == 1)


async def test_what_the_person_has_is_not_sent_again(emu: Emulator, ann: EmulatedUser, start: Start) -> None:
    emu.faults.add(Fault.cut_after("sendMessage"))
    async with start(sending__resolve=False) as bot:
        await ann.say("it arrived")
        notice = await emu.wait_for_message(ann.private_chat(), is_notice)
        await ann.press(notice, "I have it")
        await emu.wait_for(lambda: [call for call in emu.journal if call.method == "answerCallbackQuery"])
        await emu.wait_for(lambda: not notice.labels)
        await bot.stop()
        assert await bot.core.database.read(outbox.counts) == {"sent": 2, "dropped": 1}
    assert ann.private_chat().bot_texts.count("it arrived") == 1


def first_row(conn: Connection) -> int:
    """The id of the first row; a transaction that was repeated has used up ids before it."""
    return int(conn.execute("SELECT min(id) FROM outbox").fetchone()[0])


async def test_a_button_can_not_resend_a_message_of_another_chat(
    emu: Emulator, ann: EmulatedUser, start: Start
) -> None:
    group = emu.add_group(title="Team", members=[ann])
    emu.faults.add(Fault.cut_before("sendMessage", chat_id=ann.id))
    emu.faults.add(Fault.cut_before("sendMessage", chat_id=group.id))
    # Without a placeholder, whose loss nobody is told of: it is the answers that get lost.
    async with start(sending__resolve=False, streaming__first_delay=60) as bot:
        await ann.say("private")
        await emu.wait_for_message(ann.private_chat())
        await ann.say("@demo_bot public", chat=group)
        notice = await emu.wait_for_message(group, is_notice)
        rows = await bot.core.database.read(outbox.counts)
        assert rows["uncertain"] == 2
        number = await bot.core.database.read(first_row)
        notice.reply_markup["inline_keyboard"][0][0]["callback_data"] = f"resend:{number}"
        await ann.press(notice, "Send again")
        await emu.wait_for(lambda: [call for call in emu.journal if call.method == "answerCallbackQuery"])
        await bot.stop()
        first = await bot.core.database.read(lambda conn: outbox.get(conn, number))
    assert first is not None
    assert (first.lane, first.state) == (Lane(ann.id).key, "uncertain")


async def test_an_edit_with_an_unknown_end_is_simply_repeated(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider
) -> None:
    group = emu.add_group(title="Team", members=[ann])
    go_on = asyncio.Event()
    provider.answer("Once", go_on, " more.")
    async with start(streaming__edit_interval=60) as bot:
        await ann.say("@demo_bot go", chat=group)
        await emu.wait_for_message(group)
        fault = emu.faults.add(Fault.cut_before("editMessageText"))
        go_on.set()
        await emu.wait_for_message(group, lambda message: message.text == "Once more.")
        await bot.stop()
        assert await bot.core.database.read(outbox.counts) == {"sent": 2}
    assert fault.hits == 1
    assert len([message for message in group.messages if message.from_bot]) == 1


async def test_somebody_who_blocked_the_bot_does_not_stop_it(emu: Emulator, ann: EmulatedUser, start: Start) -> None:
    group = emu.add_group(title="Team", members=[ann])
    emu.faults.add(
        Fault.api_error("sendMessage", 403, "Forbidden: bot was blocked by the user", chat_id=ann.id, times=None)
    )
    async with start() as bot:
        await ann.say("hello?")
        await ann.say("@demo_bot here", chat=group)
        await emu.wait_for_message(group, lambda message: message.text == "Ann: here")
        await bot.stop()
        states = await bot.core.database.read(outbox.counts)
    assert states["failed"] == 1


async def test_a_draft_that_fails_does_not_harm_the_answer(emu: Emulator, ann: EmulatedUser, start: Start) -> None:
    emu.faults.add(Fault.api_error("sendMessageDraft", 400, "Bad Request: TEXTDRAFT_PEER_INVALID", times=None))
    async with start():
        await ann.say("all the same")
        await emu.wait_for_message(ann.private_chat())
    assert ann.private_chat().bot_texts == ["all the same"]


async def test_an_answer_that_telegram_refuses_is_told(emu: Emulator, ann: EmulatedUser, start: Start) -> None:
    emu.faults.add(Fault.api_error("sendMessage", 400, "Bad Request: message is too strange"))
    async with start():
        await ann.say("strange")
        notice = await emu.wait_for_message(ann.private_chat())
    assert "did not accept" in notice.text


async def test_who_speaks_russian_is_told_so_in_russian(emu: Emulator, ann: EmulatedUser, start: Start) -> None:
    ann.language_code = "ru"
    emu.faults.add(Fault.api_error("sendMessage", 400, "Bad Request: message is too strange"))
    async with start():
        await ann.say("strange")
        notice = await emu.wait_for_message(ann.private_chat())
    assert notice.text == Catalogue()("send.failed", "ru")
    assert notice.text != Catalogue()("send.failed")


async def test_a_stop_does_not_cut_a_call_that_is_under_way(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tgllm.bot.runtime.DRAIN_SECONDS", 0.05)
    monkeypatch.setattr("tgllm.bot.runtime.LAST_CALLS_SECONDS", 60)
    given_up, stop_claiming = asyncio.Event(), Sender.stop_claiming

    def noted(sender: Sender) -> None:
        stop_claiming(sender)
        given_up.set()

    monkeypatch.setattr(Sender, "stop_claiming", noted)
    provider.answer("The answer.")
    under_way = emu.faults.add(Fault.hold("sendMessage"))
    async with start() as bot:
        await ann.say("question")
        await emu.wait_for(lambda: under_way.hits)
        # Waits for its time, so that the bot can't send all there is.
        rows = message_rows(Lane(ann.id, 9), "later")
        await bot.core.database.write(lambda conn: put_off(conn, *outbox.add(conn, rows, 0)))
        bot.stopping.set()
        await given_up.wait()
        under_way.release()
        await bot.task
        assert await bot.core.database.read(outbox.counts) == {"ready": 1, "sent": 1}
    assert ann.private_chat().bot_texts == ["The answer."]


async def test_a_stop_does_not_wait_for_notices(
    emu: Emulator, ann: EmulatedUser, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tgllm.bot.runtime.DRAIN_SECONDS", 600)
    monkeypatch.setattr("tgllm.bot.runtime.BACKGROUND_PART", 0.0001)
    async with start() as bot:
        rows = with_priority(message_rows(Lane(ann.id), "later"), NOTICE)
        await bot.core.database.write(lambda conn: put_off(conn, *outbox.add(conn, rows, 0)))
        await bot.stop()
        assert await bot.core.database.read(outbox.counts) == {"ready": 1}
    assert emu.journal.of("sendMessage") == []


def put_off(conn: Connection, row_id: int) -> None:
    """Let a row wait for longer than the test takes."""
    hour_from_now = milliseconds(SystemClock()) + 3_600_000
    conn.execute("UPDATE outbox SET not_before = ? WHERE id = ?", (hour_from_now, row_id))


async def test_an_answer_whose_edit_fails_again_and_again_is_offered(
    emu: Emulator, ann: EmulatedUser, start: Start
) -> None:
    group = emu.add_group(title="Team", members=[ann])
    lane = Lane(group.id)
    async with start() as bot:
        await ann.say("@demo_bot go", chat=group)
        message = await emu.wait_for_message(group, lambda message: message.text == "Ann: go")
        edit = edit_of_part(lane, EntityText("The answer."), turn_id="u77", part=1, edited_part=0, reply_to=None)

        def tried_often(conn: Connection) -> None:
            first, second = outbox.add(conn, [*message_rows(lane, "...", turn_id="u77"), edit], 0)
            outbox.mark_sent(conn, [(first, message.id)], 0)
            conn.execute("UPDATE outbox SET unconfirmed = ? WHERE id = ?", (MOST_REPEATS - 1, second))

        emu.faults.add(Fault.cut_before("editMessageText"))
        await bot.core.database.write(tried_often)
        notice = await emu.wait_for_message(group, is_notice, after=message)
        await ann.press(notice, "Send again")
        await emu.wait_for(lambda: message.text == "The answer.")
