"""Messages of unknown delivery are found by their ids: none is asked for, none comes twice, none is lost."""

from collections.abc import Callable

import pytest

from bot_support import Killed, Menus, Start, from_bot, is_notice, settled
from tgllm.bot.delivery.rows import message_rows
from tgllm.db.engine.unit import Connection
from tgllm.db.tables import outbox
from tgllm.db.tables.outbox import CARD, NOTICE, OutboxRow
from tgllm.services.common.lane import Lane
from tgllm.services.messaging.rows import with_priority
from tgllm.testing.emulator import EmulatedChat, EmulatedUser, Emulator, Fault

FAULTS = [Fault.cut_after, Fault.cut_before, Fault.restarting]


def stayed_in_doubt(emu: Emulator) -> bool:
    return any(is_notice(message) for chat in emu.world.chats.values() for message in chat.messages)


def answers(conn: Connection) -> list[OutboxRow | None]:
    """The rows of the answers, in order."""
    found = conn.execute("SELECT id FROM outbox WHERE kind = 'send' ORDER BY id").fetchall()
    return [outbox.get(conn, int(row[0])) for row in found]


@pytest.mark.parametrize("make", FAULTS)
async def test_an_answer_of_unknown_delivery_comes_once(
    emu: Emulator, ann: EmulatedUser, start: Start, make: Callable[[str], Fault]
) -> None:
    emu.faults.add(make("sendMessage"))
    async with start() as bot:
        await ann.say("did it arrive?")
        await ann.say("and this?")
        await settled(emu, bot)
        rows = await bot.core.database.read(answers)
    # In this order.
    assert ann.private_chat().bot_texts == ["did it arrive?", "and this?"]
    assert [row.message_id for row in rows if row] == [message.id for message in from_bot(ann.private_chat())]
    assert len([call for call in emu.journal if call.method == "deleteMessage"]) == 0


async def test_a_rate_limit_does_not_begin_the_search_again(emu: Emulator, ann: EmulatedUser, start: Start) -> None:
    await ann.say("/ping")
    async with start() as bot:
        await settled(emu, bot)
        emu.faults.add(Fault.cut_before("sendMessage"))
        ids = await bot.core.database.write(lambda conn: outbox.add(conn, message_rows(Lane(ann.id), "news"), 1))
        limited = emu.faults.add(Fault.retry_after("editMessageReplyMarkup", 1))
        await settled(emu, bot)
        row = await bot.core.database.read(lambda conn: outbox.get(conn, ids[0]))
    assert row is not None
    assert (limited.hits, row.state, row.attempts) == (1, "sent", 2)
    assert ann.private_chat().bot_texts.count("news") == 1


@pytest.mark.parametrize("is_basic", [False, True])
@pytest.mark.parametrize("make", FAULTS)
async def test_an_answer_in_a_group_comes_once(
    emu: Emulator, ann: EmulatedUser, start: Start, make: Callable[[str], Fault], is_basic: bool
) -> None:
    group = emu.add_group(title="Team", members=[ann], is_basic=is_basic)
    emu.faults.add(make("sendMessage"))
    async with start() as bot:
        await ann.say("@demo_bot did it arrive?", chat=group)
        await ann.say("something else", chat=group)
        await settled(emu, bot)
    assert group.bot_texts == ["Ann: did it arrive?"]


@pytest.mark.parametrize("after", [False, True])
async def test_a_kill_while_an_answer_is_sent_asks_for_nothing(
    emu: Emulator, ann: EmulatedUser, start: Start, killed: Killed, after: bool
) -> None:
    eve = emu.add_user(first_name="Eve")
    held = emu.faults.add(Fault.hold("sendMessage", after=after, chat_id=ann.id))
    async with killed(start()):
        await ann.say("question")
        await held.reached.wait()
        # Others write meanwhile, and none of it is received yet.
        await eve.say("hello")
    emu.faults.add(Fault.cut_before("getUpdates"))
    await ann.say("still there?")
    await eve.say("hello?")
    async with start() as bot:
        await settled(emu, bot)
    assert not stayed_in_doubt(emu)
    assert ann.private_chat().bot_texts.count("question") == 1
    assert ann.private_chat().bot_texts[0] == "question"
    held.release()


