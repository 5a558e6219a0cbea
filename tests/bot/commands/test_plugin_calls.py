"""What the command of a plugin gets: its id, its files, and the message to which it replies."""

from collections.abc import Sequence

import pytest

from bot_support import Start, decide_group, from_bot, settled
from plugin_support import Hands
from tgllm.api import Attachment, Button, CommandCall, FileUnreadable, Reply
from tgllm.testing.emulator import EmulatedUser, Emulator


async def fetched(attachments: Sequence[Attachment]) -> list[tuple[str | None, bytes]]:
    parts = [await attachment.fetch() for attachment in attachments]
    return [(part.name, part.path.read_bytes()) for part in parts]


async def test_the_files_of_the_command_and_of_the_replied_message(
    emu: Emulator, ann: EmulatedUser, start: Start
) -> None:
    found: list[list[tuple[str | None, bytes]]] = []

    async def read(call: CommandCall) -> str:
        assert call.reply_to is not None
        found.append(await fetched(call.attachments))
        found.append(await fetched(call.reply_to.attachments))
        return "read"

    async with start(plugins=[Hands(read).found]) as bot:
        first = await ann.upload(b"one", name="one.txt", mime="text/plain", caption="look")
        await settled(emu, bot)
        await ann.upload(b"two", name="two.ics", mime="text/calendar", caption="/do it", reply_to=first)
        await settled(emu, bot)
    assert found == [[("two.ics", b"two")], [("one.txt", b"one")]]


async def test_the_author_and_the_text_of_the_replied_message(
    emu: Emulator, ann: EmulatedUser, eve: EmulatedUser, start: Start
) -> None:
    group = emu.add_group(title="Team", members=[ann, eve])
    hands = Hands()
    async with start(plugins=[hands.found]) as bot:
        await bot.core.database.write(decide_group(group))
        said = await eve.say("The sheep are out.", chat=group)
        await ann.say("/do", chat=group, reply_to=said)
        await settled(emu, bot)
        quote = {"quote": {"text": "sheep", "position": 4, "is_manual": True}}
        await ann.say("/do", chat=group, reply_to=said, fields=quote)
        await ann.say("/do", chat=group)
        await settled(emu, bot)
    first, quoted, none = hands.calls
    assert first.reply_to is not None
    assert first.reply_to.author is not None
    assert (first.reply_to.text, first.reply_to.author.id, first.reply_to.is_own) == (
        "The sheep are out.",
        eve.id,
        False,
    )
    assert (first.reply_to.author.name, first.reply_to.author.role) == ("Eve", None)
    assert quoted.reply_to is not None
    assert (quoted.reply_to.text, none.reply_to, none.attachments) == ("sheep", None, ())


async def test_a_reply_to_the_plugins_own_message_names_it(emu: Emulator, ann: EmulatedUser, start: Start) -> None:
    hands = Hands()
    async with start(plugins=[hands.found]) as bot:
        ann.private_chat()
        sent = await hands.context.chats.send(ann.id, Reply("Tea?", buttons=[[Button("Yes", "yes")]]))
        await settled(emu, bot)
        (message,) = from_bot(ann.private_chat())
        await ann.say("/do", reply_to=message)
        await settled(emu, bot)
        (call,) = hands.calls
        assert call.reply_to is not None
        assert call.reply_to.message is not None
        assert (call.reply_to.message.id, call.reply_to.is_own, call.reply_to.author) == (sent.id, True, None)
        assert await call.context.chats.edit(call.reply_to.message, "Tea.")
        await settled(emu, bot)
    assert message.text == "Tea."


async def test_a_file_that_is_too_large_is_told_in_words(emu: Emulator, ann: EmulatedUser, start: Start) -> None:
    codes: list[str] = []

    async def read(call: CommandCall) -> None:
        try:
            await call.attachments[0].fetch()
        except FileUnreadable as error:
            codes.append(error.code)
            raise

    async with start(plugins=[Hands(read).found]) as bot:
        await ann.upload(b"x", name="film.bin", caption="/do", about={"file_size": 30 * 2**20})
        await settled(emu, bot)
    (message,) = from_bot(ann.private_chat())
    assert codes
    assert "film.bin" in message.text


@pytest.mark.sqlite  # on a server a claim has a transaction of its own
async def test_the_reply_is_claimed_in_the_transaction_that_stores_it(
    emu: Emulator, ann: EmulatedUser, start: Start
) -> None:
    async def answer(_call: CommandCall) -> Reply:
        return Reply("done", buttons=[[Button("Again", "again")]])

    statements: list[str] = []
    async with start(plugins=[Hands(answer).found]) as bot:
        await ann.say("/do")
        await settled(emu, bot)
        await bot.core.database.write(lambda conn: conn.set_trace_callback(statements.append))
        statements.clear()
        await ann.say("/do")
        await settled(emu, bot)
    stored = next(place for place, sql in enumerate(statements) if "INTO plugin_messages" in sql)
    claimed = next(place for place, sql in enumerate(statements) if "SET state = 'sending'" in sql)
    assert stored < claimed
    assert "COMMIT" not in statements[stored:claimed]


async def test_a_command_is_as_old_as_its_message(emu: Emulator, ann: EmulatedUser, start: Start) -> None:
    hands = Hands()
    async with start(plugins=[hands.found]) as bot:
        for fields in ({"date": 1_700_000_000}, {"date": 1_700_000_000, "edit_date": 1_700_000_600}, {"date": 2**40}):
            await ann.say("/do", fields=fields)
        await settled(emu, bot)
        now = bot.core.clock.now()
    first, edited, ahead = (call.sent_at for call in hands.calls)
    assert (first, edited) == (1_700_000_000, 1_700_000_600)
    assert edited < ahead <= now
