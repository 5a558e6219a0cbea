"""The admin suite: each screen by text and by button, and that only admins get anything."""

import json
import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from io import StringIO

import pytest

from bot_support import Ask, LetIn, Menus, Start
from tgllm.api import ModelInfo, Unavailable
from tgllm.bot.admin.assembly import admin_table
from tgllm.db.engine.unit import Connection, Unit
from tgllm.db.tables import audit, groups, inbox, invites, outbox, requests, schedules, usage, users
from tgllm.db.tables.outbox import NewOutbox
from tgllm.db.tables.requests import NewRequest, Outcome
from tgllm.db.tables.usage import Spent
from tgllm.i18n.catalogue import Catalogue, texts_of
from tgllm.observe.logs import configure_logging
from tgllm.services.common.actor import Actor
from tgllm.testing.clock import ManualClock
from tgllm.testing.emulator import Emulator
from tgllm.testing.emulator.users import EmulatedUser
from tgllm.testing.scripted import ScriptedProvider

NOON = datetime(2026, 1, 11, 12, tzinfo=UTC).timestamp()


class TestTable:
    def test_every_row_is_described_and_no_text_is_left_over(self) -> None:
        rows = [row for row in admin_table().rows if row.name != "menu"]
        wanted = {f"admin.{row.name}.about" for row in rows} | {f"admin.{row.name}.label" for row in rows if row.menu}

        assert {key for key in texts_of("en") if re.fullmatch(r"admin\.\w+\.(about|label)", key)} == wanted

    async def test_an_unknown_command_names_the_nearest(self, ask: Ask, start: Start) -> None:
        async with start():
            assert (await ask("/admin mneu")).text == "I don't know /admin mneu. Did you mean /admin menu?"
            assert (await ask("/admin xyzzy")).text == "I don't know /admin xyzzy. /admin shows what there is."

    async def test_the_menu_is_a_sentence_and_the_syntax_is_behind_a_button(
        self, emu: Emulator, ask: Ask, ann: EmulatedUser, start: Start, menus: Menus
    ) -> None:
        rows = [row for row in admin_table().rows if row.name != "menu"]
        async with start():
            menu = await ask("/admin")
            sentence, labels = menu.text, menu.labels
            await menus.press(ann, menu, "All commands")
            listed, as_command = menu.text, await ask("/admin commands")
            await menus.press(ann, menu, "« Menu")
        assert sentence == menu.text == "Administration: choose a subject."
        assert labels == menu.labels == [Catalogue()(f"admin.{row.name}.label") for row in rows if row.menu]
        assert as_command.text == listed
        syntax = [f"/admin {row.name} {row.usage}".rstrip() for row in rows if row.name != "commands"]
        assert [line.partition(" - ")[0] for line in listed.splitlines() if line.startswith("/admin")] == syntax

    async def test_a_command_that_lacks_its_argument_tells_its_usage(self, ask: Ask, start: Start) -> None:
        async with start():
            told = "Block an approved person, or approve anybody else. Write: /admin toggle <user>"
            assert (await ask("/admin toggle")).text == told
            assert (await ask("/admin role")).text.endswith("Write: /admin role <user> <admin|user|guest>")

    async def test_who_is_no_admin_gets_nothing(
        self, emu: Emulator, ask: Ask, ann: EmulatedUser, eve: EmulatedUser, start: Start
    ) -> None:
        async with start(let_in=[eve]):
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
            assert (await ask("/admin@demo_bot", chat=admins)).text.startswith("Administration: ")


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
    async def test_counts(self, ask: Ask, ann: EmulatedUser, menus: Menus, start: Start, clock: ManualClock) -> None:
        def fill(conn: Connection) -> None:
            for number, status in enumerate(("active", "active", "pending", "denied", "blocked", "pending"), 101):
                users.upsert_seen(conn, users.SeenUser(number, first_name=f"P{number}"), 1)
                users.set_status(conn, number, status, 1)  # type: ignore[arg-type]  each is a status
                users.register_pending(conn, number, int(NOON * 1000))
                users.register_pending(conn, number, int(NOON * 1000))
            for unit in (used(101, "m", 2, 500_000), used(102, "m", 1, None, 6), used(103, "n", 4, 250_000, 20)):
                unit(conn)
            for number, (status, latency) in enumerate((("ok", 2000), ("ok", 4000), ("failed", 1))):
                new = NewRequest(turn_id=f"t{number}", conversation_id=None, user_id=None, provider="p", model="m")
                done = Outcome(status=status, latency_ms=latency)  # type: ignore[arg-type]  each is a status
                requests.add(conn, new, done, int(NOON * 1000), int(NOON * 1000))

        async with start(clock=clock) as bot:
            await bot.core.database.write(fill)
            by_text = await ask("/admin stats")
            menu = await ask("/admin")
            await menus.press(ann, menu, "Statistics")
        assert by_text.text.splitlines() == [
            "Statistics (days in UTC)",
            "People: 3 approved, 2 waiting, 1 declined, 1 blocked",
            "",
            "Today: 2 requests, 20 tokens read, 2 written, $1.00",
            "People who asked: 1. Failed requests: 1.",
            "Half of the answers came within 2.0 s, 95 of 100 within 4.0 s.",
            "",
            "7 days: 3 requests, 30 tokens read, 3 written, at least $1.00",
            "People who asked: 2. Failed requests: 1.",
            "Half of the answers came within 2.0 s, 95 of 100 within 4.0 s.",
            "",
            "30 days: 7 requests, 70 tokens read, 7 written, at least $2.00",
            "People who asked: 3. Failed requests: 1.",
            "Half of the answers came within 2.0 s, 95 of 100 within 4.0 s.",
            "",
            "The price of p/m is not known, so its costs are not counted.",
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
        self, ask: Ask, ann: EmulatedUser, menus: Menus, start: Start, clock: ManualClock
    ) -> None:
        def fill(conn: Connection) -> None:
            users.upsert_seen(conn, users.SeenUser(101, "eve_", "Eve"), 1)
            for turn, outcome in {"t1": Outcome(status="ok", latency_ms=1500), "t2": Outcome(status="failed")}.items():
                new = NewRequest(turn_id=turn, conversation_id=None, user_id=101, provider="p", model="m")
                requests.add(conn, new, outcome, int(NOON * 1000), int(NOON * 1000))
            for unit in (used(101, "m", 3, 1_000_000), used(None, "n", 1, 1_000_000), used(7, "old", 1, 1, 8)):
                unit(conn)

        async with start(clock=clock) as bot:
            await bot.core.database.write(fill)
            shown = await ask("/admin stats")
            await menus.press(ann, shown, "Models: 7 days")
            models = shown.text
            await menus.press(ann, shown, "« Statistics")
            await menus.press(ann, shown, "People: Today")
            people = shown.text
            longest = (await ask("/admin stats people 30")).text
        assert models.splitlines() == [
            "By model, 7 days:",
            "",
            "█████████░░░ p/m: 3 requests, 30 tokens read, 3 written, $3.00",
            "Failed requests: 1.",
            "Half of the answers came within 1.5 s, 95 of 100 within 1.5 s.",
            "",
            "███░░░░░░░░░ p/n: 1 request, 10 tokens read, 1 written, $1.00",
        ]
        assert [line.split(":")[0] for line in people.splitlines()[2:]] == [
            "█████████░░░ Eve @eve_ (101)",
            "Failed requests",
            "Half of the answers came within 1.5 s, 95 of 100 within 1.5 s.",
            "",
            "███░░░░░░░░░ the shell",
        ]
        assert longest.splitlines()[-1].startswith("█░░░░░░░░░░░ 7: 1 request")

    async def test_many_models_come_in_pages(
        self, ask: Ask, ann: EmulatedUser, menus: Menus, start: Start, clock: ManualClock
    ) -> None:
        def fill(conn: Connection) -> None:
            for number in range(20):
                used(1, f"{number:02}" + "x" * 500, 1, 100 - number)(conn)

        async with start(clock=clock) as bot:
            await bot.core.database.write(fill)
            shown = await ask("/admin stats models 30 #2")
            assert "p/08x" in shown.text
            await menus.press(ann, shown, "»")
            assert "p/19x" in shown.text
            assert (await ask("/admin stats models 1 #99999")).text.count("p/") == 4