async def test_several_messages_of_unknown_delivery_are_told_apart(
    emu: Emulator, ann: EmulatedUser, start: Start
) -> None:
    eve = emu.add_user(first_name="Eve")
    emu.faults.add(Fault.cut_after("sendMessage", chat_id=ann.id))
    emu.faults.add(Fault.cut_before("sendMessage", chat_id=eve.id))
    async with start(admin_ids=f"{ann.id},{eve.id}") as bot:
        await ann.say("one")
        await eve.say("two")
        await settled(emu, bot)
    assert (ann.private_chat().bot_texts, eve.private_chat().bot_texts) == (["one"], ["two"])


@pytest.mark.parametrize("count", [1, 2])
async def test_messages_of_two_streams_of_a_chat_that_look_alike(
    emu: Emulator, ann: EmulatedUser, start: Start, count: int
) -> None:
    rows = [*message_rows(Lane(ann.id), "answer"), *with_priority(message_rows(Lane(ann.id), "card"), CARD)]
    await ann.say("/ping")
    async with start() as bot:
        await settled(emu, bot)
        emu.faults.add(Fault.cut_after("sendMessage", times=count, chat_id=ann.id))
        if count == 1:
            emu.faults.add(Fault.cut_before("sendMessage", times=1, chat_id=ann.id))
        await bot.core.database.write(lambda conn: outbox.add(conn, rows, 1))
        await settled(emu, bot)
    texts = ann.private_chat().bot_texts
    # Their texts say which of them has arrived.
    assert not stayed_in_doubt(emu)
    assert sorted(texts[1:]) == ["answer", "card"]
    assert not any(message.labels for message in from_bot(ann.private_chat()))


async def test_of_two_equal_messages_one_has_arrived(emu: Emulator, ann: EmulatedUser, start: Start) -> None:
    rows = [*message_rows(Lane(ann.id), "same"), *with_priority(message_rows(Lane(ann.id), "same"), CARD)]
    await ann.say("/ping")
    async with start() as bot:
        await settled(emu, bot)
        emu.faults.add(Fault.cut_after("sendMessage", chat_id=ann.id))
        emu.faults.add(Fault.cut_before("sendMessage", chat_id=ann.id))
        await bot.core.database.write(lambda conn: outbox.add(conn, rows, 1))
        await settled(emu, bot)
    # Which one, neither the ids nor the texts say.
    assert stayed_in_doubt(emu)
    assert ann.private_chat().bot_texts.count("same") == 1


async def test_after_a_kill_the_answers_in_the_topics_of_a_group_are_told_apart(
    emu: Emulator, ann: EmulatedUser, start: Start, killed: Killed
) -> None:
    group = emu.add_group(title="Team", members=[ann], is_forum=True)
    topics = [emu.add_topic(group, name) for name in ("One", "Two", "Three")]
    held = [emu.faults.add(Fault.hold("sendMessage", after=after, chat_id=group.id)) for after in (True, False, True)]
    async with killed(start()):
        for topic in topics:
            await ann.say(f"@demo_bot in {topic.name}", chat=group, topic=topic)
        for fault in held:
            await fault.reached.wait()
    async with start() as bot:
        await settled(emu, bot)
    assert sorted(group.bot_texts) == ["Ann: in One", "Ann: in Three", "Ann: in Two"]
    assert [message.labels for message in from_bot(group)] == [["Regenerate"]] * 3
    for fault in held:
        fault.release()


async def test_messages_with_several_kinds_of_buttons_are_told_apart(
    emu: Emulator, ann: EmulatedUser, start: Start
) -> None:
    rows = message_rows(Lane(ann.id), "answer")
    for priority, name in ((CARD, "card"), (NOTICE, "notice")):
        markup = {"inline_keyboard": [[{"text": name, "callback_data": name}]]}
        rows += with_priority(message_rows(Lane(ann.id), name, reply_markup=markup), priority)
    await ann.say("/ping")
    async with start() as bot:
        await settled(emu, bot)
        emu.faults.add(Fault.cut_after("sendMessage", times=2, chat_id=ann.id))
        # The notice is in doubt before the card, which goes first, is added.
        card = rows.pop(1)
        await bot.core.database.write(lambda conn: outbox.add(conn, rows, 1))
        await emu.wait_for(lambda: len(from_bot(ann.private_chat())) == 3)
        emu.faults.add(Fault.cut_after("sendMessage", chat_id=ann.id))
        await bot.core.database.write(lambda conn: outbox.add(conn, [card], 1))
        await settled(emu, bot)
    shown = {message.text: message.labels for message in from_bot(ann.private_chat())[1:]}
    assert shown == {"answer": [], "notice": ["notice"], "card": ["card"]}
    assert len(from_bot(ann.private_chat())) == 4
    assert not stayed_in_doubt(emu)


