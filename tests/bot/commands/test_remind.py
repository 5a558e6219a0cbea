"""Reminders and scheduled prompts: set, listed, paused, deleted; sent or asked once, also after a downtime."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from bot_support import Killed, LaterClock, Menus, Start, decide_group, from_bot, pause, settled
from tgllm.db.engine.unit import Connection
from tgllm.db.tables import users
from tgllm.db.tables.reminders import store
from tgllm.services.common.lane import Lane
from tgllm.services.personal_data.person import as_json, load_person
from tgllm.testing.bot import RunningBot
from tgllm.testing.clock import ManualClock
from tgllm.testing.emulator import Emulator
from tgllm.testing.emulator.state.records import EmulatedChat, EmulatedMessage
from tgllm.testing.emulator.users import EmulatedUser
from tgllm.testing.scripted import ScriptedProvider

HOUR = 3600


@pytest.fixture
def clock() -> ManualClock:
    # A Thursday, at midnight in UTC.
    return ManualClock(datetime(2026, 1, 1, tzinfo=UTC).timestamp())


Comes = Callable[..., Awaitable[EmulatedMessage]]


@pytest.fixture
def comes(emu: Emulator, ann: EmulatedUser) -> Comes:
    """Wait for a message of the bot with these words."""

    async def wait(words: str, chat: EmulatedChat | None = None) -> EmulatedMessage:
        return await emu.wait_for_message(
            chat or ann.private_chat(), lambda message: message.from_bot and words in message.text
        )

    return wait


def with_text(chat: EmulatedChat, words: str) -> list[str]:
    return [message.text for message in from_bot(chat) if words in message.text]


async def reminders_of(bot: RunningBot, user: EmulatedUser) -> list[store.Reminder]:
    return await bot.core.database.read(lambda conn: store.of_person(conn, user.id))


async def test_a_reminder_comes_once_at_its_time(
    start: Start, clock: ManualClock, menus: Menus, ann: EmulatedUser, comes: Comes
) -> None:
    async with start(clock=clock) as bot:
        said = await menus.ask(ann, "/remind in 20 minutes call Bob")
        assert "Thu 2026-01-01 00:20 (UTC)\n\ncall Bob" in said.text
        await clock.advance(20 * 60 - 1)
        assert with_text(ann.private_chat(), "⏰ call Bob") == []
        await clock.advance(1)
        reminder = await comes("⏰ call Bob")
        assert reminder.text == "⏰ call Bob"
        assert await reminders_of(bot, ann) == []


async def test_one_that_was_due_in_a_downtime_comes_late_and_once(
    start: Start, clock: ManualClock, menus: Menus, ann: EmulatedUser, comes: Comes
) -> None:
    async with start(clock=clock):
        await menus.ask(ann, "/remind in 20 minutes tea")
    await clock.advance(400 * 24 * HOUR)
    async with start(clock=clock):
        late = await comes("⏰ tea")
        assert late.text == "⏰ tea\n\n(It was due on Thu 2026-01-01 00:20.)"
    async with start(clock=clock):
        await menus.ask(ann, "hello")
        assert len(with_text(ann.private_chat(), "⏰ tea")) == 1


async def test_a_kill_after_the_message_repeats_nothing(
    start: Start, killed: Killed, menus: Menus, ann: EmulatedUser, comes: Comes
) -> None:
    async with start():
        await menus.ask(ann, "/remind in 2 hours tea")
    async with killed(start(clock=LaterClock(2.1))):
        await comes("⏰ tea")
    async with start(clock=LaterClock(2.2)) as bot:
        await menus.ask(ann, "hello")
        assert len(with_text(ann.private_chat(), "⏰ tea")) == 1
        assert await reminders_of(bot, ann) == []


async def test_a_rule_in_the_time_zone_of_the_person(
    start: Start, clock: ManualClock, menus: Menus, ann: EmulatedUser, comes: Comes
) -> None:
    async with start(clock=clock, time_zone="Europe/Berlin") as bot:
        said = await menus.ask(ann, "/remind every Friday at 9 tea")
        assert "every Fri at 09:00 (Europe/Berlin)" in said.text
        assert "The first time: Fri 2026-01-02 09:00" in said.text
        await clock.advance(32 * HOUR)
        await comes("⏰ tea")
        (left,) = await reminders_of(bot, ann)
        assert datetime.fromtimestamp(left.due_at / 1000, UTC).isoformat() == "2026-01-09T08:00:00+00:00"


async def test_a_rule_follows_the_person_to_another_time_zone(
    start: Start, clock: ManualClock, menus: Menus, ann: EmulatedUser
) -> None:
    async with start(clock=clock) as bot:
        await menus.ask(ann, "/remind every day at 9 tea")
        await menus.ask(ann, "/remind in 9 hours bread")
        await menus.ask(ann, "/settings timezone Asia/Tokyo")
        left = await reminders_of(bot, ann)
        times = [(each.text, datetime.fromtimestamp(each.due_at / 1000, UTC).isoformat()) for each in left]
        assert times == [("bread", "2026-01-01T09:00:00+00:00"), ("tea", "2026-01-02T00:00:00+00:00")]


async def test_of_times_missed_by_a_rule_one_comes_and_of_old_ones_none(
    start: Start, clock: ManualClock, menus: Menus, ann: EmulatedUser, comes: Comes
) -> None:
    async with start(clock=clock):
        await menus.ask(ann, "/remind every day at 9 tea")
        await menus.ask(ann, "/remind every Thursday at 10 bread")
    await clock.advance(5 * 24 * HOUR)
    async with start(clock=clock) as bot:
        await menus.ask(ann, "hello")
        left = await reminders_of(bot, ann)
        assert [datetime.fromtimestamp(each.due_at / 1000, UTC).day for each in left] == [6, 8]
        # Both were due days ago, which is more than the 24 hours of the settings.
        assert with_text(ann.private_chat(), "⏰ tea") == with_text(ann.private_chat(), "⏰ bread") == []
        await clock.advance(9 * HOUR)
        await comes("⏰ tea")


async def test_a_prompt_is_asked_as_the_person_and_stored(
    start: Start,
    clock: ManualClock,
    menus: Menus,
    ann: EmulatedUser,
    comes: Comes,
    provider: ScriptedProvider,
) -> None:
    provider.answer("All is well.")
    async with start(clock=clock) as bot:
        said = await menus.ask(ann, "/remind every day at 9 ask: what is new?")
        assert "I'll ask the model" in said.text
        await clock.advance(9 * HOUR)
        await comes("All is well.")
        announced = await comes("You wanted me to ask: what is new?")
        assert announced.id < (await comes("All is well.")).id
        assert provider.questions == ["what is new?"]
        lane = Lane(ann.id).key

        def stored(conn: Connection) -> list[tuple[str, int | None]]:
            rows = conn.execute("SELECT text, user_id FROM messages WHERE role = 'user'").fetchall()
            return [(row[0], row[1]) for row in rows]

        assert await bot.core.database.read(stored) == [("what is new?", ann.id)]
        assert lane == f":{ann.id}:"
        # The conversation goes on.
        await menus.ask(ann, "Really?")
        assert [
            part.text for message in provider.requests[-1].messages for part in message.parts if hasattr(part, "text")
        ][-3:] == ["what is new?", "All is well.", "Really?"]


async def test_a_prompt_counts_for_the_budget(
    start: Start, clock: ManualClock, menus: Menus, ann: EmulatedUser, comes: Comes, provider: ScriptedProvider
) -> None:
    async with start(clock=clock, budgets__roles={"owner": {"requests_per_day": 1}}, budgets__admins_exempt=False):
        await menus.ask(ann, "/remind in 2 hours ask: one")
        await menus.ask(ann, "/remind in 3 hours ask: two")
        await clock.advance(2 * HOUR)
        await comes("one")
        await clock.advance(HOUR)
        await comes("budget")
        assert len(provider.questions) <= 1


async def test_a_prompt_in_a_topic_of_a_group_is_asked_there(
    emu: Emulator,
    start: Start,
    clock: ManualClock,
    menus: Menus,
    ann: EmulatedUser,
    provider: ScriptedProvider,
) -> None:
    group = emu.add_group(title="Team", members=[ann], is_forum=True)
    news = emu.add_topic(group, "News")
    provider.answer("Nothing new.")
    async with start(clock=clock):
        await menus.ask(ann, "/remind@demo_bot in 20 minutes ask: what is new?", chat=group, topic=news)
        await clock.advance(20 * 60)
        answer = await emu.wait_for_message(group, lambda message: message.from_bot and "Nothing new." in message.text)
        assert answer.topic == news
        assert provider.questions == ["Ann: what is new?"]


async def test_a_reminder_in_a_group_names_the_person(
    emu: Emulator, start: Start, clock: ManualClock, menus: Menus, ann: EmulatedUser, comes: Comes
) -> None:
    group = emu.add_group(title="Team", members=[ann])
    async with start(clock=clock):
        await menus.ask(ann, "/remind@demo_bot 20m tea", chat=group)
        await clock.advance(20 * 60)
        reminder = await comes("Ann: tea", group)
        (mention,) = reminder.entities
        assert (mention["type"], mention["offset"], mention["length"], mention["user"]["id"]) == (
            "text_mention",
            2,
            3,
            ann.id,
        )


async def test_a_person_without_access_gets_nothing_and_nothing_is_asked(
    emu: Emulator, start: Start, clock: ManualClock, menus: Menus, ann: EmulatedUser, provider: ScriptedProvider
) -> None:
    bob = emu.add_user(first_name="Bob", language_code="en")
    async with start(clock=clock, let_in=[bob]) as bot:
        await menus.ask(bob, "/remind in 2 hours tea")
        await menus.ask(bob, "/remind in 2 hours ask: what is new?")
        await bot.core.database.write(lambda conn: users.set_status(conn, bob.id, "blocked", 2))
        await clock.advance(3 * HOUR)
        await menus.ask(ann, "hello")
        assert provider.questions == ["hello"]
        assert with_text(bob.private_chat(), "⏰ tea") == []
        assert [each.paused for each in await reminders_of(bot, bob)] == [True, True]


@pytest.mark.parametrize("place", ["private", "group"])
async def test_nothing_is_asked_where_the_bot_can_not_answer(  # noqa: PLR0913, PLR0917  fixtures
    emu: Emulator,
    start: Start,
    clock: ManualClock,
    menus: Menus,
    ann: EmulatedUser,
    provider: ScriptedProvider,
    comes: Comes,
    place: str,
) -> None:
    group = emu.add_group(title="Team", members=[ann]) if place == "group" else None
    async with start(clock=clock) as bot:
        for words in ("every day at 9 ask: daily", "9h ask: once"):
            await menus.ask(ann, f"/remind@demo_bot {words}" if group else f"/remind {words}", chat=group)
        await (ann.remove(group, emu.bot) if group else ann.block())
        await settled(emu, bot)
        await clock.advance(9 * HOUR)
        while any(each.due_at <= clock.now() * 1000 and not each.paused for each in await reminders_of(bot, ann)):
            await pause()
        assert provider.questions == []
        assert {each.text: each.paused for each in await reminders_of(bot, ann)} == {"daily": False, "once": True}
        await (ann.add(group, emu.bot) if group else ann.unblock())
        await settled(emu, bot)
        await clock.advance(24 * HOUR)
        await comes("You wanted me to ask", group)
        await settled(emu, bot)
        assert [each.rpartition(" ")[2] for each in provider.questions] == ["daily"]


async def test_the_list_pauses_goes_on_and_deletes(
    start: Start, clock: ManualClock, menus: Menus, ann: EmulatedUser, comes: Comes
) -> None:
    async with start(clock=clock) as bot:
        await menus.ask(ann, "/remind every day at 9 tea")
        await menus.ask(ann, "/remind in 2 hours ask: what is new?")
        listed = await menus.ask(ann, "/remind")
        assert listed.text.splitlines()[2:] == [
            "1. Thu 2026-01-01 02:00: 💬 what is new?",
            "2. every day at 09:00: tea",
        ]
        await menus.press(ann, listed, "✕ 1")
        assert listed.text.splitlines()[2:] == ["1. every day at 09:00: tea"]
        await menus.press(ann, listed, "⏸ 1")
        assert listed.text.splitlines()[2:] == ["1. ⏸ every day at 09:00: tea"]
        await clock.advance(10 * HOUR)
        await menus.ask(ann, "hello")
        assert with_text(ann.private_chat(), "⏰ tea") == []
        await menus.press(ann, listed, "▶️ 1")
        (left,) = await reminders_of(bot, ann)
        assert datetime.fromtimestamp(left.due_at / 1000, UTC).isoformat() == "2026-01-02T09:00:00+00:00"
        await clock.advance(23 * HOUR)
        await comes("⏰ tea")
        await menus.press(ann, listed, "✕ 1")
        assert "no reminders" in listed.text


async def test_in_a_group_members_change_their_own_and_admins_all(
    emu: Emulator, start: Start, clock: ManualClock, menus: Menus, ann: EmulatedUser
) -> None:
    bob = emu.add_user(first_name="Bob", language_code="en")
    group = emu.add_group(title="Team", members=[ann, bob])
    async with start(clock=clock, let_in=[bob]) as bot:
        await bot.core.database.write(decide_group(group))
        await menus.ask(ann, "/remind@demo_bot 1h mine", chat=group)
        await menus.ask(bob, "/remind@demo_bot 2h his", chat=group)
        listed = await menus.ask(bob, "/remind@demo_bot", chat=group)
        (mine,) = await reminders_of(bot, ann)
        (his,) = await reminders_of(bot, bob)
        assert "not yours" in await menus.toast(bob, listed, f"rdrop:{mine.id}:0")
        assert "not yours" in await menus.toast(bob, listed, "rpause:x:y:z")
        assert len(await reminders_of(bot, ann)) == 1
        assert await menus.toast(ann, listed, f"rdrop:{his.id}:0") == ""
        assert await reminders_of(bot, bob) == []
        # Elsewhere the buttons of another chat's reminders do nothing.
        private = await menus.ask(bob, "/remind")
        assert "no reminders" in private.text
        assert "not yours" in await menus.toast(bob, private, f"rdrop:{mine.id}:0")


@pytest.mark.parametrize(
    ("words", "reply"),
    [
        ("tea", "I don't understand the time"),
        ("in 20 minutes", "What should I remind you of"),
        ("in 20 minutes ask: /new", "can't run commands"),
        ("2025-12-01 tea", "This time is over"),
        ("2031-01-01 tea", "at most 400 days ahead"),
        ("999999 weeks tea", "at most 400 days ahead"),
        ("in 20 minutes " + "x" * 1001, "at most 1000 characters"),
    ],
)
async def test_mistakes_are_answered_with_what_to_do(
    start: Start, clock: ManualClock, menus: Menus, ann: EmulatedUser, words: str, reply: str
) -> None:
    async with start(clock=clock) as bot:
        assert reply in (await menus.ask(ann, f"/remind {words}")).text
        assert await reminders_of(bot, ann) == []


async def test_the_limits_of_a_person(start: Start, clock: ManualClock, menus: Menus, ann: EmulatedUser) -> None:
    async with start(clock=clock, reminders__per_person=1, reminders__prompts_per_person=0):
        await menus.ask(ann, "/remind 1h tea")
        assert "1 reminder, which is the maximum" in (await menus.ask(ann, "/remind 2h tea")).text
        assert "Scheduled questions are turned off" in (await menus.ask(ann, "/remind 2h ask: tea")).text


async def test_without_allowed_lateness_the_pause_of_the_worker_is_none(
    start: Start, clock: ManualClock, menus: Menus, ann: EmulatedUser, comes: Comes
) -> None:
    async with start(clock=clock, reminders__late_hours=0):
        await menus.ask(ann, "/remind every day at 9 tea")
        await menus.ask(ann, "/remind 9h ask: what is new?")
        await clock.advance(9 * HOUR + 1)
        await comes("⏰ tea")
        await comes("You wanted me to ask: what is new?")


async def test_a_reply_reminds_of_its_message(
    start: Start, clock: ManualClock, menus: Menus, ann: EmulatedUser, comes: Comes
) -> None:
    async with start(clock=clock):
        answer = await menus.ask(ann, "hello")
        await ann.say("/remind 1h", reply_to=answer)
        await comes("I'll remind you")
        await clock.advance(HOUR)
        await comes(f"⏰ {answer.text}")


async def test_stop_ends_the_answer_to_a_prompt(
    emu: Emulator, start: Start, clock: ManualClock, menus: Menus, ann: EmulatedUser, provider: ScriptedProvider
) -> None:
    provider.answer("Half of it", asyncio.Event())
    async with start(clock=clock):
        await menus.ask(ann, "/remind 1h ask: what is new?")
        await clock.advance(HOUR)
        await emu.wait_for(lambda: provider.open_streams)
        stopped = await menus.ask(ann, "/stop")
        assert "Half of it" in stopped.text
        await emu.wait_for(lambda: not provider.open_streams)


@pytest.mark.parametrize("kills", [1, 2])
async def test_a_prompt_interrupted_by_a_kill_is_asked_again_and_answered_once(  # noqa: PLR0913, PLR0917  fixtures
    emu: Emulator,
    start: Start,
    killed: Killed,
    menus: Menus,
    ann: EmulatedUser,
    comes: Comes,
    provider: ScriptedProvider,
    kills: int,
) -> None:
    async with start():
        await menus.ask(ann, "/remind in 2 hours ask: what is new?")
    for number in range(kills):
        provider.answer("Half", asyncio.Event())
        async with killed(start(clock=LaterClock(2.1 + number / 10))):
            await emu.wait_for(lambda: provider.open_streams)
    provider.answer("All is well.")
    async with start(clock=LaterClock(2.5)) as bot:
        await comes("All is well.")
        await menus.ask(ann, "hello")
        assert len(with_text(ann.private_chat(), "All is well.")) == 1
        assert len(with_text(ann.private_chat(), "You wanted me to ask")) == 1
        assert await reminders_of(bot, ann) == []


async def test_export_and_forget_know_the_reminders(
    emu: Emulator, start: Start, clock: ManualClock, menus: Menus, ann: EmulatedUser
) -> None:
    async with start(clock=clock) as bot:
        await menus.ask(ann, "/remind every Monday at 9 tea")

        def export(conn: Connection) -> str:
            user = users.get(conn, ann.id)
            assert user is not None
            return as_json(load_person(conn, user, 1))

        exported: Any = json.loads(await bot.core.database.read(export))
        assert [(each["text"], each["weekdays"]) for each in exported["reminders"]] == [("tea", [0])]
        asked = await menus.ask(ann, "/forget")
        await ann.press(asked, asked.labels[0])
        await emu.wait_for(lambda: ("tea" not in str(asked.text) and asked.labels == []) or None, timeout=10)
        assert await reminders_of(bot, ann) == []