def fill_people(conn: Connection) -> None:
    """Five hundred people: a hundred let in, ten blocked, the others waiting."""
    for number in range(1, 501):
        asked = int(NOON * 1000) - 1000 + number
        users.upsert_seen(conn, users.SeenUser(5000 + number, f"u{number}", f"Person {number}"), asked)
        users.register_pending(conn, 5000 + number, asked)
        if number <= 110:
            users.set_status(conn, 5000 + number, "active" if number <= 100 else "blocked", 1)


class TestUsers:
    async def test_waiting_people_are_listed_in_pages(
        self, ask: Ask, ann: EmulatedUser, menus: Menus, start: Start, clock: ManualClock
    ) -> None:
        async with start(clock=clock) as bot:
            await bot.core.database.write(fill_people)
            by_text = await ask("/admin users pending")
            shown = await ask("/admin")
            for label in ("People", "Waiting (390)"):
                await menus.press(ann, shown, label)
            assert shown.text == by_text.text
            seen = [line for line in shown.text.splitlines() if line.endswith(": waiting")]
            while "»" in shown.labels:
                await menus.press(ann, shown, "»")
                seen += [line for line in shown.text.splitlines() if line.endswith(": waiting")]
        assert by_text.text.startswith("390 people:\n\nPerson 111 @u111 (5111): waiting\n")
        assert seen == [f"Person {number} @u{number} ({5000 + number}): waiting" for number in range(111, 501)]

    async def test_people_are_searched(
        self, ask: Ask, ann: EmulatedUser, menus: Menus, start: Start, clock: ManualClock
    ) -> None:
        async with start(clock=clock) as bot:
            await bot.core.database.write(fill_people)
            found = await ask("/admin users person 49")
            assert found.text.startswith("15 people:")
            await menus.press(ann, found, "»")
            assert "Person 499 @u499 (5499): waiting" in found.text
            assert (await ask("/admin users " + "\U0001f600" * 100)).text.startswith("0 people:")
            assert (await ask("/admin users blocked #99")).text.startswith("10 people:\n\nPerson 109")


