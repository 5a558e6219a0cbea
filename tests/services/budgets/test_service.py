"""Budgets: what counts on them, what turns at the same time can do, and what admins change."""

import asyncio
import json
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from plugin_support import LoadHost
from tgllm.api import (
    BudgetExceeded,
    ChatInfo,
    ChatMessage,
    ChatRequest,
    Finished,
    ModelRef,
    StreamEvent,
    TextDelta,
    TextPart,
    Unavailable,
    Usage,
    UserInfo,
    Waiting,
)
from tgllm.config.sections.budgets import BudgetsSection, GroupsSection
from tgllm.config.sections.prices import PriceSetting
from tgllm.db.database import Database
from tgllm.db.engine.unit import Connection
from tgllm.db.tables import audit, budgets, models, outbox, requests, usage, users
from tgllm.db.tables.usage import Spent, Total
from tgllm.i18n import Catalogue
from tgllm.services.budgets.admin_changes import BudgetChange, ClearLimit, GiveExtra, ResetUse, SetLimit
from tgllm.services.budgets.budget_scope import BOT, BudgetError, BudgetScope
from tgllm.services.budgets.service import BudgetService, ScopeReport
from tgllm.services.common.actor import SHELL, Actor
from tgllm.services.common.calendar import Days
from tgllm.services.common.lane import Lane
from tgllm.services.conversations.settings import TurnSettings
from tgllm.services.conversations.turn import ShownEvent, Turn, TurnOutcome
from tgllm.services.messaging.admins import AdminNotifier
from tgllm.services.models.pricing import Prices
from tgllm.services.models.registry import ProviderRegistry
from tgllm.services.people.decisions import AccessError
from tgllm.services.turns.account_alerts import AccountAlerts
from tgllm.services.turns.runner import ConversationService
from tgllm.services.turns.running import RunningTurns
from tgllm.services.turns.services import TurnServices
from tgllm.services.usage.accounting import Accounting
from tgllm.testing.clock import ManualClock
from tgllm.testing.scripted import ScriptedProvider

ANN, BOB, EVE = 7, 8, 9
CROWD = range(100, 150)
GROUP = -100
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC).timestamp()
PRICE = PriceSetting(model="scripted/model", input=1.0, output=2.0)
MODEL = ModelRef("scripted", "model")
USER = BudgetScope.user(BOB)


class Sink:
    """Shows nothing and sends nothing."""

    def __init__(self) -> None:
        self.events: list[ShownEvent] = []
        self.shown = asyncio.Event()

    def show(self, event: ShownEvent) -> None:
        self.events.append(event)
        self.shown.set()

    async def finish(self, outcome: TurnOutcome) -> list[outbox.NewOutbox]:
        return []


class Together(ScriptedProvider):
    """Answers when it is told to; counts how many questions it has had at once."""

    def __init__(self, tokens: Usage) -> None:
        super().__init__()
        self.go = asyncio.Event()
        self.tokens = tokens
        self.most_at_once = 0
        self._waiters: list[tuple[int, asyncio.Event]] = []

    async def asked(self, count: int = 1) -> None:
        """Wait until that many questions have come."""
        came = asyncio.Event()
        self._waiters.append((count, came))
        self._wake()
        await came.wait()

    def _wake(self) -> None:
        for count, came in self._waiters:
            if len(self.requests) >= count:
                came.set()

    async def generate(self, request: ChatRequest) -> AsyncGenerator[StreamEvent, None]:
        self.requests.append(request)
        self._wake()
        self.open_streams += 1
        self.most_at_once = max(self.most_at_once, self.open_streams)
        try:
            await self.go.wait()
            yield TextDelta("Yes")
            yield Finished(usage=self.tokens)
        finally:
            self.open_streams -= 1