async def test_a_message_that_is_sent_meanwhile_is_not_taken_for_one_in_doubt(
    emu: Emulator, ann: EmulatedUser, start: Start
) -> None:
    await ann.say("/ping")
    async with start() as bot:
        await settled(emu, bot)
        emu.faults.add(Fault.cut_before("sendMessage", chat_id=ann.id))
        tried = emu.faults.add(Fault.hold("editMessageReplyMarkup"))
        await bot.core.database.write(lambda conn: outbox.add(conn, message_rows(Lane(ann.id), "answer"), 1))
        await tried.reached.wait()
        # A message without a row in the inbox or outbox, with the next id.
        card = with_priority(message_rows(Lane(ann.id), "card"), CARD)
        under_way = emu.faults.add(Fault.hold("sendMessage", after=True))
        await bot.core.database.write(lambda conn: outbox.add(conn, card, 1))
        await under_way.reached.wait()
        tried.release()
        await emu.wait_for(lambda: "answer" in ann.private_chat().bot_texts)
        under_way.release()
        await settled(emu, bot)
    assert ann.private_chat().bot_texts[1:] == ["card", "answer"]


async def test_a_message_with_buttons_and_another_without(emu: Emulator, ann: EmulatedUser, start: Start) -> None:
    markup = {"inline_keyboard": [[{"text": "Go", "callback_data": "go"}]]}
    rows = [
        *message_rows(Lane(ann.id), "answer"),
        *with_priority(message_rows(Lane(ann.id), "card", reply_markup=markup), CARD),
    ]
    await ann.say("/ping")
    async with start() as bot:
        await settled(emu, bot)
        emu.faults.add(Fault.cut_after("sendMessage", times=2, chat_id=ann.id))
        await bot.core.database.write(lambda conn: outbox.add(conn, rows, 1))
        await settled(emu, bot)
    shown = {message.text: message.labels for message in from_bot(ann.private_chat())}
    assert not stayed_in_doubt(emu)
    assert (shown["answer"], shown["card"]) == ([], ["Go"])
    assert len(from_bot(ann.private_chat())) == 3


@pytest.fixture
async def busy(emu: Emulator, ann: EmulatedUser) -> EmulatedChat:
    """A group in which the bot gets few messages."""
    emu.bot.reads_all_group_messages = False
    return emu.add_group(title="Team", members=[ann])


async def talk(ann: EmulatedUser, chat: EmulatedChat) -> None:
    """Write so many messages, which the bot does not get, that not all of their ids are tried."""
    for number in range(20):
        await ann.say(f"talk {number}", chat=chat)


@pytest.mark.parametrize("make", [Fault.cut_after, Fault.cut_before])
async def test_about_a_message_with_too_many_possible_ids_the_person_is_asked(
    emu: Emulator, ann: EmulatedUser, start: Start, menus: Menus, busy: EmulatedChat, make: Callable[[str], Fault]
) -> None:
    async with start() as bot:
        await ann.say("@demo_bot hi", chat=busy)
        await settled(emu, bot)
        await talk(ann, busy)
        fault = emu.faults.add(make("sendMessage"))
        await bot.core.database.write(lambda conn: outbox.add(conn, message_rows(Lane(busy.id), "news"), 1))
        await emu.wait_for(lambda: fault.hits)
        await ann.say("@demo_bot again", chat=busy)
        notice = await emu.wait_for_message(busy, is_notice)
        assert busy.bot_texts.count("news") == (1 if make == Fault.cut_after else 0)
        if make == Fault.cut_before:
            await menus.press(ann, notice, "Send again")
        await settled(emu, bot)
    assert busy.bot_texts.count("news") == 1


