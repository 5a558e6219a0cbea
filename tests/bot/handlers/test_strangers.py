"""A flood of strangers, through the whole bot: answers, cards and what is kept stay few, and no model is asked."""

from bot_support import Start, pause
from tgllm.db.queries import pending_access
from tgllm.db.tables import inbox, users
from tgllm.services.access.cards import MOST_SHORTLY
from tgllm.testing.emulator import Emulator
from tgllm.testing.emulator.users import EmulatedUser
from tgllm.testing.scripted import ScriptedProvider

PEOPLE = 150
ANSWERS, CARDS, REQUESTS = 40, 5, 50


async def test_a_flood_of_strangers_costs_little(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider
) -> None:
    ann.private_chat()
    strangers = [emu.add_user(first_name=f"Stranger {number}") for number in range(PEOPLE)]
    async with start(
        access__answers_per_hour=ANSWERS, access__cards_per_hour=CARDS, access__most_pending=REQUESTS
    ) as bot:
        for person in strangers:
            await person.say("/start let me in")
            await person.say("hello?")
            await person.say("/help")
        await emu.wait_for(lambda: not len(emu.bot.queue), timeout=60)
        while (counts := await bot.core.database.read(inbox.counts)).keys() & {"queued", "running"}:
            await pause()
        await ann.say("hello")
        await emu.wait_for_message(ann.private_chat(), lambda message: message.from_bot and message.text == "hello")
        more = f"{REQUESTS - MOST_SHORTLY} more requests for access are waiting"
        await emu.wait_for_message(ann.private_chat(), lambda message: more in message.text)
        await bot.stop()
        found = await bot.core.database.read(pending_access.waiting)
        known = await bot.core.database.read(lambda conn: len(users.list_all(conn)))
    answers = [call for call in emu.journal if call.method == "sendMessage" and call.chat_id != ann.id]
    cards = [message for message in ann.private_chat().messages if "asks for access" in message.text]
    assert (len(answers), len(cards), found.people, known) == (ANSWERS, MOST_SHORTLY, REQUESTS, REQUESTS + 1)
    assert counts == {"done": 3 * PEOPLE}
    assert len(provider.requests) == 1
