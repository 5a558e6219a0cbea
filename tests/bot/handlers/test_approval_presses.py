"""Cards in chats: who can press, what a press says, and what the card shows then."""

import asyncio
from typing import Any

import pytest

from bot_support import Start
from tgllm.api.clock import milliseconds
from tgllm.db.engine.unit import Connection
from tgllm.db.tables.tools import calls as tool_calls
from tgllm.db.tables.tools.calls import Ended
from tgllm.testing.bot import RunningBot
from tgllm.testing.emulator import EmulatedChat, EmulatedMessage, EmulatedUser, Emulator
from tool_support import Asked, ask, get_call

EVIL = {"path": "a\u202eb", "note": "https://evil.example/x *bold* <b>"}


async def ask_in(bot: RunningBot, person: EmulatedUser, chat: EmulatedChat, *tools: str, **values: Any) -> list[int]:
    """Ask for the approval of calls of a turn of that person."""
    turn = Asked(f"x{person.id}{chat.id}", f":{chat.id}:", person.id)
    now = milliseconds(bot.core.clock)
    calls = await ask(bot.core.database, bot.core.approvals, turn, *tools, now=now, **values)
    await bot.talk.settled()
    return calls


async def state_of(bot: RunningBot, call_id: int) -> str:
    return await bot.core.database.read(lambda conn: get_call(conn, call_id).state)


def last(chat: EmulatedChat) -> EmulatedMessage:
    return [message for message in chat.messages if message.from_bot][-1]


async def test_the_person_approves_and_the_card_shows_it(ann: EmulatedUser, chat: EmulatedChat, start: Start) -> None:
    async with start() as bot:
        (call_id,) = await ask_in(bot, ann, chat, arguments=EVIL)
        card = last(chat)
        assert card.labels[:2] == ["✅ Once", "❌ No"]
        assert r'"path": "a\u{202e}b"' in card.text
        assert [entity["type"] for entity in card.entities] == ["pre"]
        pressed = await bot.talk.press(ann, card, "✅ Once")
        assert (pressed.toast, pressed.is_alert, pressed.messages) == ("✅ Approved", False, ())
        assert await state_of(bot, call_id) == "approved"
        assert card.labels == []
        assert "✅ Approved by Ann" in card.text.splitlines()[-1]
        assert r'"path": "a\u{202e}b"' in card.text
        await end(bot, call_id)
        assert card.text.splitlines()[-1] == "The tool was called."


async def end(bot: RunningBot, call_id: int) -> None:
    """End a call, as a turn does."""

    def unit(conn: Connection) -> None:
        tool_calls.end(conn, call_id, Ended(state="done", result="ok"), 1)
        bot.core.approvals.settle(conn, [call_id], 1)

    bot.core.database.expect("outbox")
    await bot.core.database.write(unit)
    await bot.talk.settled()


async def test_a_press_wakes_the_turn(ann: EmulatedUser, chat: EmulatedChat, start: Start) -> None:
    async with start() as bot, asyncio.timeout(30):
        (call_id,) = await ask_in(bot, ann, chat)
        waiting = asyncio.create_task(bot.core.approvals.wait([call_id]))
        await bot.talk.press(ann, last(chat), "❌ No")
        await waiting
        assert await state_of(bot, call_id) == "denied"


async def test_only_the_person_can_press_in_a_group(
    emu: Emulator, ann: EmulatedUser, eve: EmulatedUser, start: Start
) -> None:
    group = emu.add_group(title="Team", members=[ann, eve])
    async with start(let_in=[eve]) as bot:
        (call_id,) = await ask_in(bot, eve, group)
        card = last(group)
        # Ann is an owner: their rights are not those of the person who asks.
        pressed = await bot.talk.press(ann, card, "✅ Once")
        assert pressed.is_alert
        assert pressed.toast.startswith("Only Eve")
        assert card.labels
        assert await state_of(bot, call_id) == "waiting"
        await bot.talk.press(eve, card, "✅ Once")
        assert await state_of(bot, call_id) == "approved"


async def test_a_press_of_somebody_without_access_does_nothing(
    emu: Emulator, ann: EmulatedUser, eve: EmulatedUser, start: Start
) -> None:
    group = emu.add_group(title="Team", members=[ann, eve])
    async with start() as bot:
        (call_id,) = await ask_in(bot, ann, group)
        await bot.talk.press(eve, last(group), "✅ Once")
        assert await state_of(bot, call_id) == "waiting"


