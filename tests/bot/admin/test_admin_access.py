"""The admin commands about people, groups and links that are to be let in."""

import pytest

from bot_support import Ask, Start
from tgllm.db.engine.unit import Connection
from tgllm.db.queries import pending_access
from tgllm.db.tables import groups, users
from tgllm.services.common.actor import SHELL
from tgllm.services.people.decisions import Verdict
from tgllm.testing.bot import RunningBot
from tgllm.testing.emulator import Emulator
from tgllm.testing.emulator.users import EmulatedUser


async def know(bot: RunningBot, user_id: int, verdict: Verdict | None = None) -> None:
    """Somebody who asks, and about whom something may have been decided."""
    now = int(bot.core.clock.now() * 1000)

    def unit(conn: Connection) -> None:
        users.upsert_seen(conn, users.SeenUser(user_id, None, "Eve"), now)
        users.register_pending(conn, user_id, now)
        # In the same transaction, or the admins might be told of one more who waits.
        pending_access.mark_carded(conn, "users", user_id, now)

    await bot.core.database.write(unit)
    if verdict is not None:
        await bot.core.users.decide(user_id, verdict, SHELL)


async def status(bot: RunningBot, user_id: int) -> str:
    user = await bot.core.database.read(lambda conn: users.get(conn, user_id))
    assert user is not None
    return user.status


async def group_status(bot: RunningBot, chat_id: int) -> str | None:
    group = await bot.core.database.read(lambda conn: groups.get(conn, chat_id))
    return None if group is None else group.status


@pytest.mark.parametrize(
    ("command", "after", "words"),
    [
        ("approve 7", "active", "✅ Eve (7): approved by"),
        ("guest 7", "active", "🕐 Eve (7): approved for a day by"),
        ("deny 7", "denied", "❌ Eve (7): declined by"),
        ("block 7", "blocked", "⛔ Eve (7): blocked by"),
        ("deny all", "denied", "❌ 1 request is declined."),
        ("approve 8", "pending", "I don't know"),
        ("approve", "pending", "I don't know"),
        ("approve -8", "pending", "I don't know a group"),
        ("block all", "pending", "I don't know"),
    ],
)
async def test_decisions_by_text(ask: Ask, start: Start, command: str, after: str, words: str) -> None:
    async with start() as bot:
        await know(bot, 7)
        answer = await ask(f"/admin {command}")
        assert answer.text.startswith(words)
        assert await status(bot, 7) == after


async def test_who_is_declined_with_all_others_is_told_in_their_language(emu: Emulator, ask: Ask, start: Start) -> None:
    ivan = emu.add_user(first_name="Ivan", language_code="ru")
    async with start():
        asked = await ivan.say("/start")
        await emu.wait_for_message(ivan.private_chat(), lambda message: message.from_bot, after=asked)
        await ask("/admin deny all")
        told = await emu.wait_for_message(ivan.private_chat(), lambda message: message.text.startswith("❌"))
    assert told.text == "❌ В доступе отказано."


async def test_what_is_so_already_is_said(ask: Ask, start: Start) -> None:
    async with start() as bot:
        await know(bot, 7, "approve")
        assert (await ask("/admin approve 7")).text == "Nothing changed."


async def test_in_a_group_approve_and_deny_are_about_the_group(
    emu: Emulator, ann: EmulatedUser, ask: Ask, start: Start
) -> None:
    room = emu.add_group(title="Room", members=[ann])
    async with start() as bot:
        await know(bot, 7)
        assert "has been approved" in (await ask("/admin approve", chat=room)).text
        assert await group_status(bot, room.id) == "active"
        assert (await ask("/admin approve", chat=room)).text == "Nothing changed."
        refused = await ask("/admin approve 7", chat=room)
        assert "in private" in refused.text
        assert await status(bot, 7) == "pending"
        assert "don't answer" in (await ask("/admin deny", chat=room)).text
        assert await group_status(bot, room.id) == "denied"


async def test_groups_are_listed_and_decided(emu: Emulator, ann: EmulatedUser, ask: Ask, start: Start) -> None:
    async with start() as bot:
        assert (await ask("/admin groups")).text == "Nobody has asked for a group yet."
        for number in range(1, 11):
            await bot.core.database.write(lambda conn, n=number: groups.request(conn, -n, f"Room {n}", n))
        shown = await ask("/admin groups")
        assert "⏳ Room 10 (-10)" in shown.text
        assert "Room 1 (-1)" not in shown.text
        await ann.press(shown, "»")
        await emu.wait_for(lambda: "⏳ Room 1 (-1)" in shown.text)
        await ann.press(shown, "✅ Room 1")
        await emu.wait_for(lambda: "✅ Room 1 (-1)" in shown.text)
        assert await group_status(bot, -1) == "active"
        await ann.press(shown, "❌ Room 1")
        await emu.wait_for(lambda: "❌ Room 1 (-1)" in shown.text)
        assert await group_status(bot, -1) == "denied"


async def test_links_are_made_with_a_button_and_listed(
    emu: Emulator, ann: EmulatedUser, ask: Ask, start: Start
) -> None:
    async with start():
        shown = await ask("/admin invites")
        assert shown.text == "There is no invite link that works."
        await ann.press(shown, "+ 10 people, 7 days")
        link = await emu.wait_for_message(ann.private_chat(), lambda message: "?start=inv_" in message.text)
        assert link.text.startswith("The first 10 people who open this link are approved.")
        assert "https://t.me/demo_bot?start=inv_" in link.text
        listed = await ask("/admin invites")
        assert "1: 10 of 10 left, until" in listed.text


@pytest.mark.parametrize("arguments", ["x", "1 x", "1 2 3", "-1", "1.5"])
async def test_what_is_no_number_makes_no_link(ask: Ask, start: Start, arguments: str) -> None:
    async with start():
        assert "how many people" in (await ask(f"/admin invite {arguments}")).text


@pytest.mark.parametrize("arguments", ["0", "1 0", "1001", "1 9999"])
async def test_links_out_of_range_are_not_made(ask: Ask, start: Start, arguments: str) -> None:
    async with start():
        assert "1 to 1000 people" in (await ask(f"/admin invite {arguments}")).text
