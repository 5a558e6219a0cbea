"""What can't be handled and is not for the bot is not kept."""

from itertools import count
from typing import Any, Never

import pytest

from bot_support import Start
from tgllm.bot.middlewares.migration import MigrationMiddleware
from tgllm.db.engine.unit import Connection
from tgllm.db.tables import groups, inbox
from tgllm.testing.bot import RunningBot
from tgllm.testing.emulator import EmulatedChat, Emulator
from tgllm.testing.emulator.users import EmulatedUser

SECRET = "between us"
ODD = {"paid_media": {"star_count": 1, "paid_media": [{"type": "brand_new"}]}}
"""A part that aiogram can't parse."""


NUMBERS = count(900)


def message(person: EmulatedUser, chat: EmulatedChat, text: object = SECRET, **more: Any) -> dict[str, Any]:
    where = {"id": chat.id, "type": "private" if chat.id > 0 else "supergroup", "title": "Team"}
    who = {"id": person.id, "is_bot": False, "first_name": person.first_name}
    return {"message_id": next(NUMBERS), "date": 1, "chat": where, "from": who, "text": text, **more}


async def kept(emu: Emulator, bot: RunningBot, ann: EmulatedUser, *updates: dict[str, Any]) -> list[bool]:
    """Whether the content of each update is in the database after the bot could not handle it."""
    ids = [emu.inject_update(update) for update in updates]
    said = await ann.say("/ping")
    await emu.wait_for_message(ann.private_chat(), lambda message: message.text == "Bot ready", after=said)
    await emu.wait_for(lambda: not emu.bot.queue.pending)
    while not await bot.core.database.read(is_over):
        continue
    await bot.stop()
    rows = [await bot.core.database.read(lambda conn, each=each: inbox.get(conn, each)) for each in ids]
    assert {row.state for row in rows if row is not None} <= {"quarantined", "failed", "done", "expired"}
    return [SECRET in f"{row.payload} {row.error}" for row in rows if row is not None]


def is_over(conn: Connection) -> bool:
    return not {"queued", "running"} & set(inbox.counts(conn))


async def test_what_is_not_for_the_bot_is_not_kept(
    emu: Emulator, ann: EmulatedUser, eve: EmulatedUser, start: Start
) -> None:
    group = emu.add_group(title="Team", members=[ann, eve])
    closed = emu.add_group(title="Closed", members=[ann, eve])

    def approve(conn: Connection) -> None:
        groups.request(conn, group.id, "Team", 1)
        groups.set_status(conn, group.id, "active", 1)

    async with start() as bot:
        await bot.core.database.write(approve)
        own = ann.private_chat()
        for_the_bot = [
            {"message": message(ann, own, **ODD)},
            {"edited_message": message(ann, own, **ODD)},
            {"message": message(ann, group, f"@demo_bot {SECRET}", **ODD)},
            {"message": message(eve, group, f"@demo_bot {SECRET}", **ODD)},
            {"message": message(ann, group, **ODD, reply_to_message={"from": {"id": emu.bot.id}})},
            {"callback_query": {"from": {"id": ann.id}, "data": SECRET, "message": message(ann, own)}},
        ]
        others = [
            {"message": message(eve, eve.private_chat(), **ODD)},
            {"message": message(ann, group, **ODD)},
            {"message": message(eve, group, **ODD)},
            {"edited_message": message(ann, group, **ODD)},
            {"message": message(eve, closed, f"@demo_bot {SECRET}", **ODD)},
            {"message": message(ann, group, f"@other_bot {SECRET}", **ODD)},
            {"message": message(ann, group, [SECRET])},
            {"message": message(ann, group, f"@demo_bot {SECRET}", **ODD, sender_chat={"id": group.id})},
            {"message": message(ann, own, **ODD, business_connection_id="b")},
            {"callback_query": {"from": {"id": eve.id}, "data": SECRET, "message": message(ann, own)}},
            {"my_chat_member": {"chat": {"id": group.id, "title": SECRET}}},
        ]
        found = await kept(emu, bot, ann, *for_the_bot, *others)
    assert found == [True] * len(for_the_bot) + [False] * len(others)


async def test_of_what_fails_nothing_is_kept_that_is_not_for_the_bot(
    emu: Emulator, ann: EmulatedUser, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    call = MigrationMiddleware.__call__

    async def broken(self: Any, handler: Any, event: Any, data: Any) -> object:
        if SECRET in data["inbox_row"].payload:
            raise ValueError(data["inbox_row"].payload)
        return await call(self, handler, event, data)

    monkeypatch.setattr(MigrationMiddleware, "__call__", broken)
    group = emu.add_group(title="Team", members=[ann])
    async with start() as bot:
        updates = [{"message": message(ann, group)}, {"message": message(ann, group, f"@demo_bot {SECRET}")}]
        assert await kept(emu, bot, ann, *updates) == [False, True]


async def test_an_error_that_quotes_a_message_of_the_bot_is_kept(
    emu: Emulator, ann: EmulatedUser, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> Never:
        raise ValueError(SECRET)

    monkeypatch.setattr("tgllm.bot.handlers.message.told", broken)
    async with start() as bot:
        assert await kept(emu, bot, ann, {"message": message(ann, ann.private_chat())}) == [True]
