"""Several faults and kills in a row: it is still found out what has arrived, and no id is tried twice."""

from collections.abc import Callable
from typing import Literal

import pytest
from structlog.testing import capture_logs

from bot_support import Killed, Start, from_bot, is_notice, settled
from database_support import NOW
from tgllm.bot.delivery.recording import LONGEST_PAUSE_SECONDS, LONGEST_WAIT_SECONDS, Delivery, Recorder
from tgllm.bot.delivery.resolving import MOST_CALLS
from tgllm.bot.delivery.rows import message_rows
from tgllm.bot.telegram.failures import CallFailure
from tgllm.config.model import SendingSection
from tgllm.db.database import Database
from tgllm.db.engine.unit import Connection
from tgllm.db.queries import outbox_claims
from tgllm.db.tables import outbox
from tgllm.i18n import Catalogue
from tgllm.services.common.lane import Lane
from tgllm.services.messaging.rows import call_row
from tgllm.testing.emulator import EmulatedUser, Emulator, Fault


def tried_ids(emu: Emulator) -> list[int]:
    return [call.params["message_id"] for call in emu.journal if call.method == "editMessageReplyMarkup"]


def add_text(person: EmulatedUser, text: str, **columns: int) -> Callable[[Connection], int]:
    """A unit that adds a message with a past."""

    def unit(conn: Connection) -> int:
        (row_id,) = outbox.add(conn, message_rows(Lane(person.id), text), 1)
        for name, value in columns.items():
            conn.execute(f"UPDATE outbox SET {name} = ? WHERE id = ?", (value, row_id))
        return row_id

    return unit


async def test_calls_that_were_not_executed_do_not_count(
    emu: Emulator, ann: EmulatedUser, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tgllm.bot.delivery.recording.LONGEST_WAIT_SECONDS", 0.1)
    await ann.say("/ping")
    async with start() as bot:
        await settled(emu, bot)
        # As after an outage, in which each connection was refused.
        emu.faults.add(Fault.bad_gateway("sendMessage"))
        emu.faults.add(Fault.cut_after("sendMessage"))
        row_id = await bot.core.database.write(add_text(ann, "news", attempts=MOST_CALLS))
        await settled(emu, bot)
        row = await bot.core.database.read(lambda conn: outbox.get(conn, row_id))
    assert row is not None
    assert (row.state, row.attempts, row.unconfirmed) == ("sent", MOST_CALLS + 3, 1)
    assert ann.private_chat().bot_texts.count("news") == 1
    assert not any(is_notice(message) for message in from_bot(ann.private_chat()))


async def test_after_too_many_calls_without_a_result_the_person_is_asked(
    emu: Emulator, ann: EmulatedUser, start: Start
) -> None:
    await ann.say("/ping")
    with capture_logs() as lines:
        async with start() as bot:
            await settled(emu, bot)
            emu.faults.add(Fault.restarting("sendMessage"))
            await bot.core.database.write(add_text(ann, "news", unconfirmed=MOST_CALLS - 1))
            notice = await emu.wait_for_message(ann.private_chat(), is_notice)
            await ann.press(notice, "Send again")
            await emu.wait_for(lambda: "news" in ann.private_chat().bot_texts)
    assert {line["reason"] for line in lines if line["event"] == "send.unclear"} == {"calls without a result: 8"}


@pytest.mark.parametrize("has_arrived", [True, False])
async def test_the_search_goes_on_where_a_kill_has_ended_it(
    emu: Emulator,
    ann: EmulatedUser,
    start: Start,
    killed: Killed,
    monkeypatch: pytest.MonkeyPatch,
    has_arrived: bool,
) -> None:
    monkeypatch.setattr("tgllm.bot.intake.recovery.GRACE_SECONDS", 0.1)
    monkeypatch.setattr("tgllm.bot.delivery.recording.GRACE_SECONDS", 0.1)
    chat = ann.private_chat()
    await ann.say("/ping")
    async with killed(start()) as bot:
        await settled(emu, bot)
        # Messages that the bot does not get, before its own.
        gap = [chat.next_message_id() for _ in range(4)]
        lost = emu.faults.add((Fault.cut_after if has_arrived else Fault.cut_before)("sendMessage"))
        held = tried_and_held(emu)
        row_id = await bot.core.database.write(add_text(ann, "news"))
        await emu.wait_for(lambda: lost.hits)
        await ann.say("Hello?")
        await held.reached.wait()
    held.release()
    for _ in range(2):
        held = tried_and_held(emu)
        async with killed(start()):
            await held.reached.wait()
        held.release()
    async with start() as bot:
        await settled(emu, bot)
        row = await bot.core.database.read(lambda conn: outbox.get(conn, row_id))
    assert row is not None
    assert (row.state, row.unconfirmed) == ("sent", 1 if has_arrived else 2)
    assert chat.bot_texts.count("news") == 1
    assert not any(is_notice(message) for message in from_bot(chat))
    # Once, and again where a kill has kept the result away.
    assert [tried_ids(emu).count(number) for number in gap] == [1, 2, 2, 2]


def tried_and_held(emu: Emulator) -> Fault:
    """Let the search come to its second id."""
    emu.faults.add(Fault.api_error("editMessageReplyMarkup", 400, "Bad Request: message to edit not found"))
    return emu.faults.add(Fault.hold("editMessageReplyMarkup"))


@pytest.mark.parametrize(("meaning", "most"), [("retry", LONGEST_WAIT_SECONDS), ("unknown", LONGEST_PAUSE_SECONDS)])
async def test_after_a_long_outage_people_wait_a_minute_at_most(
    database: Database, meaning: Literal["retry", "unknown"], most: float
) -> None:
    def pause(conn: Connection) -> float:
        edit = call_row(Lane(7), "editMessageText", {"message_id": 5, "text": "menu"}, kind="edit")
        outbox.add(conn, [edit], NOW)
        conn.execute("UPDATE outbox SET attempts = 20, unconfirmed = 8")
        (row,) = outbox_claims.claim(conn, 1, NOW)
        failed = Delivery(row, failure=CallFailure(meaning, "refused"), repeatable=True)
        Recorder(Catalogue(strict=True), SendingSection()).record(conn, failed, NOW)
        again = outbox.get(conn, row.id)
        assert again is not None
        assert again.state == "ready"
        return (again.not_before - NOW) / 1000

    assert await database.write(pause) == most