class TestUserCard:
    async def test_it_tells_and_decides(
        self,
        emu: Emulator,
        ask: Ask,
        ann: EmulatedUser,
        eve: EmulatedUser,
        menus: Menus,
        start: Start,
        clock: ManualClock,
    ) -> None:
        async with start(clock=clock) as bot:
            await ask("/admin")
            await eve.say("/start")
            await emu.wait_for_message(eve.private_chat(), lambda message: message.from_bot)
            await bot.core.database.write(used(eve.id, "m", 2, 500_000))
            card = await ask(f"/admin user {eve.id}")
            assert card.text.splitlines() == [
                f"Eve ({eve.id})",
                "waiting",
                "",
                "Telegram language: en",
                "First seen: 2026-01-11 12:00",
                "Asked for access: 2026-01-11 12:00",
                "",
                *(
                    f"{span}: 2 requests, 20 tokens read, 2 written, $1.00"
                    for span in ("Today", "This month", "In all")
                ),
            ]
            assert card.labels[:4] == ["✅ Approve", "🕐 Guest for a day", "❌ Decline", "⛔ Block"]
            await menus.press(ann, card, "✅ Approve")
            assert card.text.splitlines()[1] == "user, approved"
            assert f"Decided: 2026-01-11 12:00, by Ann ({ann.id})" in card.text
            assert card.labels[:2] == ["⛔ Block", "Make them an admin"]
            told = await emu.wait_for_message(eve.private_chat(), lambda message: message.text.startswith("✅"))
            assert (await eve.say("hi", reply_to=told)).text == "hi"
            assert (await ask(f"/admin user {eve.id} block")).text.splitlines()[1] == "blocked"
            (block, approve) = await bot.core.database.read(lambda conn: audit.list_recent(conn, 2))
        assert (block.action, block.actor_id, block.source) == ("user.block", ann.id, "telegram")
        assert (approve.action, approve.target) == ("user.approve", str(eve.id))

    async def test_it_tells_the_budget_and_resets_it(
        self,
        ask: Ask,
        ann: EmulatedUser,
        eve: EmulatedUser,
        menus: Menus,
        start: Start,
        clock: ManualClock,
    ) -> None:
        async with start(clock=clock, let_in=[eve]) as bot:
            await bot.core.database.write(used(eve.id, "m", 3, 1))
            assert "Count from zero" not in (await ask(f"/admin user {eve.id}")).labels
            await ask(f"/admin budget {eve.id} set requests/day 4")
            card = await ask(f"/admin user {eve.id}")
            assert card.text.splitlines()[-1].startswith("█████████░░░ 75 %, requests for today: 3 of 4, 1 left until")
            await menus.press(ann, card, "Count from zero")
            assert "0 %, requests for today: 0 of 4" in card.text

    async def test_toggle_blocks_and_lets_in(
        self, ask: Ask, ann: EmulatedUser, eve: EmulatedUser, start: Start
    ) -> None:
        async with start(let_in=[eve]):
            assert (await ask(f"/admin toggle {eve.id}")).text.splitlines()[1] == "blocked"
            assert (await ask(f"/admin toggle {eve.id}")).text.splitlines()[1] == "user, approved"
            assert "Owners are named" in (await ask(f"/admin toggle {ann.id}")).text
            assert "I don't know @nobody." in (await ask("/admin toggle @nobody")).text

    async def test_only_owners_choose_roles(
        self, ask: Ask, ann: EmulatedUser, eve: EmulatedUser, start: Start, menus: Menus
    ) -> None:
        async with start(let_in=[eve]):
            card = await ask(f"/admin user {eve.id}")
            await menus.press(ann, card, "Make them an admin")
            assert card.text.splitlines()[1] == "admin, approved"
            own = await menus.ask(eve, f"/admin user {eve.id}")
            assert "Make them a user" not in own.labels
            assert await menus.toast(eve, own, f"admin:role {eve.id} user") == (
                "Only owners of the bot can use this command."
            )
            assert await menus.toast(eve, own, f"admin:user {eve.id} block") == (
                "This is an admin; only owners decide about admins."
            )
            assert (await ask(f"/admin role {eve.id} owner")).text.startswith("Write /admin role")
            assert (await ask(f"/admin role {eve.id} user")).text.splitlines()[1] == "user, approved"

    async def test_an_old_card_shows_what_is_now(
        self, ask: Ask, ann: EmulatedUser, eve: EmulatedUser, start: Start, menus: Menus
    ) -> None:
        async with start(let_in=[eve]):
            card = await ask(f"/admin user {eve.id}")
            assert await menus.toast(ann, card, f"admin:user {eve.id} approve") == "Nothing changed."
            assert await menus.toast(ann, card, "admin:user 12345 approve") == (
                "I don't know 12345. People have to write to me first."
            )
            assert (
                await menus.toast(ann, card, "admin:xyzzy") == "I don't know /admin xyzzy. /admin shows what there is."
            )