async def test_the_newest_of_many_ids_are_tried_after_a_repeat(
    emu: Emulator, ann: EmulatedUser, start: Start, busy: EmulatedChat
) -> None:
    async with start() as bot:
        await ann.say("@demo_bot hi", chat=busy)
        await settled(emu, bot)
        await talk(ann, busy)
        emu.faults.add(Fault.cut_after("sendMessage"))
        await bot.core.database.write(lambda conn: outbox.add(conn, message_rows(Lane(busy.id), "news"), 1))
        await settled(emu, bot)
    assert busy.bot_texts.count("news") == 1
    assert not stayed_in_doubt(emu)


async def test_a_repeat_that_can_not_be_ruled_out_is_marked(
    emu: Emulator, ann: EmulatedUser, start: Start, busy: EmulatedChat
) -> None:
    async with start() as bot:
        await ann.say("@demo_bot hi", chat=busy)
        await settled(emu, bot)
        emu.faults.add(Fault.cut_after("sendMessage"))
        await talk(ann, busy)
        await bot.core.database.write(lambda conn: outbox.add(conn, message_rows(Lane(busy.id), "news"), 1))
        await emu.wait_for(lambda: "news" in busy.bot_texts)
        await talk(ann, busy)
        await settled(emu, bot)
    assert [text for text in busy.bot_texts if "news" in text] == ["news", "↻ may be a repeat\n\nnews"]


async def test_a_message_is_not_taken_for_one_that_was_given_up_before(
    emu: Emulator, ann: EmulatedUser, start: Start, menus: Menus
) -> None:
    await ann.say("/ping")
    async with start() as bot:
        await settled(emu, bot)
        emu.faults.add(Fault.cut_after("sendMessage"))
        emu.faults.add(Fault.cut_before("sendMessage"))
        emu.faults.add(Fault.api_error("editMessageReplyMarkup", 400, "Bad Request: of a new kind"))
        rows = [*message_rows(Lane(ann.id), "first"), *message_rows(Lane(ann.id), "second")]
        await bot.core.database.write(lambda conn: outbox.add(conn, rows, 1))
        await settled(emu, bot)
        asked = [message for message in ann.private_chat().messages if is_notice(message)]
        for notice in asked:
            await menus.press(ann, notice, "Send again")
        await settled(emu, bot)
    assert len(asked) == 1
    assert ann.private_chat().bot_texts.count("second") == 1


async def test_a_lost_placeholder_becomes_the_answer(
    emu: Emulator, ann: EmulatedUser, start: Start, killed: Killed
) -> None:
    group = emu.add_group(title="Team", members=[ann])
    held = emu.faults.add(Fault.hold("sendMessage", after=True, chat_id=group.id))
    async with killed(start(streaming__first_delay=0.0)):
        await ann.say("@demo_bot slowly", chat=group)
        await held.reached.wait()
    held.release()
    async with start() as bot:
        await settled(emu, bot)
    assert group.bot_texts == ["Ann: slowly"]


@pytest.mark.parametrize("make", FAULTS)
async def test_without_resolving_a_marked_repeat_is_sent_if_the_operator_prefers_it(
    emu: Emulator, ann: EmulatedUser, start: Start, make: Callable[[str], Fault]
) -> None:
    emu.faults.add(make("sendMessage"))
    async with start(sending__resolve=False, sending__unknown="resend") as bot:
        await ann.say("did it arrive?")
        await settled(emu, bot)
    texts = ann.private_chat().bot_texts
    assert texts[-1] == "↻ may be a repeat\n\ndid it arrive?"
    assert texts[:-1] == (["did it arrive?"] if make == Fault.cut_after else [])
    assert not stayed_in_doubt(emu)


async def test_a_marked_repeat_of_unknown_delivery_is_offered(
    emu: Emulator, ann: EmulatedUser, start: Start, menus: Menus
) -> None:
    emu.faults.add(Fault.cut_before("sendMessage", times=2))
    async with start(sending__resolve=False, sending__unknown="resend"):
        await ann.say("did it arrive?")
        notice = await emu.wait_for_message(ann.private_chat(), is_notice)
        await menus.press(ann, notice, "Send again")
        await emu.wait_for(lambda: "↻ may be a repeat\n\ndid it arrive?" in ann.private_chat().bot_texts)
