"""Fetching: nothing is lost, nothing is handled twice, one bad update harms nobody, and trouble passes or is named."""

import asyncio
from collections.abc import Sequence
from typing import Any, Never

import pytest

from bot_support import Start, settled
from tgllm.bot.intake import poller
from tgllm.bot.telegram.failures import TelegramRefused
from tgllm.db.queries import failures
from tgllm.db.tables import inbox
from tgllm.services.access.user_service import UserService
from tgllm.services.common.lane import Lane
from tgllm.testing.emulator import Emulator, Fault
from tgllm.testing.emulator.users import EmulatedUser
from tgllm.testing.scripted import ScriptedProvider


def unreadable(person: EmulatedUser) -> dict[str, Any]:
    """What aiogram can't parse."""
    return {
        "message": {
            "message_id": 900,
            "date": 1,
            "chat": {"id": person.id, "type": "private", "first_name": person.first_name},
            "from": {"id": person.id, "is_bot": False, "first_name": person.first_name},
            "paid_media": {"star_count": 1, "paid_media": [{"type": "brand_new"}]},
        }
    }


async def test_an_update_that_aiogram_can_not_parse_is_put_aside(
    emu: Emulator, ann: EmulatedUser, start: Start
) -> None:
    async with start() as bot:
        emu.inject_update(unreadable(ann))
        await ann.say("/ping")
        await settled(emu, bot)
        await bot.stop()
        states = await bot.core.database.read(inbox.counts)
    assert ann.private_chat().bot_texts == [
        "I couldn't read this message. Send it again as plain text.",
        "Bot ready",
    ]
    assert states == {"quarantined": 1, "done": 1}


async def test_of_strangers_nothing_is_put_aside_but_that_there_was_something(
    emu: Emulator, ann: EmulatedUser, eve: EmulatedUser, start: Start
) -> None:
    async with start() as bot:
        hers, own = emu.inject_update(unreadable(eve)), emu.inject_update(unreadable(ann))
        await settled(emu, bot)
        await bot.stop()
        rows = [await bot.core.database.read(lambda conn, each=each: inbox.get(conn, each)) for each in (hers, own)]
    assert [row.state for row in rows if row] == ["quarantined"] * 2
    assert ["brand_new" in row.payload for row in rows if row] == [False, True]
    assert all(row.error for row in rows if row)


async def test_of_strangers_nothing_is_kept_where_their_update_fails(
    emu: Emulator, ann: EmulatedUser, eve: EmulatedUser, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: object) -> Never:
        raise RuntimeError("no idea who that is")

    monkeypatch.setattr(UserService, "standing", broken)
    async with start() as bot:
        for person in (eve, ann):
            await person.say("between us")
        await emu.wait_for(lambda: not emu.bot.queue.pending)
        await bot.stop()
        rows = await bot.core.database.read(lambda conn: failures.recent(conn, 9))
        kept = [await bot.core.database.read(lambda conn, row=row: inbox.get(conn, int(row.id))) for row in rows]
    assert sorted(("between us" in row.payload, row.lane) for row in kept if row) == [
        (False, Lane(eve.id).key),
        (True, Lane(ann.id).key),
    ]


@pytest.mark.parametrize("wrong", [True, 10**30])
async def test_ids_that_are_none_harm_nobody(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider, wrong: object
) -> None:
    go_on, chat = asyncio.Event(), {"id": ann.id, "type": "private", "first_name": "Ann"}
    provider.answer(go_on, "slow")
    sender = {"id": ann.id, "is_bot": False, "first_name": "Ann"}
    whole = {"message_id": 900, "date": 1, "chat": chat, "from": sender, "text": "x"}
    async with start():
        await ann.say("one")
        await emu.wait_for(lambda: provider.requests)
        for kind in ("message", "edited_message"):
            for part in ({"message_id": wrong}, {"from": {**sender, "id": wrong}}, {"chat": {**chat, "id": wrong}}):
                emu.inject_update({kind: {**whole, **part}})
        await emu.wait_for(lambda: not emu.bot.queue.pending)
        go_on.set()
        await emu.wait_for_message(ann.private_chat(), lambda message: message.text == "slow")
        await ann.say("/ping")
        await emu.wait_for_message(ann.private_chat(), lambda message: message.text == "Bot ready")


async def test_an_update_of_an_unknown_kind_is_done_without_an_answer(
    emu: Emulator, ann: EmulatedUser, start: Start
) -> None:
    async with start() as bot:
        emu.inject_update({"brand_new_kind": {"id": 1}})
        await ann.say("/ping")
        await emu.wait_for_message(ann.private_chat())
        await bot.stop()
        states = await bot.core.database.read(inbox.counts)
    assert states == {"done": 2}