class Listing(ScriptedProvider):
    """Lists the models that a test says."""

    models: Sequence[ModelInfo] = ()

    async def list_models(self) -> Sequence[ModelInfo]:
        return self.models


class TestModels:
    async def test_models_are_listed_and_refreshed(
        self, ask: Ask, ann: EmulatedUser, menus: Menus, start: Start
    ) -> None:
        provider = Listing()
        provider.models = tuple(ModelInfo(f"m{number:02}", title=f"Model {number:02}") for number in range(20))
        async with start(provider=provider, default_model="scripted/m00") as bot:
            await bot.core.models.pull_and_sync_models()
            by_text = await ask("/admin models")
            assert by_text.text.startswith("The default model: scripted/m00\n\n✅ echo: 1 model, listed 20")
            shown = await ask("/admin")
            await menus.press(ann, shown, "Models")
            assert shown.text == by_text.text
            await menus.press(ann, shown, "»")
            assert "Model 14 (scripted/m14)" in shown.text
            found = (await ask("/admin models MODEL 07")).text.splitlines()
            assert found[-1] == "Model 07 (scripted/m07)"
            provider.models = (*provider.models[1:], ModelInfo("new"))
            await menus.press(ann, shown, "Refresh the models")
            assert shown.text.splitlines() == [
                "✅ echo: 1 model",
                "✅ scripted: 20 models",
                "",
                "The models have changed.",
                "New: scripted/new",
                "No longer offered: scripted/m00",
                *(line for line in shown.text.splitlines() if line.startswith("The default model scripted/m00")),
            ]
            assert (await ask("/admin refresh")).text.splitlines()[-1] == "Nothing is different."
            (latest, first) = await bot.core.database.read(lambda conn: audit.list_recent(conn, 2))
        assert latest.action == first.action == "models.refresh"
        assert first.details == {"listed": 21, "failed": 0}