@dataclass
class Bench:
    """A conversation service with budgets."""

    service: ConversationService
    budgets: BudgetService
    database: Database
    provider: ScriptedProvider
    running: RunningTurns
    clock: ManualClock
    turn: Turn
    sink: Sink = field(default_factory=Sink)
    count: int = 0

    def question(self, user: int = BOB, *, group: int | None = None, role: str = "user", text: str = "Hello?") -> Turn:
        self.count += 1
        chat = ChatInfo(user, "private") if group is None else ChatInfo(group, "supergroup")
        lane = Lane(chat.id, self.count)
        return replace(
            self.turn,
            id=f"u{self.count}",
            lane=lane.key,
            user=UserInfo(user, "Somebody", role),  # type: ignore[arg-type]  one of the roles
            chat=chat,
            text=text,
            message_id=self.count,
        )

    async def ask(self, user: int = BOB, **how: Any) -> TurnOutcome:
        return await self.service.run(self.question(user, **how), self.sink)

    async def told(self) -> list[tuple[int | None, str]]:
        def read(conn: Connection) -> list[tuple[int | None, str]]:
            query = "SELECT chat_id, json_extract(payload, '$.text') AS text FROM outbox ORDER BY id"
            rows = conn.execute(query).fetchall()
            return [(row["chat_id"], row["text"]) for row in rows]

        return await self.database.read(read)

    async def change(self, scope: BudgetScope, *changes: BudgetChange, actor: Actor = SHELL) -> ScopeReport:
        def unit(conn: Connection) -> ScopeReport:
            self.budgets.change(conn, scope, changes, actor)
            return self.budgets.report(conn, scope)

        return await self.database.write(unit)

    async def used(self, user: int | None = None) -> Total:
        return await self.database.read(lambda conn: usage.total(conn, usage.EVER, user))

    async def left(self, scope: BudgetScope) -> list[int]:
        report = await self.database.read(lambda conn: self.budgets.report(conn, scope))
        return [each.left for each in report.budgets]


Make = Callable[..., Awaitable[Bench]]


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOON)


@pytest.fixture
async def bench(database: Database, load_host: LoadHost, clock: ManualClock, turn: Turn) -> Make:
    async def make(
        *,
        provider: ScriptedProvider | None = None,
        prices: tuple[PriceSetting, ...] = (PRICE,),
        zone: str = "UTC",
        pays: str = "member",
        **limits: Any,
    ) -> Bench:
        provider = provider or ScriptedProvider()
        host = await load_host(provider.plugin)
        running = RunningTurns()
        section = BudgetsSection.model_validate(limits)
        accounting = Accounting(Prices(prices, fallback=section.fallback_price), Days(ZoneInfo(zone)))
        notifier = AdminNotifier(database, clock, None)
        groups = GroupsSection.model_validate({"pays": pays})
        budget_service = BudgetService(database, clock, accounting, Catalogue(strict=True), notifier, section, groups)
        settings = TurnSettings("scripted/model", None, 8000, 60.0, accounting=accounting)
        services = TurnServices(
            database=database,
            clock=clock,
            registry=ProviderRegistry(host),
            host=host,
            running=running,
            budgets=budget_service,
            account_alerts=AccountAlerts(notifier, settings.texts, clock),
        )
        service = ConversationService(services, settings)

        def people(conn: Connection) -> None:
            users.ensure_owners(conn, [ANN], 0)
            for user in (BOB, EVE, *CROWD):
                users.upsert_seen(conn, users.SeenUser(user, first_name="B"), 0)
                users.set_status(conn, user, "active", 0)
                users.set_role(conn, user, "user", 0)

        await database.write(people)
        return Bench(service, budget_service, database, provider, running, clock, turn)

    return make


def per_user(**limits: float) -> Mapping[str, Any]:
    return {"roles": {"user": limits}}


