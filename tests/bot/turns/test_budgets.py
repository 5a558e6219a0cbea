"""Budgets and the rate of questions, in the chat."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from functools import partial

import pytest

from bot_support import Killed, Start, decide_group
from tgllm.api import Finished, Usage
from tgllm.api.clock import SystemClock, milliseconds
from tgllm.bot.updates.raw import to_inbox
from tgllm.db.engine.unit import Connection
from tgllm.db.queries import inbox_claims
from tgllm.db.tables import audit, groups, inbox, requests, usage
from tgllm.services.budgets.admin_changes import GiveExtra, SetLimit
from tgllm.services.budgets.budget_scope import BOT, BudgetScope
from tgllm.services.common.actor import SHELL
from tgllm.testing.bot import RunningBot
from tgllm.testing.clock import ManualClock
from tgllm.testing.emulator import Emulator
from tgllm.testing.emulator.state.records import EmulatedChat, EmulatedMessage
from tgllm.testing.emulator.users import EmulatedUser
from tgllm.testing.scripted import ScriptedProvider

Say = Callable[..., Awaitable[EmulatedMessage]]

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC).timestamp()
TOMORROW = "2026-11-23 00:00 (UTC)"
PRICES = {"scripted/model": {"input": 1.0, "output": 1.0}}


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOON)


@pytest.fixture
def start(start: Start, clock: ManualClock) -> Start:
    """Starts the bot at noon."""
    return partial(start, clock=clock)


def is_answer(message: EmulatedMessage) -> bool:
    """Whether it is what the bot answers, and not what it tells besides."""
    besides = ("It resets on", "changed your budget", "Changed by")
    return message.from_bot and message.text != "Thinking..." and not any(words in message.text for words in besides)


@pytest.fixture
def say(emu: Emulator, eve: EmulatedUser) -> Say:
    """Says something for Eve, who has been let in, and waits for what the bot says first."""

    async def say(text: str, *, chat: EmulatedChat | None = None, by: EmulatedUser | None = None) -> EmulatedMessage:
        said = await (by or eve).say(text, chat=chat)
        return await emu.wait_for_message(said.chat, is_answer, after=said)

    return say


def user_limit(**limits: float) -> dict[str, object]:
    return {"budgets__roles": {"user": limits}}


class TestStop:
    async def test_the_hard_stop_says_what_is_used_up_and_when_it_begins_anew(
        self, say: Say, eve: EmulatedUser, start: Start, provider: ScriptedProvider
    ) -> None:
        async with start(**user_limit(requests_per_day=1), let_in=[eve]):
            assert (await say("one")).text == "one"
            stop = await say("two")
        assert stop.text == (f"Your budget for today is used up (requests: 1 of 1). You can ask again from {TOMORROW}.")
        assert len(provider.requests) == 1

    async def test_try_again_works_once_there_is_more(
        self, emu: Emulator, say: Say, eve: EmulatedUser, start: Start
    ) -> None:
        async with start(**user_limit(requests_per_day=1), let_in=[eve]) as bot:
            await say("one")
            stop = await say("two")
            more, whose = GiveExtra("requests", "day", 5), BudgetScope.user(eve.id)
            await bot.core.database.write(lambda conn: bot.core.budgets.change(conn, whose, [more], SHELL))
            await eve.press(stop, "Try again")
            again = await emu.wait_for_message(
                eve.private_chat(), lambda message: message.from_bot and message.text == "two", after=stop
            )
        assert again.text == "two"

    async def test_what_others_have_spent_stays_untold(
        self, say: Say, eve: EmulatedUser, ann: EmulatedUser, start: Start
    ) -> None:
        async with start(budgets__bot={"requests_per_month": 1}, let_in=[eve]):
            await say("one", by=ann)
            stop = await say("two")
        assert stop.text == (
            "The bot's budget for this month is not enough for this. I can answer again from 2026-12-01 00:00 (UTC)."
        )

    async def test_the_topics_of_a_group_share_its_budget_and_members_keep_theirs(
        self,
        emu: Emulator,
        say: Say,
        eve: EmulatedUser,
        ann: EmulatedUser,
        start: Start,
    ) -> None:
        forum = emu.add_group(title="Forum", members=[eve, ann])
        first, second = (emu.add_topic(forum, title) for title in ("One", "Two"))
        limits = {"budgets__group": {"requests_per_day": 1}, "groups__pays": "group"}
        async with start(**limits, **user_limit(requests_per_day=1), let_in=[eve]):
            asked = await eve.say("@demo_bot one", topic=first)
            answer = await emu.wait_for_message(forum, is_answer, after=asked)
            asked = await eve.say("@demo_bot two", topic=second)
            stop = await emu.wait_for_message(
                forum, lambda message: is_answer(message) and message.topic is second, after=asked
            )
            own = await say("three")
        assert (answer.text, answer.topic, own.text) == ("Eve: one", first, "three")
        assert "used up (requests: 1 of 1)" in stop.text
        assert TOMORROW in stop.text

    async def test_the_warning_comes_once_below_the_answer(
        self, emu: Emulator, say: Say, eve: EmulatedUser, start: Start
    ) -> None:
        async with start(**user_limit(requests_per_day=5), let_in=[eve]):
            for number in range(4):
                await say(f"question {number}")
            await emu.wait_for(lambda: len(eve.private_chat().bot_texts) == 5)
            told = eve.private_chat().bot_texts
        assert told[3:] == [
            "question 3",
            f"Your budget for today is 80 % used (requests: 4 of 5). It resets on {TOMORROW}.",
        ]

    async def test_admins_hear_of_the_bots(
        self,
        emu: Emulator,
        say: Say,
        eve: EmulatedUser,
        ann: EmulatedUser,
        start: Start,
    ) -> None:
        async with start(budgets__bot={"requests_per_day": 1}, let_in=[eve]):
            # Telegram lets a bot write only to people who have written to it.
            hello = await say("/start", by=ann)
            await say("one")
            told = await emu.wait_for_message(ann.private_chat(), lambda message: message.from_bot, after=hello)
        assert told.text == (
            f"The bot's budget for today is used up (requests: 1 of 1), so I can't answer anybody until {TOMORROW}. "
            "Details: /admin budget bot"
        )
        assert eve.private_chat().bot_texts == ["one"]


class TestCrash:
    @pytest.mark.parametrize("in_group", [False, True])
    async def test_a_question_that_was_being_answered_counts(
        self,
        emu: Emulator,
        say: Say,
        eve: EmulatedUser,
        start: Start,
        killed: Killed,
        provider: ScriptedProvider,
        in_group: bool,
    ) -> None:
        group = emu.add_group(title="Team", members=[eve]) if in_group else None
        provider.answer("Yes", Finished(usage=Usage(20, 10)))
        provider.answer("Half of", asyncio.Event())
        provider.answer("All of it", Finished(usage=Usage(40, 5)))
        settings = {"prices": PRICES, **user_limit(requests_per_day=9)}
        async with killed(start(**settings, let_in=[eve])) as bot:
            await say("@demo_bot one" if in_group else "one", chat=group)
            await eve.say("@demo_bot two two two two" if in_group else "two two two two", chat=group)
            await emu.wait_for(lambda: len(provider.requests) == 2)
        async with start(**settings) as bot:
            place = group or eve.private_chat()
            await emu.wait_for_message(
                place, lambda message: message.text == "All of it" and "Stop" not in message.labels
            )
            used = await bot.core.database.read(lambda conn: usage.total(conn, usage.EVER, eve.id))
            trail = await bot.core.database.read(lambda conn: requests.recent(conn, 9))
        assert [(row.status, row.turn_id == trail[0].turn_id, row.attempt) for row in trail] == [
            ("ok", True, 2),
            ("interrupted", True, 1),
            ("ok", False, 1),
        ]
        # Two counted by the provider, and one estimated: question, history and what surrounds them.
        estimated = used.input_tokens - 60
        assert 5 <= estimated <= 60
        assert (used.requests, used.output_tokens, used.cost_micros) == (3, 15, 75 + estimated)

    async def test_nobody_gets_free_questions_by_crashes(
        self,
        emu: Emulator,
        say: Say,
        eve: EmulatedUser,
        start: Start,
        killed: Killed,
        provider: ScriptedProvider,
    ) -> None:
        provider.answer("Half of", asyncio.Event())
        settings = {"turns__attempts": 1, **user_limit(requests_per_day=1)}
        async with killed(start(**settings, let_in=[eve])):
            await eve.say("one")
            await emu.wait_for(lambda: provider.requests)
        async with start(**settings):
            await emu.wait_for(lambda: any("interrupted too often" in text for text in eve.private_chat().bot_texts))
            refused = await say("two")
        assert "used up" in refused.text
        assert len(provider.requests) == 1

    async def test_only_what_asks_a_model_counts_and_of_strangers_nothing(
        self, emu: Emulator, eve: EmulatedUser, ann: EmulatedUser, start: Start, provider: ScriptedProvider
    ) -> None:
        mallory, fay, gus = (emu.add_user(first_name=name) for name in ("Mallory", "Fay", "Gus"))

        def begin(conn: Connection, updates: Sequence[dict[str, object]]) -> None:
            inbox.add_updates(conn, filter(None, map(to_inbox, updates)), milliseconds(SystemClock()))
            inbox_claims.claim(conn, 9, 1, max_attempts=3)

        def update(number: int, person: EmulatedUser, **content: object) -> dict[str, object]:
            sender = {"id": person.id, "is_bot": False, "first_name": person.first_name}
            chat = {"id": person.id, "type": "private", "first_name": person.first_name}
            message = {"message_id": number, "date": 1, "from": sender, "chat": chat}
            return {"update_id": number, "message": message | content}

        async with start(let_in=[eve, fay, gus]) as bot:
            updates = [
                update(900, eve, text="/usage"),
                update(901, mallory, text="Hello?"),
                update(902, ann, text="Hello?"),
                update(903, fay, text="/fork Hello?", reply_to_message={}),
                update(904, gus),
            ]
            await bot.stop()
            await bot.core.database.write(lambda conn: begin(conn, updates))
        async with start() as bot:
            await emu.wait_for(lambda: provider.requests)
            trail = await bot.core.database.read(lambda conn: requests.recent(conn, 9))
            counted = {(row.user_id, row.status) for row in trail if row.status == "interrupted"}
        assert counted == {(ann.id, "interrupted"), (fay.id, "interrupted")}


class TestRate:
    async def test_too_fast_is_told_once_and_asks_nobody(
        self,
        emu: Emulator,
        say: Say,
        eve: EmulatedUser,
        start: Start,
        provider: ScriptedProvider,
        clock: ManualClock,
    ) -> None:
        async with start(budgets__messages_per_minute=2, let_in=[eve]):
            await say("one")
            await say("/new")
            await say("two")
            refused = await say("three")
            await eve.say("four")
            await eve.say("five")
            # Commands that ask no model still work, and the last one shows that the others are dealt with.
            after = await say("/undo")
            await clock.advance(60)
            await say("six")
        assert refused.text.startswith("That was too fast for me: I take 2 questions a minute from each person.")
        assert after.text.startswith("Taken back")
        assert provider.questions == ["one", "two", "six"]
        assert sum("too fast" in text for text in eve.private_chat().bot_texts) == 1

    async def test_an_album_that_comes_too_fast_is_no_longer_marked_as_waiting(
        self, emu: Emulator, eve: EmulatedUser, start: Start, provider: ScriptedProvider
    ) -> None:
        go_on, chat = asyncio.Event(), eve.private_chat()
        provider.answer(go_on, "slow")
        async with start(clock=SystemClock(), budgets__messages_per_minute=1, let_in=[eve]):
            await eve.say("one")
            await emu.wait_for(lambda: provider.requests)
            album = await eve.album([("a.jpg", b"a"), ("b.jpg", b"b")], caption="What is this?")
            await emu.wait_for(lambda: all(any(item.reactions.values()) for item in album))
            go_on.set()
            await emu.wait_for_message(chat, lambda message: "too fast" in message.text)
            await emu.wait_for(lambda: not any(any(item.reactions.values()) for item in album))

    async def test_it_counts_all_chats_together(
        self,
        emu: Emulator,
        say: Say,
        eve: EmulatedUser,
        ann: EmulatedUser,
        start: Start,
    ) -> None:
        group = emu.add_group(title="Team", members=[eve, ann])
        async with start(budgets__messages_per_minute=1, let_in=[eve]) as bot:
            await bot.core.database.write(lambda conn: _approve(conn, bot, group.id))
            await say("one")
            refused = await say("@demo_bot two", chat=group)
        assert "too fast" in refused.text

    async def test_admins_are_exempt_unless_they_are_not(self, say: Say, ann: EmulatedUser, start: Start) -> None:
        async with start(budgets__messages_per_minute=1):
            assert [(await say(word, by=ann)).text for word in ("one", "two")] == ["one", "two"]
        async with start(budgets__messages_per_minute=1, budgets__admins_exempt=False):
            assert [("fast" in (await say(word, by=ann)).text) for word in ("one", "two")] == [False, True]


def _approve(conn: Connection, bot: RunningBot, chat_id: int) -> None:
    groups.request(conn, chat_id, "Team", 1)
    bot.core.access.groups.decide_in(conn, chat_id, "approve", SHELL)


class TestUsage:
    async def test_people_see_what_they_have_left(
        self, say: Say, eve: EmulatedUser, start: Start, provider: ScriptedProvider
    ) -> None:
        provider.answer("Yes", Finished(usage=Usage(100, 100)))
        limits = {"requests_per_day": 4, "usd_per_month": 0.001}
        async with start(prices=PRICES, **user_limit(**limits), let_in=[eve]):
            await say("one")
            told = (await say("/usage")).text.splitlines()
        assert told[-3:] == [
            "Your budget:",
            f"███░░░░░░░░░ 25 %, requests for today: 1 of 4, 3 left until {TOMORROW}",
            "██░░░░░░░░░░ 20 %, cost for this month: $0.0002 of $0.001, $0.0008 left until 2026-12-01 00:00 (UTC)",
        ]

    async def test_admins_see_the_bots_too(self, say: Say, ann: EmulatedUser, start: Start) -> None:
        async with start(budgets__bot={"requests_per_day": 9}):
            told = (await say("/usage", by=ann)).text.splitlines()
        assert told[-2:] == [
            "The bot's budget:",
            f"░░░░░░░░░░░░ 0 %, requests for today: 0 of 9, 9 left until {TOMORROW}",
        ]

    async def test_in_a_group_its_members_see_the_groups(
        self, emu: Emulator, say: Say, ann: EmulatedUser, start: Start
    ) -> None:
        group = emu.add_group(title="Team", members=[ann])
        async with start(budgets__group={"requests_per_day": 2}):
            told = (await say("/usage@demo_bot", by=ann, chat=group)).text.splitlines()
        assert told[-2].startswith("The budget of this group")


class TestAdmin:
    async def test_a_limit_is_set_seen_given_more_and_reset_by_text(
        self, say: Say, eve: EmulatedUser, ann: EmulatedUser, start: Start
    ) -> None:
        eve.username = "eve"
        async with start(let_in=[eve]) as bot:
            shown = (await say("/admin budget @eve set requests/day 1", by=ann)).text
            await say("one")
            assert "used up" in (await say("two")).text
            given = (await say(f"/admin budget {eve.id} give requests/day 2", by=ann)).text
            reset = (await say(f"/admin budget {eve.id} reset", by=ann)).text
            lifted = (await say(f"/admin budget {eve.id} lift requests/day", by=ann)).text
            default = (await say(f"/admin budget {eve.id} default requests/day", by=ann)).text
            trail = await bot.core.database.read(lambda conn: audit.list_recent(conn, 5, target=str(eve.id)))
            told = (await say(f"/admin audit {eve.id}", by=ann)).text
        assert shown.splitlines() == [
            f"Budget of Eve @eve ({eve.id})",
            "",
            f"░░░░░░░░░░░░ 0 %, requests for today: 0 of 1, 1 left until {TOMORROW} (set here)",
        ]
        assert "requests for today: 1 of 3, 2 left" in given
        assert "requests for today: 0 of 1, 1 left" in reset
        assert "requests for today: no limit (set here)" in lifted
        assert default.splitlines()[-1] == "There is no limit."
        assert {(row.actor_id, row.source) for row in trail} == {(ann.id, "telegram")}
        assert f"budget.set Eve @eve ({eve.id}): requests/day default → 1" in told
        assert [row.action for row in trail] == [f"budget.{what}" for what in ("clear", "lift", "reset", "give", "set")]

    async def test_the_same_by_buttons(self, emu: Emulator, say: Say, ann: EmulatedUser, start: Start) -> None:
        async def press(label: str) -> str:
            before = menu.text, menu.labels
            await ann.press(menu, label)
            await emu.wait_for(lambda: (menu.text, menu.labels) != before)
            return menu.text

        async with start():
            menu = await say("/admin budget", by=ann)
            assert (await press("The bot's budget")).splitlines() == ["The bot's budget", "", "There is no limit."]
            await press("cost for this month")
            assert "$0.00 of $5.00" in await press("Limit: $5.00")
            await press("cost for this month")
            assert "$0.00 of $7.50" in await press("Extra: $2.50")
            assert "$0.00 of $5.00" in await press("Count from zero")
            await press("cost for this month")
            assert "cost for this month: no limit" in await press("No limit")
            await press("cost for this month")
            assert await press("Default") == "The bot's budget\n\nThere is no limit."
            assert (await press("« Budgets")).startswith("Budgets.")

    async def test_the_person_is_told_of_each_change_in_their_language(
        self, emu: Emulator, say: Say, ann: EmulatedUser, start: Start
    ) -> None:
        ivan = emu.add_user(first_name="Ivan", language_code="ru")
        changes = ("set requests/day 5", "set requests/day 5", "give requests/day 2", "reset", "lift requests/day")
        async with start(let_in=[ivan]):
            await say("/start", by=ivan)
            for change in changes:
                await say(f"/admin budget {ivan.id} {change}", by=ann)
            await emu.wait_for(lambda: "без ограничения" in ivan.private_chat().bot_texts[-1])
            told = ivan.private_chat().bot_texts[1:]
        assert told == [
            f"💰 Администратор изменил ваш бюджет: {what}. Сколько осталось: /usage"
            for what in (
                "запросы на сегодня: 5",
                "запросы на сегодня: дополнительно 2",
                "использованное снова считается с нуля",
                "запросы на сегодня: без ограничения",
            )
        ]

    async def test_who_changes_their_own_sees_the_answer_only(self, say: Say, ann: EmulatedUser, start: Start) -> None:
        async with start():
            await say(f"/admin budget {ann.id} set requests/day 5", by=ann)
            # The outbox of a chat is in order, so what was told of the change would be there by now.
            await say("/admin budget", by=ann)
        assert not any("changed your budget" in text for text in ann.private_chat().bot_texts)

    async def test_the_other_admins_are_told_by_whom_and_what(
        self, emu: Emulator, say: Say, ann: EmulatedUser, start: Start
    ) -> None:
        cat = emu.add_user(first_name="Cat")
        group = emu.add_group(title="The\nTeam", members=[ann])
        commands = (
            "bot set usd/month 20",
            "bot set usd/month 20",
            "bot reset",
            "user set requests/day 50",
            f"{group.id} give usd/month 2",
        )
        async with start(admins=[ann.id, cat.id], budgets__group={"usd_per_month": 5}) as bot:
            await bot.core.database.write(decide_group(group, title="The\nTeam"))
            for person in (ann, cat):
                await say("/start", by=person)
            for command in commands:
                await say(f"/admin budget {command}", by=ann)
            await emu.wait_for(lambda: len(cat.private_chat().bot_texts) == 1 + len(commands) - 1)
            told = cat.private_chat().bot_texts[1:]
        assert told == [
            f"💰 {what}. Changed by Ann ({ann.id})"
            for what in (
                "The bot's budget: cost for this month: $20.00",
                "The bot's budget: use is counted from zero again",
                "The budget of each person with the role user: requests for today: 50",
                f"The budget of the group The Team ({group.id}): cost for this month: $2.00 extra",
            )
        ]
        assert not any("Changed by" in text for text in ann.private_chat().bot_texts)

    async def test_the_admin_chat_is_told_of_what_was_not_done_there(
        self, emu: Emulator, say: Say, ann: EmulatedUser, start: Start
    ) -> None:
        admins = emu.add_group(title="Admins", members=[ann])
        async with start(admin_chat_id=admins.id) as bot:
            await say("/admin@demo_bot budget bot set usd/month 20", by=ann, chat=admins)
            await say("/admin budget bot set usd/month 30", by=ann)
            change = SetLimit("cost", "month", None)
            await bot.core.database.write(lambda conn: bot.core.budgets.change(conn, BOT, [change], SHELL))
            await say("/admin@demo_bot budget bot", by=ann, chat=admins)
            told = [text for text in admins.bot_texts if "Changed by" in text]
        assert told == [
            f"💰 The bot's budget: cost for this month: $30.00. Changed by Ann ({ann.id})",
            "💰 The bot's budget: cost for this month: no limit. Changed by the operator",
        ]

    async def test_who_may_not_use_the_bot_is_told_nothing(
        self, emu: Emulator, say: Say, eve: EmulatedUser, ann: EmulatedUser, start: Start
    ) -> None:
        async with start():
            waiting = await say("/start")
            await say(f"/admin budget {eve.id} set requests/day 5", by=ann)
            await say(f"/admin approve {eve.id}", by=ann)
            told = await emu.wait_for_message(eve.private_chat(), lambda message: message.from_bot, after=waiting)
        assert told.text.startswith("✅")

    async def test_groups_are_called_by_their_title(
        self, emu: Emulator, say: Say, ann: EmulatedUser, start: Start
    ) -> None:
        group = emu.add_group(title="The\nTeam", members=[ann])
        async with start() as bot:
            await bot.core.database.write(decide_group(group, title="The\nTeam"))
            shown = await say(f"/admin budget {group.id} set usd/month 5", by=ann)
            trail = await say("/admin audit", by=ann)
        assert shown.text.splitlines()[0] == f"Budget of The Team ({group.id})"
        assert f"budget.set The Team ({group.id}): usd/month default → 5" in trail.text

    async def test_roles_have_limits_only(self, say: Say, ann: EmulatedUser, start: Start) -> None:
        async with start(**user_limit(tokens_per_day=1000)):
            shown = (await say("/admin budget user", by=ann)).text
            refused = (await say("/admin budget user reset", by=ann)).text
        assert shown.splitlines() == [
            "Budget of each person with the role: user",
            "",
            "tokens for today: 1\u202f000 (settings)",
        ]
        assert refused == ("Roles have limits only: give extra to a person, to a group or to the bot, and reset those.")

    @pytest.mark.parametrize(
        ("argument", "words"),
        [
            ("nobody", 'no budget of "nobody"'),
            ("bot set usd/week 5", "is not a valid limit"),
            ("bot set usd/day much", "is not a valid amount"),
            ("bot set", "is not a valid limit"),
            ("bot give usd/day 5", "There is no limit to change here. Set one first"),
            ("bot shout", "/admin budget <whose> set requests/day 50"),
            ("7000 set usd/day 5", "7000"),
            ("@nobody", "nobody"),
        ],
    )
    async def test_what_is_wrong_is_told(
        self, say: Say, ann: EmulatedUser, start: Start, argument: str, words: str
    ) -> None:
        async with start() as bot:
            told = (await say(f"/admin budget {argument}", by=ann)).text
            report = await bot.core.database.read(lambda conn: bot.core.budgets.report(conn, BOT))
        assert words in told
        assert report.limits == []

    async def test_who_is_no_admin_changes_nothing(self, say: Say, eve: EmulatedUser, start: Start) -> None:
        async with start(**user_limit(requests_per_day=1), let_in=[eve]) as bot:
            refused = await say(f"/admin budget {eve.id} lift requests/day")
            report = await bot.core.database.read(lambda conn: bot.core.budgets.report(conn, BudgetScope.user(eve.id)))
        assert "Only admins" in refused.text
        assert [limit.amount for limit in report.limits] == [1]
