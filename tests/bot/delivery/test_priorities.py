"""Each kind of message has its priority, from outside: by what people and admins do."""

import asyncio
from collections.abc import Mapping

from bot_support import Ask, LetIn, Start, pause
from tgllm.db.engine.unit import Connection
from tgllm.db.tables import outbox
from tgllm.db.tables.outbox import ANSWER, CARD, NOTICE, TIDY
from tgllm.services.access.cards import MOST_SHORTLY
from tgllm.services.common.actor import SHELL
from tgllm.testing.bot import RunningBot
from tgllm.testing.emulator import EmulatedUser, Emulator, Fault
from tgllm.testing.scripted import ScriptedProvider

Found = Mapping[tuple[int | None, str], set[int]]


async def priorities(bot: RunningBot) -> Found:
    """The priorities of the rows by chat and method."""

    def read(conn: Connection) -> Found:
        found: dict[tuple[int | None, str], set[int]] = {}
        for row in conn.execute("SELECT chat_id, method, priority FROM outbox"):
            found.setdefault((row["chat_id"], row["method"]), set()).add(row["priority"])
        return found

    return await bot.core.database.read(read)


async def test_answers_cards_and_refusals(
    emu: Emulator, start: Start, ask: Ask, ann: EmulatedUser, eve: EmulatedUser
) -> None:
    ann.private_chat()
    async with start() as bot:
        await eve.say("/start")
        await emu.wait_for(lambda: eve.private_chat().bot_texts)
        await emu.wait_for_message(ann.private_chat(), lambda message: "asks for access" in message.text)
        found = await priorities(bot)
        assert found[eve.id, "sendMessage"] == {NOTICE}
        assert found[ann.id, "sendMessage"] == {CARD}
        await ask("hello")
        await ask("/admin users pending")
        await bot.core.notifier.bot_notify_admin("news")
        assert (await priorities(bot))[ann.id, "sendMessage"] == {CARD, ANSWER}


async def test_replies_in_a_group_without_access_wait(
    emu: Emulator, start: Start, ann: EmulatedUser, eve: EmulatedUser
) -> None:
    group = emu.add_group(title="Team", members=[ann, eve])
    async with start() as bot:
        await eve.say("@demo_bot hello", chat=group)
        await emu.wait_for(lambda: group.bot_texts)
        assert (await priorities(bot))[group.id, "sendMessage"] == {NOTICE}
        await ann.say("@demo_bot zebra", chat=group)
        await emu.wait_for(lambda: any("zebra" in text for text in group.bot_texts))
        found = await priorities(bot)
        # The answer would be the edit of a placeholder, if there were one.
        assert found[group.id, "editMessageText"] == {ANSWER}


async def test_reactions_only_tidy_up(
    emu: Emulator, start: Start, ann: EmulatedUser, provider: ScriptedProvider
) -> None:
    gate = asyncio.Event()
    provider.answer(gate, "one")
    async with start() as bot:
        await ann.say("first")
        await emu.wait_for(lambda: provider.requests)
        await ann.say("second")
        await emu.wait_for(lambda: any(call.method == "setMessageReaction" for call in emu.journal))
        gate.set()
        assert (await priorities(bot))[ann.id, "setMessageReaction"] == {TIDY}


async def test_broadcasts_wait(
    emu: Emulator, start: Start, ask: Ask, ann: EmulatedUser, eve: EmulatedUser, let_in: LetIn
) -> None:
    async with start() as bot:
        await let_in(bot, [eve])
        eve.private_chat()
        preview = await ask("/admin broadcast News")
        await ann.press(preview, preview.labels[0])
        await emu.wait_for_message(ann.private_chat(), lambda message: "Result of" in message.text)
        found = await priorities(bot)
        assert found[eve.id, "sendMessage"] == {NOTICE}
        assert found[ann.id, "sendMessage"] == {ANSWER}


def is_put_off(conn: Connection, chat_id: int) -> bool:
    query = "SELECT 1 FROM outbox WHERE chat_id = ? AND state = 'ready' AND not_before > 0"
    return conn.execute(query, (chat_id,)).fetchone() is not None


async def test_a_refusal_that_waits_is_dropped_by_the_approval(
    emu: Emulator, start: Start, ann: EmulatedUser, eve: EmulatedUser
) -> None:
    emu.faults.add(Fault.retry_after("sendMessage", 1, chat_id=eve.id))
    ann.private_chat()
    async with start() as bot:
        await eve.say("/start")
        await emu.wait_for_message(ann.private_chat(), lambda message: "asks for access" in message.text)
        while not await bot.core.database.read(lambda conn: is_put_off(conn, eve.id)):
            await pause()
        await bot.core.users.decide(eve.id, "approve", SHELL)
        await emu.wait_for(lambda: eve.private_chat().bot_texts)
        assert [("approved" in text or "✅" in text) for text in eve.private_chat().bot_texts] == [True]


async def test_the_button_of_the_bundle_shows_the_list_as_a_new_message(
    emu: Emulator, start: Start, ann: EmulatedUser
) -> None:
    async with start():
        for number in range(MOST_SHORTLY + 2):
            await emu.add_user(first_name=f"S{number}", language_code="en").say("/start")
        bundle = await emu.wait_for_message(ann.private_chat(), lambda message: "2 more requests" in message.text)
        await ann.press(bundle, "Show people")
        listed = await emu.wait_for_message(ann.private_chat(), lambda message: message.from_bot, after=bundle)
        assert "S4" in listed.text
        assert "2 more requests" in bundle.text


def test_the_priorities_are_in_their_order() -> None:
    assert outbox.BACKGROUND == (CARD, NOTICE)
    assert ANSWER < TIDY < CARD < NOTICE