class TestLimits:
    @pytest.mark.parametrize(
        ("limits", "measure", "used", "limit"),
        [
            ({"requests_per_day": 2}, "requests", 2, 2),
            ({"tokens_per_month": 210}, "tokens", 220, 210),
            ({"usd_per_day": 0.00022}, "cost", 220, 220),
        ],
    )
    async def test_what_is_used_up_is_refused_without_a_call(
        self, bench: Make, limits: dict[str, float], measure: str, used: int, limit: int
    ) -> None:
        it = await bench(**per_user(**limits))
        for _ in range(2):
            it.provider.answer("Yes", Finished(usage=Usage(110, 0)))
            assert (await it.ask()).status == "ok"
        outcome = await it.ask()
        assert isinstance(outcome.error, BudgetExceeded)
        assert (outcome.status, outcome.text, len(it.provider.requests)) == ("failed", "", 2)
        assert {key: outcome.error.params[key] for key in ("whose", "measure", "used", "limit")} == {
            "whose": "user",
            "measure": measure,
            "used": used,
            "limit": limit,
        }
        assert (await it.used()).requests == 2
        assert len(await it.database.read(lambda conn: requests.recent(conn, 10))) == 2
        assert (await it.ask(EVE)).status == "ok"

    async def test_the_question_of_a_refused_turn_can_be_asked_again(self, bench: Make) -> None:
        it = await bench(**per_user(requests_per_day=1))
        await it.ask()
        refused = await it.ask()
        assert refused.asked is False
        await it.change(USER, GiveExtra("requests", "day", 1))
        assert (await it.ask()).status == "ok"

    async def test_a_question_that_needs_more_than_is_left_is_refused(self, bench: Make) -> None:
        it = await bench(**per_user(tokens_per_day=100))
        outcome = await it.ask(text="word " * 200)
        assert isinstance(outcome.error, BudgetExceeded)
        assert (outcome.error.params["used"], outcome.error.params["need"]) == (0, 308)
        assert (await it.ask(text="Hello?")).status == "ok"

    async def test_days_and_months_begin_anew_where_the_bot_lives(self, bench: Make) -> None:
        it = await bench(zone="Europe/Berlin", **per_user(requests_per_day=1, requests_per_month=2))
        await it.ask()
        first = await it.ask()
        assert first.error is not None
        assert first.error.params["until"] == "2026-11-23 00:00 (Europe/Berlin)"
        await it.clock.advance(11 * 3600)
        # 23:00 UTC is midnight in Berlin.
        assert (await it.ask()).status == "ok"
        await it.clock.advance(24 * 3600)
        second = await it.ask()
        assert second.error is not None
        assert (second.error.params["period"], second.error.params["until"]) == (
            "month",
            "2026-12-01 00:00 (Europe/Berlin)",
        )
        await it.clock.advance(7 * 24 * 3600)
        assert (await it.ask()).status == "ok"

    async def test_roles_have_their_own_and_others_none(self, bench: Make) -> None:
        it = await bench(roles={"guest": {"requests_per_day": 1}})
        assert [(await it.ask(EVE, role="guest")).status for _ in range(2)] == ["ok", "failed"]
        assert [(await it.ask(ANN, role="owner")).status for _ in range(3)] == ["ok"] * 3

    async def test_owners_have_a_limit_if_their_role_has_one(self, bench: Make) -> None:
        it = await bench(roles={"owner": {"requests_per_day": 1}})
        assert [(await it.ask(ANN, role="owner")).status for _ in range(2)] == ["ok", "failed"]

    async def test_the_bots_counts_everybody(self, bench: Make) -> None:
        it = await bench(bot={"requests_per_day": 2})
        await it.ask(BOB)
        await it.ask(ANN, role="owner", group=GROUP)
        outcome = await it.ask(EVE)
        assert outcome.error is not None
        assert outcome.error.params["whose"] == "bot"

    @pytest.mark.sqlite  # counts SQLite's statements
    async def test_nothing_is_summed_where_there_is_no_budget(self, bench: Make) -> None:
        it = await bench()
        seen: list[str] = []
        question = it.question()

        def load(conn: Connection) -> None:
            conn.set_trace_callback(seen.append)
            with it.budgets.reservation(question) as reservation:
                reservation.load(conn, it.service.load(conn, question).model)
            conn.set_trace_callback(None)

        await it.database.read(load)
        assert [line for line in seen if "usage" in line or "budget_periods" in line] == []
        assert len([line for line in seen if "FROM budgets" in line]) == 1