class TestPlugins:
    async def test_those_out_of_order_come_first(self, ask: Ask, ann: EmulatedUser, menus: Menus, start: Start) -> None:
        async with start(disable_plugins="echo"):
            by_text = await ask("/admin plugins")
            shown = await ask("/admin")
            await menus.press(ann, shown, "Plugins")
        lines = by_text.text.splitlines()
        assert lines[:2] == ["Plugins:", ""]
        assert lines[2].startswith("⏸ echo ")
        assert "(disabled)" in lines[2]
        assert any(line.startswith("✅ scripted ") and "provider scripted" in line for line in lines)
        assert shown.text == by_text.text


class TestJobs:
    async def test_last_and_next_runs(
        self, ask: Ask, ann: EmulatedUser, menus: Menus, start: Start, clock: ManualClock
    ) -> None:
        noon = int(NOON * 1000)

        def run(conn: Connection) -> None:
            schedules.start(conn, "models.refresh", noon - 1000, noon)
            schedules.finish(conn, "models.refresh", noon - 1000, "failed", noon + 1500, "gemini: token=lavender-gate")

        async with start(clock=clock, refresh_cron="off") as bot:
            await bot.core.database.write(run)
        async with start(clock=clock, refresh_cron="30 4 * * *", time_zone="Europe/Berlin"):
            by_text = await ask("/admin jobs")
            shown = await ask("/admin")
            await menus.press(ann, shown, "Jobs")
        assert by_text.text.splitlines() == [
            "Jobs (times in Europe/Berlin):",
            "",
            "models.refresh (30 4 * * *)",
            "Last: 2026-01-11 13:00, failed in 1.5 s: gemini: token=[hidden]",
            "Next: 2026-01-12 04:30",
            "",
            "data.retention (23 * * * *)",
            "It has not run yet.",
            "Next: 2026-01-11 13:23",
        ]
        assert shown.text == by_text.text

    async def test_what_is_off_is_not_listed(self, ask: Ask, start: Start) -> None:
        async with start(refresh_cron="off"):
            assert "models.refresh" not in (await ask("/admin jobs")).text


class TestErrors:
    async def test_ids_are_those_of_the_log(
        self,
        ask: Ask,
        ann: EmulatedUser,
        menus: Menus,
        start: Start,
        provider: ScriptedProvider,
    ) -> None:
        log = StringIO()
        configure_logging("json", "info", log)
        provider.answer(Unavailable("HTTP 503 with api_key=sesame-open-up"))
        async with start() as bot:
            assert (await ask("/admin errors")).text == "Nothing has failed."
            await ask("what?")
            unsent = NewOutbox(lane=":1:", method="sendMessage", chat_id=1, payload={"chat_id": 1, "text": "?"})
            await bot.core.database.write(lambda conn: outbox.add(conn, [unsent], 1))
            by_text = await ask("/admin errors")
            while "outbox=" not in by_text.text:
                by_text = await ask("/admin errors")
            shown = await ask("/admin")
            await menus.press(ann, shown, "Errors")
        assert f" turn={logged_id(log, 'turn.failed', 'turn')}\nscripted/model: unavailable: HTTP 503" in by_text.text
        assert f" outbox={logged_id(log, 'send.failed', 'outbox')}\nsendMessage: " in by_text.text
        assert "sesame" not in by_text.text
        assert shown.text == by_text.text


def logged_id(log: StringIO, event: str, name: str) -> object:
    """The id in the first line of the log about such an event."""
    lines = (json.loads(line) for line in log.getvalue().splitlines())
    return next(line[name] for line in lines if line["event"] == event)


