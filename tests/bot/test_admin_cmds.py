"""The admin suite: each screen by text and by button, and that only admins get anything."""

import re
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime

import pytest

from tgllm.bot.admin.assembly import admin_table
from tgllm.db import requests, usage, users
from tgllm.db.requests import NewRequest, Outcome
from tgllm.db.unit import Connection, Unit
from tgllm.db.usage import Spent
from tgllm.i18n.catalogue import texts_of
from tgllm.testing.bot import RunningBot
from tgllm.testing.clock import ManualClock
from tgllm.testing.emulator import Emulator
from tgllm.testing.emulator.state import EmulatedMessage
from tgllm.testing.emulator.users import EmulatedUser

Start = Callable[..., AbstractAsyncContextManager[RunningBot]]
Ask = Callable[..., Awaitable[EmulatedMessage]]

NOON = datetime(2026, 1, 11, 12, tzinfo=UTC).timestamp()


async def press(emu: Emulator, person: EmulatedUser, message: EmulatedMessage, label: str) -> None:
    """Press a button and wait until the message is another."""
    before = message.text
    await person.press(message, label)
    await emu.wait_for(lambda: message.text != before)


async def let_in(bot: RunningBot, person: EmulatedUser) -> None:
    await bot.core.database.write(lambda conn: users.upsert_seen(conn, users.SeenUser(person.id, first_name="Eve"), 1))
    await bot.core.database.write(lambda conn: users.set_status(conn, person.id, "active", 1))


class TestTable:
    def test_every_row_is_described_and_no_text_is_left_over(self) -> None:
        rows = [row for row in admin_table().rows if row.name != "menu"]
        wanted = {f"admin.{row.name}.about" for row in rows} | {f"admin.{row.name}.label" for row in rows if row.menu}

        assert {key for key in texts_of("en") if re.fullmatch(r"admin\.\w+\.(about|label)", key)} == wanted

    async def test_an_unknown_command_names_the_nearest(self, ask: Ask, start: Start) -> None:
        async with start():
            assert (await ask("/admin mneu")).text == "I don't know /admin mneu. Did you mean /admin menu?"
            assert (await ask("/admin xyzzy")).text == "I don't know /admin xyzzy. /admin shows what there is."

    async def test_who_is_no_admin_gets_nothing(
        self, emu: Emulator, ask: Ask, ann: EmulatedUser, eve: EmulatedUser, start: Start
    ) -> None:
        async with start() as bot:
            await let_in(bot, eve)
            menu = await ask("/admin")
            await eve.say("/admin stats")
            refused = await emu.wait_for_message(eve.private_chat(), lambda message: message.from_bot)
            query = eve._query(menu, "admin:stats")
            answer = await emu.wait_for(lambda: query.answer)
        assert refused.text == answer["text"] == "Only admins of the bot can use this command."

    async def test_a_group_does_not_read_along(self, emu: Emulator, ask: Ask, ann: EmulatedUser, start: Start) -> None:
        group, admins = emu.add_group(title="Team", members=[ann]), emu.add_group(title="Admins", members=[ann])
        async with start(admin_chat_id=admins.id):
            assert "in the admin chat only" in (await ask("/admin@demo_bot", chat=group)).text
            assert (await ask("/admin@demo_bot", chat=admins)).text.startswith("Administration.")


def used(user_id: int | None, model: str, requests: int, cost: int | None, days_ago: int = 0) -> Unit:
    """The piece of work that counts requests of a person."""

    def unit(conn: Connection) -> None:
        day = f"{datetime.fromtimestamp(NOON - days_ago * 86_400, UTC):%Y-%m-%d}"
        for _ in range(requests):
            usage.add(conn, user_id, day, "p", model, Spent(input_tokens=10, output_tokens=1, cost_micros=cost))

    return unit


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOON)