class TestGroups:
    async def test_a_group_has_a_budget_of_its_own(self, bench: Make) -> None:
        it = await bench(group={"requests_per_day": 2})
        await it.ask(BOB, group=GROUP)
        await it.ask(EVE, group=GROUP)
        outcome = await it.ask(BOB, group=GROUP)
        assert outcome.error is not None
        assert outcome.error.params["whose"] == "group"
        assert (await it.ask(BOB, group=GROUP - 1)).status == "ok"
        assert (await it.ask(BOB)).status == "ok"

    async def test_a_member_pays_in_groups_too(self, bench: Make) -> None:
        it = await bench(**per_user(requests_per_day=2))
        await it.ask(BOB, group=GROUP)
        await it.ask(BOB)
        assert (await it.ask(BOB, group=GROUP)).status == "failed"

    async def test_or_the_group_pays_alone(self, bench: Make) -> None:
        it = await bench(pays="group", **per_user(requests_per_day=1))
        assert [(await it.ask(BOB, group=GROUP)).status for _ in range(3)] == ["ok"] * 3
        assert [(await it.ask(BOB)).status for _ in range(2)] == ["ok", "failed"]
        assert (await it.used(BOB)).requests == 4


class TestCounting:
    async def test_what_the_provider_counts_is_counted(self, bench: Make) -> None:
        it = await bench()
        it.provider.answer("Yes", Finished(usage=Usage(1000, 500)))
        await it.ask()
        assert await it.used(BOB) == Total(1, 1000, 500, 2000, 0)

    async def test_what_it_does_not_count_is_estimated(self, bench: Make) -> None:
        it = await bench()
        it.provider.answer("x" * 33, Finished())
        await it.ask(text="y" * 33)
        assert await it.used(BOB) == Total(1, 14, 10, 34, 0)

    async def test_a_stopped_answer_counts_what_came(self, bench: Make) -> None:
        it = await bench()
        it.provider.answer("x" * 33, asyncio.Event())
        question = it.question(text="y" * 33)
        async with asyncio.TaskGroup() as group:
            running = group.create_task(it.service.run(question, it.sink))
            await it.sink.shown.wait()
            it.running.stop(question.lane)
        assert running.result().status == "stopped"
        assert await it.used(BOB) == Total(1, 14, 10, 34, 0)

    async def test_a_call_that_failed_at_once_counts_as_a_request(self, bench: Make) -> None:
        it = await bench()
        it.provider.answer(Unavailable())
        await it.ask()
        assert await it.used(BOB) == Total(1, 0, 0, 0, 0)

    async def test_a_call_that_failed_in_the_middle_counts_what_came(self, bench: Make) -> None:
        it = await bench()
        it.provider.answer("x" * 33, Unavailable())
        await it.ask(text="y" * 33)
        assert await it.used(BOB) == Total(1, 14, 10, 34, 0)

    async def test_an_unknown_price_is_counted_by_the_fallback(self, bench: Make) -> None:
        it = await bench(prices=(), fallback_price=3.0, **per_user(usd_per_day=0.0003))
        it.provider.answer("Yes", Finished(usage=Usage(60, 40)))
        await it.ask()
        assert await it.used(BOB) == Total(1, 60, 40, 300, 0)
        assert (await it.ask()).status == "failed"

    async def test_without_a_fallback_it_counts_as_unpriced(self, bench: Make) -> None:
        it = await bench(prices=())
        it.provider.answer("Yes", Finished(usage=Usage(60, 40)))
        await it.ask()
        assert await it.used(BOB) == Total(1, 60, 40, 0, 1)

    async def test_a_free_model_answers_when_the_money_is_gone(self, bench: Make) -> None:
        free = PriceSetting(model="scripted/model", input=0, output=0)
        it = await bench(prices=(free,), **per_user(usd_per_day=0.01))
        await it.database.write(
            lambda conn: usage.add(conn, BOB, "2026-11-22", "dear", "one", Spent(cost_micros=20_000))
        )
        assert (await it.ask()).status == "ok"