async def test_two_admins_decide_once(
    emu: Emulator, ann: EmulatedUser, eve: EmulatedUser, chat: EmulatedChat, start: Start
) -> None:
    bob = emu.add_user(first_name="Bob")
    async with start(admins=[ann.id, bob.id], let_in=[eve]) as bot:
        await bob.say("/ping")
        await bot.talk.settled()
        (call_id,) = await ask_in(bot, eve, eve.private_chat(), approver="admins")
        first, second = last(chat), last(bob.private_chat())
        assert "For: Eve" in first.text
        assert first.labels[-1].startswith("✅ For this chat until ")
        # At the same time; the one that comes second is told so.
        queries = [await ann.press(first, "✅ Once"), await bob.press(second, "❌ No")]
        await bot.talk.settled()
        toasts = [str((query.answer or {}).get("text")) for query in queries]
        assert await state_of(bot, call_id) in {"approved", "denied"}
        assert sum("Nothing was changed." in toast for toast in toasts) == 1
        assert first.labels == second.labels == []


async def test_second_and_late_presses_say_what_has_happened(
    ann: EmulatedUser, chat: EmulatedChat, start: Start
) -> None:
    async with start() as bot:
        first, second = await ask_in(bot, ann, chat, "push", "pull")
        cards = [message for message in chat.messages if message.from_bot][-2:]
        data = [[str(button.data) for button in card.buttons] for card in cards]
        await bot.talk.press(ann, cards[0], "✅ Once")
        await bot.core.database.write(lambda conn: tool_calls.end(conn, second, Ended(state="stopped", result=""), 1))
        toasts: list[str] = []
        for card, pressed in [(cards[0], data[0][1]), (cards[1], data[1][0])]:
            query = ann._query(card, pressed)
            await bot.talk.settled()
            answer = query.answer or {}
            assert answer["show_alert"] is True
            toasts.append(str(answer["text"]))
        assert toasts[0].endswith("has already approved this. Nothing was changed.")
        assert toasts[1].startswith("⏹ Too late: the answer was stopped")
        assert [await state_of(bot, call_id) for call_id in (first, second)] == ["approved", "stopped"]


@pytest.mark.parametrize("data", ["tool", "tool:once", "tool:once:1", "tool:all:1:2", "tool:once:x:1", "tool:once:1:²"])
async def test_forged_data_is_answered_and_changes_nothing(
    ann: EmulatedUser, chat: EmulatedChat, start: Start, data: str
) -> None:
    async with start() as bot:
        (call_id,) = await ask_in(bot, ann, chat)
        query = ann._query(last(chat), data)
        await bot.talk.settled()
        assert query.answer is not None
        assert await state_of(bot, call_id) == "waiting"


async def test_the_button_below_another_message_does_not_decide(
    ann: EmulatedUser, chat: EmulatedChat, start: Start
) -> None:
    async with start() as bot:
        (call_id,) = await ask_in(bot, ann, chat)
        card = last(chat)
        data = str(card.buttons[0].data)
        other = await bot.talk.say(ann, "/ping")
        query = ann._query(other, data)
        await bot.talk.settled()
        assert "not the card itself" in str((query.answer or {}).get("text"))
        assert await state_of(bot, call_id) == "waiting"


async def test_a_card_works_after_a_restart(ann: EmulatedUser, chat: EmulatedChat, start: Start) -> None:
    async with start() as bot:
        (call_id,) = await ask_in(bot, ann, chat)
    async with start() as bot:
        await bot.talk.press(ann, last(chat), "✅ Always for me")
        assert await state_of(bot, call_id) == "approved"


async def test_it_speaks_the_language_of_the_person(emu: Emulator, ann: EmulatedUser, start: Start) -> None:
    olga = emu.add_user(first_name="Ольга", language_code="ru")
    async with start(let_in=[olga]) as bot:
        await ask_in(bot, olga, olga.private_chat())
        card = last(olga.private_chat())
        assert card.labels[0] == "✅ Один раз"
        assert "Инструмент: push" in card.text
