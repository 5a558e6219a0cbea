"""A group that becomes a supergroup: everything goes on under its new id, and nothing that is on its way is lost."""

import asyncio

from bot_support import Ask, Start
from tgllm.db.engine.unit import Connection
from tgllm.db.tables import audit, outbox
from tgllm.services.chats.group_mode import group_mode
from tgllm.testing.emulator import Emulator
from tgllm.testing.emulator.users import EmulatedUser
from tgllm.testing.scripted import ScriptedProvider


def moves(conn: Connection) -> int:
    return len([entry for entry in audit.list_recent(conn, 100) if entry.action == "group.moved"])


async def test_the_conversation_and_the_mode_go_on(
    emu: Emulator, ann: EmulatedUser, ask: Ask, start: Start, provider: ScriptedProvider
) -> None:
    group = emu.add_group(title="Team", members=[ann], is_basic=True)
    async with start() as bot:
        await ask("@demo_bot one", chat=group)
        await ask("/groupmode@demo_bot always", chat=group)
        grown = await ann.upgrade(group)
        provider.answer("late")
        await ask("two", chat=grown)
        assert provider.told == ["Ann: one", "Ann: one", "Ann: two"]
        mode = await bot.core.database.read(lambda conn: group_mode(conn, group.id))
        assert mode == "mention"
        assert await bot.core.database.read(moves) == 1


async def test_an_answer_that_was_being_written_arrives_in_the_supergroup(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider
) -> None:
    group = emu.add_group(title="Team", members=[ann], is_basic=True)
    go_on = asyncio.Event()
    provider.answer("Half ", go_on, "and half.")
    async with start():
        await ann.say("@demo_bot go", chat=group)
        await emu.wait_for_message(group, lambda message: message.text == "Half")
        grown = await ann.upgrade(group)
        go_on.set()
        await emu.wait_for_message(grown, lambda message: message.text == "Half and half.")
        provider.answer("Fine.")
        await ann.say("@demo_bot more", chat=grown)
        await emu.wait_for_message(grown, lambda message: message.text == "Fine.")
    assert provider.told[-1] == "Ann: more"


async def test_what_is_sent_to_the_old_id_goes_to_the_new_one(emu: Emulator, ann: EmulatedUser, start: Start) -> None:
    group = emu.add_group(title="Admins", members=[ann], is_basic=True)
    grown = await ann.upgrade(group)
    async with start(admin_chat_id=group.id) as bot:
        row = outbox.NewOutbox(
            lane=f":{group.id}:", method="sendMessage", chat_id=group.id, payload={"chat_id": group.id, "text": "News"}
        )
        await bot.core.database.write(lambda conn: outbox.add(conn, [row], 1))
        await emu.wait_for_message(grown, lambda message: message.text == "News")
        counted = await bot.core.database.read(outbox.counts)
        assert "failed" not in counted


async def test_the_admin_chat_stays_one(
    emu: Emulator, ann: EmulatedUser, eve: EmulatedUser, ask: Ask, start: Start
) -> None:
    admins = emu.add_group(title="Admins", members=[ann], is_basic=True)
    async with start(admin_chat_id=admins.id):
        grown = await ann.upgrade(admins)
        shown = await ask("/admin@demo_bot groups", chat=grown)
        assert shown.text == "Nobody has asked for a group yet."
        assert "I don't know" in (await ask("/admin@demo_bot approve 12345", chat=grown)).text
        await eve.say("/start")
        card = await emu.wait_for_message(grown, lambda message: "asks for access" in message.text)
        await ann.press(card, "✅ Approve")
        await emu.wait_for(lambda: "approved by Ann" in card.text and not card.buttons)
    assert not [call for call in emu.journal if call.chat_id == admins.id]