class TestAtOnce:
    @pytest.mark.parametrize(
        ("limits", "answers"),
        [
            ({"requests_per_day": 10}, 10),
            # 100 tokens each: nine leave 100, the tenth uses them up.
            ({"tokens_per_day": 1000}, 10),
            # The last one begins with ten tokens left.
            ({"tokens_per_day": 910}, 10),
            ({"usd_per_day": 0.001}, 10),
        ],
    )
    async def test_fifty_turns_overspend_by_no_more_than_one_answer(
        self, bench: Make, limits: dict[str, float], answers: int
    ) -> None:
        provider = Together(Usage(100, 0))
        it = await bench(provider=provider, **per_user(**limits))
        questions = [it.question() for _ in range(50)]
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(it.service.run(question, Sink())) for question in questions]
            await provider.asked()
            provider.go.set()
        statuses = [task.result().status for task in tasks]
        assert statuses.count("ok") == answers
        assert all(isinstance(task.result().error, BudgetExceeded) for task in tasks if task.result().error)
        assert await it.used(BOB) == Total(answers, 100 * answers, 0, 100 * answers, 0)

    async def test_answers_that_are_longer_than_ever_overspend_by_one(self, bench: Make) -> None:
        provider = Together(Usage(10, 3000))
        it = await bench(provider=provider, **per_user(tokens_per_day=9000))
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(it.service.run(it.question(), Sink())) for _ in range(50)]
            await provider.asked()
            provider.go.set()
        used = (await it.used(BOB)).output_tokens
        assert 9000 - 3000 < used < 9000 + 3000
        assert [task.result().status for task in tasks].count("ok") * 3000 == used

    async def test_what_is_learnt_of_a_models_tokens_is_reserved(self, bench: Make) -> None:
        """The estimate is some 300 tokens for a question of 1000."""
        provider = Together(Usage(1000, 10))
        it = await bench(provider=provider, **per_user(tokens_per_day=10_000))
        known = models.NewModel(provider="scripted", model="model", title="M", max_output_tokens=10)
        await it.database.write(lambda conn: models.upsert(conn, [known], 0))
        text = "word " * 200
        async with asyncio.TaskGroup() as group:
            first = group.create_task(it.service.run(it.question(text=text), Sink()))
            await provider.asked()
            provider.go.set()
            await first
            provider.go.clear()
            for _ in range(50):
                group.create_task(it.service.run(it.question(text=text), Sink()))
            await provider.asked(2)
            provider.go.set()
        assert 9000 <= (await it.used(BOB)).input_tokens <= 10_000 + 1010

    async def test_they_run_side_by_side_while_there_is_room(self, bench: Make) -> None:
        provider = Together(Usage(10, 10))
        it = await bench(provider=provider, **per_user(tokens_per_day=1_000_000))
        async with asyncio.TaskGroup() as group:
            for _ in range(50):
                group.create_task(it.service.run(it.question(), Sink()))
            await provider.asked(50)
            provider.go.set()
        assert provider.most_at_once == 50

    async def test_fifty_people_share_the_bots(self, bench: Make) -> None:
        provider = Together(Usage(100, 0))
        it = await bench(provider=provider, bot={"tokens_per_month": 1000})
        async with asyncio.TaskGroup() as group:
            for user in CROWD:
                group.create_task(it.service.run(it.question(user), Sink()))
            await provider.asked()
            provider.go.set()
        assert (await it.used()).input_tokens == 1000

    async def test_a_turn_that_ends_between_reading_and_asking_counts(self, bench: Make) -> None:
        it = await bench(**per_user(requests_per_day=1))
        one, other = it.question(), it.question()
        request = ChatRequest("model", (ChatMessage("user", (TextPart("Hello?"),)),))
        with it.budgets.reservation(one) as first, it.budgets.reservation(other) as second:
            await it.database.read(lambda conn: first.load(conn, MODEL))
            await first.reserve(request, 5, lambda: None)
            await it.database.read(lambda conn: second.load(conn, MODEL))
            with first:
                it.budgets.settle(one, first, Usage(1, 1))
                await it.database.write(lambda conn: usage.add(conn, BOB, "2026-11-22", "scripted", "model", Spent()))
            with pytest.raises(BudgetExceeded):
                await second.reserve(request, 5, lambda: None)

    async def test_who_waits_is_told_and_can_stop(self, bench: Make) -> None:
        provider = Together(Usage(10, 10))
        it = await bench(provider=provider, **per_user(tokens_per_day=50))
        waiting, sink = it.question(), Sink()
        async with asyncio.TaskGroup() as group:
            first = group.create_task(it.service.run(it.question(), Sink()))
            await provider.asked()
            second = group.create_task(it.service.run(waiting, sink))
            await sink.shown.wait()
            it.running.stop(waiting.lane)
            stopped = await second
            provider.go.set()
        assert sink.events == [Waiting("queue")]
        assert (stopped.status, stopped.asked, first.result().status) == ("stopped", False, "ok")
        assert (await it.used(BOB)).requests == 1

    async def test_what_a_cancelled_turn_reserved_is_free_again(self, bench: Make) -> None:
        provider = Together(Usage(10, 10))
        it = await bench(provider=provider, **per_user(tokens_per_day=50))
        task = asyncio.create_task(it.service.run(it.question(), Sink()))
        await provider.asked()
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        provider.go.set()
        assert (await it.ask()).status == "ok"