class TestAudit:
    async def test_changes_are_listed_in_pages_with_names(
        self,
        ask: Ask,
        ann: EmulatedUser,
        eve: EmulatedUser,
        menus: Menus,
        start: Start,
        let_in: LetIn,
        clock: ManualClock,
    ) -> None:
        async with start(clock=clock) as bot:
            entries = (await ask("/admin audit")).text.splitlines()[2:]
            assert entries == ["2026-01-11 12:00 config", f"user.role Ann ({ann.id}): role owner"]
            assert (await ask(f"/admin audit {eve.id}")).text.startswith("I don't know")
            await let_in(bot, [eve])
            assert (await ask(f"/admin audit {eve.id}")).text == "Nothing has been changed."
            for number in range(9):
                await bot.core.users.toggle(
                    eve.id, Actor(ann.id if number else None, "telegram" if number else "shell")
                )
                await bot.core.users.toggle(eve.id, Actor(ann.id, "telegram"))
            by_text = await ask("/admin audit")
            shown = await ask("/admin")
            await menus.press(ann, shown, "Audit")
            assert shown.text == by_text.text
            await menus.press(ann, shown, "»")
            await menus.press(ann, shown, "»")
            card = await ask(f"/admin user {eve.id}")
            await menus.press(ann, card, "What happened")
        assert by_text.text.splitlines()[:4] == [
            "Changes, the latest first:",
            "",
            f"2026-01-11 12:00 Ann ({ann.id}), telegram",
            f"user.approve Eve ({eve.id}): status blocked → active",
        ]
        assert shown.text.splitlines()[-5:] == [
            "2026-01-11 12:00 shell",
            f"user.block Eve ({eve.id}): status active → blocked",
            "",
            *entries,
        ]
        assert card.text == by_text.text

    async def test_times_are_told_as_such(self, ask: Ask, start: Start, clock: ManualClock) -> None:
        async with start(clock=clock):
            await ask("/admin invite 2 24")
            assert "invite.create 1: uses 2, expires_at 2026-01-12 12:00" in (await ask("/admin audit")).text


class TestLimits:
    @pytest.mark.parametrize("language", ["en", "ru"])
    async def test_every_screen_fits_a_message_whatever_people_are_called(
        self, ask: Ask, ann: EmulatedUser, start: Start, clock: ManualClock, language: str
    ) -> None:
        ann.language_code = language
        name, now = "\U0001f468\u200d\U0001f469\u200d\U0001f467" * 20, int(NOON * 1000)

        def fill(conn: Connection) -> None:
            for number in range(10**12, 10**12 + 500):
                users.upsert_seen(conn, users.SeenUser(number, "u" * 32, name, name, "x" * 100), now)
                users.register_pending(conn, number, now)
                usage.add(conn, number, "2026-01-11", "p" * 300, "m" * 300, Spent(cost_micros=10**15))
            for number in range(10**12, 10**12 + 20):
                long = audit.NewEntry(actor_id=number, source="telegram", action="a" * 40, target=str(number))
                audit.add(conn, replace(long, details={str(key): "v" * 300 for key in range(9)}), 1)
                groups.request(conn, -number, name * 10, now, by=number)
                invites.create(conn, f"{number:064x}", 1000, now + 10**9, now, created_by=number)
                inbox.add_updates(conn, [inbox.NewUpdate(number, ":1:", "message", False, "{}")], 1)
                inbox.finish(conn, number, "failed", 1, "error " * 500)

        lines = [row.name for row in admin_table().rows if row.menu and row.name not in {"broadcast", "backup"}]
        lines += ["menu", "stats models 30", "stats people 30 #3", "users pending #60", f"user {10**12}", "groups #2"]
        lines += [f"audit {10**12}", f"budget {10**12}", f"budget {10**12} choose usd/month", f"user {10**12} guest"]
        async with start(clock=clock) as bot:
            await bot.core.database.write(fill)
            for line in lines:
                # Of a text that takes several messages, only the last one has the buttons.
                shown = await ask(f"/admin {line}")
                assert shown.buttons, line
                assert all(len((button.data or "").encode()) <= 64 for button in shown.buttons)

    async def test_every_screen_is_there_in_russian(
        self, emu: Emulator, ask: Ask, ann: EmulatedUser, start: Start
    ) -> None:
        ann.language_code = "ru"
        async with start():
            for row in admin_table().rows:
                if row.menu:
                    assert re.search("[а-я]", (await ask(f"/admin {row.name}")).text), row.name