async def test_an_update_that_comes_twice_is_answered_once(emu: Emulator, ann: EmulatedUser, start: Start) -> None:
    async with start():
        await ann.say("once")
        await emu.wait_for_message(ann.private_chat())
        emu.repeat_update()
        await ann.say("/ping")
        await emu.wait_for_message(ann.private_chat(), lambda message: message.text == "Bot ready")
    assert ann.private_chat().bot_texts == ["once", "Bot ready"]


async def test_messages_sent_while_the_bot_was_down_are_answered(
    emu: Emulator, ann: EmulatedUser, start: Start
) -> None:
    await ann.say("one")
    await ann.say("two")
    async with start():
        await emu.wait_for_message(ann.private_chat(), lambda message: message.from_bot and message.text == "two")
    assert ann.private_chat().bot_texts == ["one", "two"]


@pytest.mark.parametrize(
    "fault",
    [
        Fault.bad_gateway("getUpdates"),
        Fault.cut_before("getUpdates"),
        Fault.cut_after("getUpdates"),
        Fault.restarting("getUpdates"),
        Fault.retry_after("getUpdates", 1),
    ],
    ids=lambda fault: fault.kind.name,
)
async def test_trouble_on_the_way_passes(emu: Emulator, ann: EmulatedUser, start: Start, fault: Fault) -> None:
    emu.faults.add(fault)
    async with start():
        await fault.reached.wait()
        await ann.say("/ping")
        await emu.wait_for_message(ann.private_chat())
    assert ann.private_chat().bot_texts == ["Bot ready"]


async def test_a_server_that_goes_away_and_comes_back(emu: Emulator, ann: EmulatedUser, start: Start) -> None:
    async with start():
        await emu.restart()
        await ann.say("/ping")
        await emu.wait_for_message(ann.private_chat())
    assert ann.private_chat().bot_texts == ["Bot ready"]


async def test_trouble_at_the_very_start_is_waited_out(emu: Emulator, ann: EmulatedUser, start: Start) -> None:
    emu.faults.add(Fault.bad_gateway("getMe"))
    async with start():
        await ann.say("/ping")
        await emu.wait_for_message(ann.private_chat())
    assert ann.private_chat().bot_texts == ["Bot ready"]


async def test_a_refused_token_ends_the_bot_with_a_sentence(emu: Emulator, start: Start) -> None:
    emu.faults.add(Fault.unauthorized())
    with pytest.raises(TelegramRefused) as caught:
        async with start() as bot:
            await asyncio.wait([bot.task])
    assert caught.value.code == "token_refused"
    assert emu.token not in str(caught.value)


async def test_a_webhook_that_is_still_set_is_named(emu: Emulator, start: Start) -> None:
    emu.faults.add(Fault.api_error("getUpdates", 409, "Conflict: can't use getUpdates method while webhook is active"))
    with pytest.raises(TelegramRefused, match="deleteWebhook"):
        async with start() as bot:
            await asyncio.wait([bot.task])


async def test_a_wrong_token_is_named_before_anything_runs(emu: Emulator, start: Start) -> None:
    emu.faults.add(Fault.unauthorized("getMe"))
    with pytest.raises(TelegramRefused, match="TGLLM_BOT_TOKEN"):
        async with start():
            pytest.fail("the bot must not start")


async def test_a_refused_token_lets_the_running_turn_end(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider
) -> None:
    go_on = asyncio.Event()
    provider.answer("Whole", go_on, " answer.")

    async def run_into_the_refusal() -> None:
        async with start(turns__stop_timeout=30) as bot:
            await ann.say("asked in time")
            await emu.wait_for_draft(ann.private_chat(), lambda draft: draft.text == "Whole")
            fault = emu.faults.add(Fault.unauthorized())
            await ann.say("wakes the poll")
            await fault.reached.wait()
            go_on.set()
            await asyncio.wait([bot.task])

    with pytest.raises(TelegramRefused):
        await run_into_the_refusal()
    assert ann.private_chat().bot_texts == ["Whole answer."]


@pytest.mark.sqlite  # on a server a claim has a transaction of its own
async def test_a_question_reaches_the_model_before_more_updates_are_asked_for(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Starting the turns of stored updates has priority over the next getUpdates."""
    asked: list[int] = []
    fetch = poller.Poller._fetch

    async def noted(self: poller.Poller) -> Sequence[object]:
        asked.append(len(provider.requests))
        return await fetch(self)

    monkeypatch.setattr(poller.Poller, "_fetch", noted)
    async with start():
        # The first message of a person is stored with their name, which takes another transaction.
        await emu.wait_for_answer(await ann.say("first"))
        asked.clear()
        await emu.wait_for_answer(await ann.say("second"))
        await emu.wait_for(lambda: asked)
    assert asked == [2]