class TestAlerts:
    async def test_people_are_told_once_at_80_percent_and_once_at_the_end(self, bench: Make) -> None:
        it = await bench(**per_user(requests_per_day=5))
        for _ in range(4):
            await it.ask()
        near = "Your budget for today is 80 % used (requests: 4 of 5). It resets on 2026-11-23 00:00 (UTC)."
        assert await it.told() == [(BOB, near)]
        await it.ask()
        spent = "Your budget for today is now used up (requests: 5 of 5). It resets on 2026-11-23 00:00 (UTC)."
        assert await it.told() == [(BOB, near), (BOB, spent)]
        await it.ask()
        assert len(await it.told()) == 2
        await it.clock.advance(24 * 3600)
        for _ in range(4):
            await it.ask()
        assert len(await it.told()) == 3

    async def test_admins_are_told_of_the_bots(self, bench: Make) -> None:
        it = await bench(bot={"usd_per_month": 0.001})
        for _ in range(10):
            it.provider.answer("Yes", Finished(usage=Usage(90, 0)))
            await it.ask()
        near = "The bot's budget for this month is 81 % used (cost: $0.00081 of $0.001)."
        assert await it.told() == [
            (ANN, f"{near} It resets on 2026-12-01 00:00 (UTC); details: /admin budget bot"),
        ]
        for _ in range(5):
            it.provider.answer("Yes", Finished(usage=Usage(90, 0)))
            await it.ask()
        assert [text.partition(" (")[0] for _, text in (await it.told())[1:]] == [
            "The bot's budget for this month is used up"
        ]

    async def test_turns_at_once_tell_it_once(self, bench: Make) -> None:
        provider = Together(Usage(1, 1))
        it = await bench(provider=provider, **per_user(requests_per_day=10))
        async with asyncio.TaskGroup() as group:
            for _ in range(9):
                group.create_task(it.service.run(it.question(), Sink()))
            await provider.asked(9)
            provider.go.set()
        assert len(await it.told()) == 1

    async def test_a_group_is_told_in_the_group(self, bench: Make) -> None:
        it = await bench(group={"requests_per_day": 1})
        await it.ask(group=GROUP)
        ((chat, text),) = await it.told()
        assert chat == GROUP
        assert text.startswith("The budget of this group for today is now used up")

    @pytest.mark.parametrize("scope", [USER, BudgetScope.role("user")])
    async def test_of_a_new_limit_it_is_told_anew(self, bench: Make, scope: BudgetScope) -> None:
        it = await bench(**per_user(requests_per_day=1))
        await it.ask()
        await it.change(scope, SetLimit("requests", "day", 3))
        for _ in range(3):
            await it.ask()
        spent = [text for _, text in await it.told() if "used up" in text]
        assert ["1 of 1" in spent[0], "3 of 3" in spent[1], len(spent)] == [True, True, 2]

    async def test_of_extras_the_sum_is_told(self, bench: Make) -> None:
        it = await bench(**per_user(requests_per_day=1, tokens_per_day=9))
        more = [GiveExtra("requests", "day", 5), GiveExtra("tokens", "day", 1), GiveExtra("requests", "day", 5)]
        await it.change(USER, *more)
        (text,) = [text for chat, text in await it.told() if chat == BOB]
        assert "requests for today: 10 extra; tokens for today: 1 extra." in text

    async def test_whose_it_is_can_be_seen_in_a_group(self, bench: Make) -> None:
        it = await bench(**per_user(requests_per_day=1))
        question = it.question(group=GROUP)
        await it.service.run(question, it.sink)
        await it.ask(EVE)
        rows = await it.database.read(lambda conn: conn.execute("SELECT payload FROM outbox ORDER BY id").fetchall())
        in_group, in_private = (json.loads(row["payload"]) for row in rows)
        assert in_group["reply_parameters"]["message_id"] == question.message_id
        assert "reply_parameters" not in in_private