class TestStats:
    async def test_counts(self, emu: Emulator, ask: Ask, ann: EmulatedUser, start: Start, clock: ManualClock) -> None:
        def fill(conn: Connection) -> None:
            for number, status in enumerate(("active", "active", "pending", "denied", "blocked", "pending"), 101):
                users.upsert_seen(conn, users.SeenUser(number, first_name=f"P{number}"), 1)
                users.set_status(conn, number, status, 1)  # type: ignore[arg-type]  each is a status
            for unit in (used(101, "m", 2, 500_000), used(102, "m", 1, None, 6), used(103, "n", 4, 250_000, 20)):
                unit(conn)
            for number, (status, latency) in enumerate((("ok", 2000), ("ok", 4000), ("failed", 1))):
                new = NewRequest(turn_id=f"t{number}", conversation_id=None, user_id=None, provider="p", model="m")
                done = Outcome(status=status, latency_ms=latency)  # type: ignore[arg-type]  each is a status
                requests.finish(conn, requests.start(conn, new, int(NOON * 1000)), done, int(NOON * 1000))

        async with start(clock=clock) as bot:
            await bot.core.database.write(fill)
            by_text = await ask("/admin stats")
            menu = await ask("/admin")
            await press(emu, ann, menu, "Statistics")
        assert by_text.text.splitlines() == [
            "Statistics (days in UTC)",
            "People: 3 let in, 2 waiting, 1 denied, 1 blocked",
            "",
            "Today: 2 requests, 20 tokens read, 2 written, $1.00",
            "People who asked: 1. Failed requests: 1.",
            "Half of the answers came within 2.0 s, 95 of 100 within 4.0 s.",
            "",
            "7 days: 3 requests, 30 tokens read, 3 written, $1.00, without 1 request whose price is unknown",
            "People who asked: 2. Failed requests: 1.",
            "Half of the answers came within 2.0 s, 95 of 100 within 4.0 s.",
            "",
            "30 days: 7 requests, 70 tokens read, 7 written, $2.00, without 1 request whose price is unknown",
            "People who asked: 3. Failed requests: 1.",
            "Half of the answers came within 2.0 s, 95 of 100 within 4.0 s.",
            "",
            "Requests by day:",
            "01-05 ██████░░░░░░ 1",
            "01-06 ░░░░░░░░░░░░ 0",
            "01-07 ░░░░░░░░░░░░ 0",
            "01-08 ░░░░░░░░░░░░ 0",
            "01-09 ░░░░░░░░░░░░ 0",
            "01-10 ░░░░░░░░░░░░ 0",
            "01-11 ████████████ 2",
        ]
        assert menu.text == by_text.text

    async def test_shares_of_models_and_people(
        self, emu: Emulator, ask: Ask, ann: EmulatedUser, start: Start, clock: ManualClock
    ) -> None:
        def fill(conn: Connection) -> None:
            users.upsert_seen(conn, users.SeenUser(101, "eve_", "Eve"), 1)
            for unit in (used(101, "m", 3, 1_000_000), used(None, "n", 1, 1_000_000), used(7, "old", 1, 1, 8)):
                unit(conn)

        async with start(clock=clock) as bot:
            await bot.core.database.write(fill)
            shown = await ask("/admin stats")
            await press(emu, ann, shown, "Models: 7 days")
            models = shown.text
            await press(emu, ann, shown, "« Statistics")
            await press(emu, ann, shown, "People: Today")
            people = shown.text
            longest = (await ask("/admin stats people 30")).text
        assert models.splitlines() == [
            "By model, 7 days:",
            "",
            "█████████░░░ p/m: 3 requests, 30 tokens read, 3 written, $3.00",
            "███░░░░░░░░░ p/n: 1 request, 10 tokens read, 1 written, $1.00",
        ]
        assert [line.split(":")[0] for line in people.splitlines()[2:]] == [
            "█████████░░░ Eve @eve_ (101)",
            "███░░░░░░░░░ the shell",
        ]
        assert longest.splitlines()[-1].startswith("█░░░░░░░░░░░ 7: 1 request")

    async def test_many_models_come_in_pages(
        self, emu: Emulator, ask: Ask, ann: EmulatedUser, start: Start, clock: ManualClock
    ) -> None:
        def fill(conn: Connection) -> None:
            for number in range(20):
                used(1, f"{number:02}" + "x" * 500, 1, 100 - number)(conn)

        async with start(clock=clock) as bot:
            await bot.core.database.write(fill)
            shown = await ask("/admin stats models 30 #2")
            assert "p/08x" in shown.text
            await press(emu, ann, shown, "»")
            assert "p/19x" in shown.text
            assert (await ask("/admin stats models 1 #99999")).text.count("p/") == 4
