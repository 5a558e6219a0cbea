"""Updates that are dropped or queued again by another process while the bot runs."""

import asyncio
from collections.abc import Callable

import engines
from bot_support import Start, pause, settled
from database_support import NOW
from tgllm.db.engine.unit import Connection
from tgllm.db.queries import inbox_care
from tgllm.db.tables import inbox, outbox
from tgllm.db.tables.outbox import NewOutbox
from tgllm.services.common.turn_ids import turn_id_of
from tgllm.testing.bot import RunningBot
from tgllm.testing.emulator import EmulatedUser, Emulator, Fault
from tgllm.testing.scripted import ScriptedProvider


def elsewhere(bot: RunningBot, change: Callable[[Connection], object]) -> object:
    """Change the database over a connection of its own, as a shell command does."""
    return engines.elsewhere(bot.core.database, change)


def drop(bot: RunningBot, update_id: int) -> object:
    return elsewhere(bot, lambda conn: inbox_care.drop(conn, update_id, turn_id_of(update_id), NOW, stopped=False))


def ids(bot: RunningBot, state: str) -> list[int]:
    query = "SELECT update_id FROM inbox WHERE state = ? ORDER BY update_id"
    found = elsewhere(bot, lambda conn: [int(row[0]) for row in conn.execute(query, (state,))])
    assert isinstance(found, list)
    return found


async def until(bot: RunningBot, state: str, count: int) -> list[int]:
    while len(found := ids(bot, state)) < count:
        await pause()
    return found


async def test_a_question_that_waits_is_dropped_and_the_next_ones_are_answered(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider
) -> None:
    go_on = asyncio.Event()
    provider.answer("first", go_on, ".")
    async with start(database__watch_interval=0.05) as bot:
        await ann.say("one")
        (running,) = await until(bot, "running", 1)
        await ann.say("/help")
        await ann.say("two")
        waiting = (await until(bot, "queued", 1))[-1]
        assert drop(bot, running) == "running"
        assert drop(bot, waiting) is None
        go_on.set()
        await ann.say("three")
        await emu.wait_for(lambda: "three" in ann.private_chat().bot_texts)
        await settled(emu, bot)
    texts = ann.private_chat().bot_texts
    assert "first." in texts
    assert "two" not in texts


async def test_an_answer_that_waits_for_telegram_is_dropped_and_the_next_ones_are_sent(
    emu: Emulator, ann: EmulatedUser, start: Start
) -> None:
    async with start(database__watch_interval=0.05) as bot:
        held = emu.faults.add(Fault.hold("sendMessage", times=1))
        await ann.say("one")
        await emu.wait_for(lambda: emu.journal.of("sendMessage"))
        await until(bot, "done", 1)
        row = NewOutbox(lane=f":{ann.id}:", method="sendMessage", chat_id=ann.id, payload={"text": "no"}, turn_id="u5")
        elsewhere(bot, lambda conn: outbox.add(conn, [row], NOW))
        elsewhere(bot, lambda conn: inbox.add_quarantined(conn, 5, f":{ann.id}:", "x", NOW))
        assert drop(bot, 5) is None
        held.release()
        await ann.say("two")
        await emu.wait_for(lambda: "two" in ann.private_chat().bot_texts)
        await settled(emu, bot)
    assert ann.private_chat().bot_texts == ["one", "two"]


async def test_one_that_failed_is_queued_again_and_answered_without_a_restart(
    emu: Emulator, ann: EmulatedUser, start: Start
) -> None:
    async with start(database__watch_interval=0.05) as bot:
        await ann.say("one")
        await emu.wait_for(lambda: "one" in ann.private_chat().bot_texts)
        await settled(emu, bot)
        (update_id,) = ids(bot, "done")
        elsewhere(bot, lambda conn: conn.execute("UPDATE inbox SET state = 'failed'"))
        assert elsewhere(bot, lambda conn: inbox_care.retry(conn, update_id, turn_id_of(update_id), NOW)) is None
        await emu.wait_for(lambda: ann.private_chat().bot_texts == ["one", "one"])
        await settled(emu, bot)
        assert ids(bot, "done") == [update_id]