class TestChanges:
    async def test_what_admins_set_goes_before_the_config(self, bench: Make) -> None:
        it = await bench(**per_user(requests_per_day=1, tokens_per_day=1000))
        await it.change(BudgetScope.role("user"), SetLimit("requests", "day", 3))
        await it.change(USER, SetLimit("requests", "day", 2))
        assert [(await it.ask(BOB)).status for _ in range(3)] == ["ok", "ok", "failed"]
        assert [(await it.ask(EVE)).status for _ in range(4)] == ["ok", "ok", "ok", "failed"]
        await it.change(USER, ClearLimit("requests", "day"))
        assert (await it.ask(BOB)).status == "ok"

    async def test_a_lifted_limit_is_none(self, bench: Make) -> None:
        it = await bench(**per_user(requests_per_day=1))
        report = await it.change(USER, SetLimit("requests", "day", None))
        assert [(limit.amount, limit.source) for limit in report.limits] == [(None, "own")]
        assert report.budgets == ()
        assert [(await it.ask()).status for _ in range(3)] == ["ok"] * 3

    async def test_an_extra_holds_for_the_present_period(self, bench: Make) -> None:
        it = await bench(**per_user(requests_per_day=1))
        await it.ask()
        report = await it.change(USER, GiveExtra("requests", "day", 1))
        assert [(each.limit, each.used) for each in report.budgets] == [(2, 1)]
        assert [(await it.ask()).status for _ in range(2)] == ["ok", "failed"]
        await it.clock.advance(24 * 3600)
        assert [(await it.ask()).status for _ in range(2)] == ["ok", "failed"]

    async def test_a_reset_begins_at_zero_again(self, bench: Make) -> None:
        it = await bench(**per_user(requests_per_day=2, requests_per_month=3))
        await it.ask()
        await it.ask()
        await it.change(USER, GiveExtra("requests", "month", 10))
        report = await it.change(USER, ResetUse())
        assert [(each.limit, each.used) for each in report.budgets] == [(2, 0), (3, 0)]
        assert [(await it.ask()).status for _ in range(3)] == ["ok", "ok", "failed"]
        assert (await it.used(BOB)).requests == 4

    async def test_the_bot_and_groups_too(self, bench: Make) -> None:
        it = await bench()
        await it.change(BOT, SetLimit("requests", "day", 2))
        await it.change(BudgetScope.group(GROUP), SetLimit("requests", "day", 1))
        assert [(await it.ask(group=GROUP)).status for _ in range(2)] == ["ok", "failed"]
        assert [(await it.ask()).status for _ in range(2)] == ["ok", "failed"]
        await it.change(BOT, GiveExtra("requests", "day", 5))
        await it.change(BudgetScope.group(GROUP), ResetUse())
        assert (await it.left(BOT), await it.left(BudgetScope.group(GROUP))) == ([5], [1])

    async def test_each_is_in_the_audit_trail(self, bench: Make) -> None:
        it = await bench()
        ann = Actor(ANN, "telegram")
        await it.change(USER, SetLimit("tokens", "day", 100), actor=ann)
        await it.change(USER, SetLimit("tokens", "day", None), actor=ann)
        await it.change(USER, SetLimit("tokens", "day", 200), actor=ann)
        await it.change(USER, GiveExtra("tokens", "day", 5), actor=ann)
        await it.change(USER, ResetUse(), actor=ann)
        await it.change(USER, ClearLimit("tokens", "day"), actor=ann)
        rows = await it.database.read(lambda conn: audit.list_recent(conn, 10, target="8"))
        assert {(row.actor_id, row.source) for row in rows} == {(ANN, "telegram")}
        assert {row.details["limit"] for row in rows} == {"tokens/day"}
        assert [(row.action, row.details["before"], row.details["after"]) for row in reversed(rows)] == [
            ("budget.set", "default", "100"),
            ("budget.lift", "100", "none"),
            ("budget.set", "none", "200"),
            ("budget.give", None, "5"),
            ("budget.reset", "0", "0"),
            ("budget.clear", "200", "default"),
        ]

    async def test_who_is_no_admin_changes_nothing(self, bench: Make) -> None:
        it = await bench()
        with pytest.raises(AccessError):
            await it.change(USER, SetLimit("tokens", "day", 100), actor=Actor(BOB, "telegram"))
        assert await it.database.read(lambda conn: budgets.limits(conn, [USER.key])) == []

    async def test_what_makes_no_sense_is_refused_in_words(self, bench: Make) -> None:
        it = await bench()
        role = BudgetScope.role("user")
        cases: list[tuple[Awaitable[object], str]] = [
            (it.change(USER, SetLimit("tokens", "day", 0)), "budget_amount"),
            (it.change(USER, GiveExtra("tokens", "day", 5)), "budget_none"),
            (it.change(USER, ResetUse()), "budget_none"),
            (it.change(role, GiveExtra("tokens", "day", 5)), "budget_role"),
            (it.change(role, ResetUse()), "budget_role"),
        ]
        for change, code in cases:
            with pytest.raises(BudgetError) as caught:
                await change
            assert caught.value.code == code
        with pytest.raises(AccessError):
            await it.change(BudgetScope.user(99), SetLimit("tokens", "day", 5))


class TestScopes:
    @pytest.mark.parametrize(
        ("text", "key"),
        [
            ("bot", "bot"),
            ("Guest", "role:guest"),
            ("role:user", "role:user"),
            ("7", "user:7"),
            ("user:7", "user:7"),
            ("-1001234567890", "group:-1001234567890"),
            ("group:-5", "group:-5"),
        ],
    )
    def test_are_read_as_people_write_them(self, text: str, key: str) -> None:
        scope = BudgetScope.parse(text)
        assert scope.key == key
        assert BudgetScope.parse(scope.key) == scope

    @pytest.mark.parametrize("text", ["", "0", "user:-5", "group:5", "bot:1", "role:7", "nobody", "9" * 30, "user:x"])
    def test_others_are_refused(self, text: str) -> None:
        with pytest.raises(BudgetError):
            BudgetScope.parse(text)


async def test_the_longest_answer_of_a_model_is_reserved(bench: Make) -> None:
    provider = Together(Usage(10, 10))
    it = await bench(provider=provider, **per_user(tokens_per_day=1000))
    known = models.NewModel(provider="scripted", model="model", title="M", max_output_tokens=400)
    await it.database.write(lambda conn: models.upsert(conn, [known], 0))
    async with asyncio.TaskGroup() as group:
        for _ in range(2):
            group.create_task(it.service.run(it.question(), Sink()))
        await provider.asked(2)
        sink = Sink()
        group.create_task(it.service.run(it.question(), sink))
        await sink.shown.wait()
        assert (sink.events, provider.open_streams) == ([Waiting("queue")], 2)
        provider.go.set()
    assert (await it.used(BOB)).requests == 3
