"""Fallbacks: what another model is asked for, how each call is counted, and what the person reads."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import pytest

from plugin_support import LoadHost
from tgllm import hookimpl
from tgllm.api import (
    AuthFailed,
    BadResponse,
    BudgetExceeded,
    ContextTooLong,
    Finished,
    ModelNotFound,
    ModelRef,
    NotConfigured,
    PluginInfo,
    ProviderError,
    ProviderSpec,
    QuotaExceeded,
    RateLimited,
    ReasoningDelta,
    Refused,
    Role,
    StreamEvent,
    TextDelta,
    TgllmError,
    Unavailable,
    Unsupported,
    Usage,
    UserInfo,
    Waiting,
)
from tgllm.config.sections.budgets import BudgetsSection, LimitsSetting
from tgllm.config.sections.personas import PersonaSetting
from tgllm.config.sections.prices import PriceSetting
from tgllm.db.database import Database
from tgllm.db.engine.unit import Connection
from tgllm.db.tables import conversations, models, requests, usage, users
from tgllm.db.tables.models import NewModel
from tgllm.db.tables.outbox import NewOutbox
from tgllm.services.budgets.service import BudgetService
from tgllm.services.common.calendar import Days
from tgllm.services.common.lane import Lane
from tgllm.services.conversations.settings import TurnSettings
from tgllm.services.conversations.turn import NextModel, ShownEvent, Turn, TurnOutcome
from tgllm.services.messaging.admins import AdminNotifier
from tgllm.services.models.fallbacks import Fallbacks
from tgllm.services.models.pricing import Prices
from tgllm.services.models.registry import ProviderRegistry
from tgllm.services.turns.account_alerts import AccountAlerts
from tgllm.services.turns.request_record import record_failed
from tgllm.services.turns.runner import ConversationService
from tgllm.services.turns.running import RunningTurns
from tgllm.services.turns.services import TurnServices
from tgllm.services.usage.accounting import Accounting
from tgllm.testing.clock import ManualClock
from tgllm.testing.scripted import GivenPlugin, ScriptedProvider

ONE, TWO, THREE = (ModelRef(name, "model") for name in ("one", "two", "three"))


class Named(ScriptedProvider):
    """A scripted provider with an id of its own."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name

    @hookimpl
    def tgllm_plugin_info(self) -> PluginInfo:
        return PluginInfo(id=self.name, title=self.name, api="1.0")

    @hookimpl
    def tgllm_providers(self) -> Sequence[ProviderSpec]:
        return (ProviderSpec(self.name, self.name, lambda _ctx: self),)

    @property
    def plugin(self) -> GivenPlugin:
        return GivenPlugin.of(self.name, self)


@dataclass
class Sink:
    """Keeps what a turn shows, and sends nothing."""

    events: list[ShownEvent] = field(default_factory=list)
    shown: asyncio.Event = field(default_factory=asyncio.Event)

    def show(self, event: ShownEvent) -> None:
        self.events.append(event)
        self.shown.set()

    async def finish(self, outcome: TurnOutcome) -> Sequence[NewOutbox]:
        return ()

    async def wait_for(self, event: ShownEvent) -> None:
        """Wait until an event was shown."""
        async with asyncio.timeout(60):
            while event not in self.events:
                self.shown.clear()
                await self.shown.wait()


@dataclass
class Bench:
    """A conversation service with three models."""

    service: ConversationService
    running: RunningTurns
    one: Named
    two: Named
    three: Named
    database: Database
    clock: ManualClock
    turn: Turn
    sink: Sink

    async def ask(self, text: str = "How are you?", number: int = 1, **changes: Any) -> TurnOutcome:
        turn = replace(self.turn, id=f"u{number}", text=text, **changes)
        return await self.service.run(turn, self.sink)

    async def calls(self, turn_id: str = "u1") -> list[tuple[int, str, str, str | None]]:
        stored = await self.database.read(lambda conn: requests.of_turn(conn, turn_id))
        return [(each.attempt, each.provider, each.status, each.error_code) for each in stored]

    async def used(self) -> dict[str, tuple[int, int, int, int]]:
        rows = await self.database.read(lambda conn: usage.by_model(conn, usage.EVER, 7))
        return {row.provider: (row.requests, row.input_tokens, row.output_tokens, row.cost_micros) for row in rows}

    @property
    def asked(self) -> tuple[int, int, int]:
        """How often each model was called."""
        return len(self.one.requests), len(self.two.requests), len(self.three.requests)


MakeBench = Callable[..., Awaitable[Bench]]


@pytest.fixture
async def bench(database: Database, load_host: LoadHost, clock: ManualClock, turn: Turn) -> MakeBench:
    async def make(
        *listed: NewModel,
        fallbacks: Sequence[str] = ("two/model", "three/model"),
        roles: dict[Role, Sequence[str]] | None = None,
        limits: BudgetsSection | None = None,
        personas: Sequence[PersonaSetting] = (),
        idle: float = 60.0,
        context: int = 8000,
        summaries: Literal["on", "off"] = "off",
    ) -> Bench:
        providers = [Named("one"), Named("two"), Named("three")]
        host = await load_host(*(each.plugin for each in providers))
        running, registry = RunningTurns(), ProviderRegistry(host)
        prices = [
            PriceSetting(model=f"{each.name}/model", input=rate, output=rate)
            for each, rate in zip(providers, (1.0, 2.0, 0.0), strict=True)
        ]
        settings = TurnSettings(
            "one/model",
            None,
            context,
            idle,
            close_seconds=0.01,
            summaries=summaries,
            personas=personas,
            accounting=Accounting(Prices(prices), Days()),
            fallbacks=Fallbacks(fallbacks, roles or {}),
        )
        notifier = AdminNotifier(database, clock, None)
        services = TurnServices(
            database=database,
            clock=clock,
            registry=registry,
            host=host,
            running=running,
            budgets=BudgetService(database, clock, settings.accounting, settings.texts, notifier, limits),
            account_alerts=AccountAlerts(notifier, settings.texts, clock),
        )

        def unit(conn: Connection) -> None:
            users.ensure_owners(conn, [7], 0)
            models.upsert(conn, listed, 0)

        await database.write(unit)
        one, two, three = providers
        return Bench(ConversationService(services, settings), running, one, two, three, database, clock, turn, Sink())

    return make


OUTAGES = [
    Unavailable("overloaded"),
    Unavailable("sent nothing", code="idle", seconds=1),
    RateLimited("wait", retry_after=60),
    RateLimited("wait"),
    AuthFailed("no"),
    QuotaExceeded("no credit"),
    NotConfigured("no key"),
    ModelNotFound("no such model"),
    BadResponse("a page"),
    OSError("connection reset"),
    ValueError("a mistake in the plugin"),
]


@pytest.mark.parametrize("error", OUTAGES, ids=lambda error: f"{type(error).__name__}")
async def test_the_next_model_answers_in_place_of_one_that_does_not(bench: MakeBench, error: Exception) -> None:
    it = await bench()
    it.one.answer(error)
    it.two.answer("Fine.", Finished(usage=Usage(10, 5)))
    outcome = await it.ask()
    assert (outcome.status, outcome.text, outcome.error) == ("ok", "Fine.", None)
    assert (outcome.model, outcome.in_place_of) == (TWO, ONE)
    assert it.asked == (1, 1, 0)
    assert [(number, provider, status) for number, provider, status, _ in await it.calls()] == [
        (1, "one", "failed"),
        (2, "two", "ok"),
    ]
    assert await it.used() == {"two": (1, 10, 5, 30)}
    assert [event for event in it.sink.events if isinstance(event, NextModel)] == [NextModel(TWO)]


@pytest.mark.parametrize(
    "error",
    [
        Refused("policy"),
        ProviderError("our request is wrong"),
        Unsupported("no temperature"),
        ContextTooLong("too long"),
    ],
    ids=lambda error: f"{type(error).__name__}",
)
async def test_an_error_of_the_question_is_reported_at_once(bench: MakeBench, error: TgllmError) -> None:
    it = await bench()
    it.one.answer(error)
    outcome = await it.ask()
    assert (outcome.status, outcome.error, outcome.in_place_of) == ("failed", error, None)
    assert it.asked[1:] == (0, 0)


async def test_no_model_is_asked_after_visible_text(bench: MakeBench) -> None:
    it = await bench()
    it.one.answer("Half", Unavailable("gone"))
    outcome = await it.ask()
    assert (outcome.status, outcome.text, outcome.model) == ("failed", "Half", ONE)
    assert it.asked == (1, 0, 0)


@pytest.mark.parametrize("step", [ReasoningDelta("Hm."), TextDelta(" \n"), TextDelta("<think>Hm."), TextDelta("")])
async def test_what_is_no_visible_text_does_not_keep_the_person_from_an_answer(
    bench: MakeBench, step: StreamEvent
) -> None:
    it = await bench()
    it.one.answer(step, Unavailable("gone"))
    it.two.answer("Fine.")
    outcome = await it.ask()
    assert (outcome.text, outcome.reasoning, outcome.model) == ("Fine.", "", TWO)


@pytest.mark.parametrize("text", ["", " \n", "<think>Hm.</think>"])
async def test_an_empty_answer_is_none_and_is_counted_for_its_model(bench: MakeBench, text: str) -> None:
    it = await bench()
    it.one.answer(text, Finished(usage=Usage(8, 4)))
    it.two.answer("Fine.", Finished(usage=Usage(10, 5)))
    outcome = await it.ask()
    assert (outcome.text, outcome.model) == ("Fine.", TWO)
    assert await it.used() == {"one": (1, 8, 4, 12), "two": (1, 10, 5, 30)}
    # It answers others all the same.
    await it.ask(number=2)
    assert it.asked == (2, 1, 0)


@pytest.mark.parametrize("text", ["<", "[", "`"])
async def test_an_answer_that_may_have_begun_a_tag_is_one(bench: MakeBench, text: str) -> None:
    it = await bench()
    it.one.answer(text, Finished(usage=Usage(8, 1)))
    outcome = await it.ask()
    assert (outcome.text or outcome.reasoning, outcome.model) == (text, ONE)


async def test_text_that_was_reasoning_is_no_answer(bench: MakeBench) -> None:
    it = await bench()
    it.one.answer("Hm.</think>", Finished(usage=Usage(8, 4)))
    it.two.answer("Fine.")
    assert (await it.ask()).model == TWO


async def test_what_the_filter_has_emptied_is_no_failure(bench: MakeBench) -> None:
    it = await bench()
    it.one.answer(Finished("filtered"))
    assert (await it.ask()).model == ONE
    assert it.asked == (1, 0, 0)


async def test_each_model_is_tried_once_and_the_error_of_the_chosen_one_is_reported(bench: MakeBench) -> None:
    it = await bench()
    errors = Unavailable("first"), NotConfigured("no key"), Unavailable("third")
    for provider, error in zip((it.one, it.two, it.three), errors, strict=True):
        provider.answer(error)
    outcome = await it.ask()
    assert (outcome.status, outcome.error, outcome.model, outcome.in_place_of) == ("failed", errors[0], ONE, None)
    assert it.asked == (1, 1, 1)
    assert [call[1:3] for call in await it.calls()] == [("one", "failed"), ("two", "failed"), ("three", "failed")]


async def test_the_error_of_a_fallback_about_the_question_is_reported(bench: MakeBench) -> None:
    it = await bench()
    it.one.answer(Unavailable("down"))
    it.two.answer(Refused("policy"))
    outcome = await it.ask()
    assert (type(outcome.error), outcome.in_place_of, it.asked) == (Refused, ONE, (1, 1, 0))


async def test_a_model_that_has_just_failed_is_asked_last_for_a_while(bench: MakeBench) -> None:
    it = await bench()
    it.one.answer(Unavailable("down"))
    await it.ask()
    assert (await it.ask(number=2)).model == TWO
    assert it.asked == (1, 2, 0)
    assert await it.calls("u2") == [(1, "two", "ok", None)]
    await it.clock.advance(61)
    assert (await it.ask(number=3)).model == ONE


async def test_the_chosen_model_is_asked_again_if_no_other_one_answers(bench: MakeBench) -> None:
    it = await bench()
    it.one.answer(Unavailable("down"))
    await it.ask()
    it.two.answer(Unavailable("down"))
    it.three.answer(Unavailable("down"))
    outcome = await it.ask(number=2)
    assert (outcome.model, outcome.in_place_of, outcome.text) == (ONE, None, "How are you?")


async def test_a_long_wait_is_cut_short_and_a_short_one_is_not(bench: MakeBench) -> None:
    it = await bench()
    it.one.answer(Waiting("rate_limit", 3.0), "Fine.")
    assert (await it.ask()).model == ONE
    it.one.answer(Waiting("rate_limit", 30.0), asyncio.Event())
    assert (await it.ask(number=2)).model == TWO
    await it.clock.advance(61)
    it.one.answer(Waiting("retry", 0.5), Waiting("retry", 1.5), asyncio.Event())
    assert (await it.ask(number=3)).model == TWO
    await it.clock.advance(61)
    it.one.answer(Waiting("queue", 300.0), "Fine.")
    assert (await it.ask(number=4)).model == ONE


async def test_without_another_model_all_retries_are_made(bench: MakeBench) -> None:
    it = await bench(fallbacks=("two/model",))
    it.one.answer(Waiting("rate_limit", 30.0), asyncio.Event())
    it.two.answer(Unavailable("down"))
    it.one.answer(Waiting("rate_limit", 30.0), "Fine.")
    outcome = await it.ask()
    assert (outcome.text, outcome.model, outcome.in_place_of) == ("Fine.", ONE, None)
    assert [call[:3] for call in await it.calls()] == [(1, "one", "failed"), (2, "two", "failed"), (3, "one", "ok")]
    it = await bench(fallbacks=())
    it.one.answer(Waiting("rate_limit", 30.0), "Fine.")
    assert (await it.ask(number=2)).model == ONE


async def test_a_silent_model_is_given_up(bench: MakeBench) -> None:
    it = await bench(idle=0.05)
    it.one.answer(asyncio.Event())
    it.two.answer("Fine.")
    outcome = await it.ask()
    assert (outcome.model, outcome.in_place_of) == (TWO, ONE)
    assert (await it.calls())[0] == (1, "one", "failed", "idle")


async def test_stop_ends_the_turn_whichever_model_is_asked(bench: MakeBench) -> None:
    it = await bench()
    it.one.answer(Unavailable("down"))
    it.two.answer("Half", asyncio.Event())
    task = asyncio.create_task(it.ask())
    await it.sink.wait_for(TextDelta("Half"))
    assert it.running.stop(it.turn.lane)
    outcome = await task
    assert (outcome.status, outcome.text, outcome.model) == ("stopped", "Half", TWO)
    assert it.asked == (1, 1, 0)


async def test_a_stop_before_the_fallback_answers_asks_no_further_model(bench: MakeBench) -> None:
    it = await bench()
    it.one.answer(Unavailable("down"))
    it.two.answer(asyncio.Event())
    task = asyncio.create_task(it.ask())
    await it.sink.wait_for(NextModel(TWO))
    it.running.stop(it.turn.lane)
    outcome = await task
    assert (outcome.status, outcome.error) == ("stopped", None)
    assert it.asked[2] == 0


async def test_a_stopped_call_does_not_say_that_the_model_answers(bench: MakeBench) -> None:
    it = await bench()
    it.one.answer(ReasoningDelta("Hm."), asyncio.Event())
    task = asyncio.create_task(it.ask())
    await it.sink.wait_for(ReasoningDelta("Hm."))
    it.one.answer(Unavailable("down"))
    assert (await it.ask(number=2, lane=Lane(8).key)).model == TWO
    it.running.stop(it.turn.lane)
    assert (await task).status == "stopped"
    assert (await it.ask(number=3)).model == TWO
    assert it.asked == (2, 2, 0)


async def test_the_person_reads_that_the_chosen_model_is_retired_whoever_answers(bench: MakeBench) -> None:
    it = await bench()

    def choose(conn: Connection) -> None:
        models.upsert(conn, [NewModel(provider="one", model=name, title=name) for name in ("old", "model")], 0)
        models.retire_missing(conn, "one", ["model"], 1)
        conversation = conversations.active_for(conn, it.turn.lane, 0)
        conn.execute("UPDATE conversations SET provider = 'one', model = 'old' WHERE id = ?", (conversation.id,))

    await it.database.write(choose)
    it.one.answer(Unavailable("down"))
    outcome = await it.ask()
    assert (outcome.retired, outcome.in_place_of, outcome.model) == (ModelRef("one", "old"), ONE, TWO)


class TestChoice:
    async def test_a_role_has_its_own_and_a_persona_too(self, bench: MakeBench) -> None:
        persona = PersonaSetting(name="cook", system="Cook.", fallbacks=("one/other",))
        it = await bench(roles={"guest": ("three/model",), "admin": ()}, personas=[persona])
        guest = UserInfo(7, "Ann", "guest")
        it.one.answer(Unavailable("down"))
        assert (await it.ask(user=guest)).model == THREE
        await it.clock.advance(61)
        it.one.answer(Unavailable("down"))
        assert (await it.ask(number=2, user=UserInfo(7, "Ann", "admin"))).status == "failed"

    async def test_a_model_that_was_asked_for_by_name_is_not_replaced(self, bench: MakeBench) -> None:
        it = await bench()
        it.one.answer(Unavailable("down"))
        assert (await it.ask(model=ONE)).status == "failed"

    async def test_retired_unknown_and_repeated_models_are_left_out(self, bench: MakeBench) -> None:
        it = await bench(fallbacks=("one/model", "nobody/model", "two/old", "two/model", "two/model"))

        def retire(conn: Connection) -> None:
            models.upsert(conn, [NewModel(provider="two", model="old", title="Old")], 0)
            models.retire_missing(conn, "two", ["model"], 1)

        await it.database.write(retire)
        it.one.answer(Unavailable("down"))
        it.two.answer(Unavailable("down"))
        outcome = await it.ask()
        assert outcome.status == "failed"
        assert it.asked == (1, 1, 0)


class TestBudgets:
    async def test_a_model_that_the_budget_does_not_allow_is_left_out(self, bench: MakeBench) -> None:
        it = await bench(limits=BudgetsSection(bot=LimitsSetting(usd_per_day=0.001)))
        it.one.answer(Finished(usage=Usage(990, 0)))
        it.three.answer("Fine.")
        outcome = await it.ask("word " * 100)
        # The second one costs twice as much, the third one nothing.
        assert (outcome.model, it.asked) == (THREE, (1, 0, 1))

    async def test_a_budget_that_is_used_up_refuses_the_question(self, bench: MakeBench) -> None:
        it = await bench(limits=BudgetsSection(bot=LimitsSetting(requests_per_day=1)))
        it.one.answer(Unavailable("down"))
        assert (await it.ask()).model == TWO
        outcome = await it.ask(number=2)
        assert isinstance(outcome.error, BudgetExceeded)
        assert it.asked == (1, 1, 0)

    async def test_reservations_end_with_their_calls(self, bench: MakeBench) -> None:
        it = await bench(limits=BudgetsSection(bot=LimitsSetting(tokens_per_day=10_000)))
        for number in range(1, 4):
            it.one.answer(Unavailable("down"))
            await it.ask(number=number)
            await it.clock.advance(61)
        assert it.asked == (3, 3, 0)


def window(name: str, tokens: int | None, *mime_types: str) -> NewModel:
    return NewModel(provider=name, model="model", title=name, context_window=tokens, mime_types=mime_types)


async def test_a_question_that_is_too_long_goes_to_a_larger_window_only(bench: MakeBench) -> None:
    it = await bench(window("one", 4000), window("two", 4000), window("three", 100_000))
    it.one.answer(ContextTooLong("too long"))
    outcome = await it.ask()
    assert (outcome.model, it.asked) == (THREE, (1, 0, 1))
    # It is a matter of the question: the next one is asked as before.
    assert (await it.ask(number=2)).model == ONE


@pytest.mark.parametrize("is_down", [True, False])
async def test_the_history_is_not_summarised_for_the_window_of_a_fallback(bench: MakeBench, is_down: bool) -> None:
    it = await bench(window("one", 100_000), window("two", 3000), fallbacks=("two/model",), summaries="on")
    for number in range(1, 9):
        it.one.answer("long " * 400)
        await it.ask(number=number)
    # The chat's own model sees all of it, and would get a summary in its place from then on.
    it.one.answer(*([Unavailable("down")] if is_down else ["Fine."]))
    assert (await it.ask(number=9)).model == (TWO if is_down else ONE)
    await it.service.wait_idle()
    assert it.asked == (9, int(is_down), 0)
    # A model that was chosen needs the summary.
    await it.ask(number=10, model=TWO)
    await it.service.wait_idle()
    assert it.asked == (9, int(is_down) + 2, 0)


class TestCrash:
    async def test_the_call_that_was_interrupted_is_counted_for_its_model_and_once(self, bench: MakeBench) -> None:
        it = await bench()
        it.one.answer(Unavailable("down"))
        it.two.answer("Half", asyncio.Event())
        task = asyncio.create_task(it.ask())
        await it.sink.wait_for(TextDelta("Half"))
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert await it.calls() == [(1, "one", "failed", "unavailable"), (2, "two", "interrupted", None)]

        def recover(conn: Connection) -> None:
            it.service.count_interrupted(conn, it.turn, 5)

        for _ in range(2):
            await it.database.write(recover)
        assert (await it.calls())[1:] == [(2, "two", "interrupted", "interrupted")]
        counted = await it.used()
        assert {name: row[0] for name, row in counted.items()} == {"two": 1}
        # The question is asked again; the model that has failed comes last.
        fresh = await bench()
        outcome = await fresh.ask(attempt=2)
        assert (outcome.model, outcome.in_place_of, fresh.asked) == (TWO, ONE, (0, 1, 0))
        assert [call[:3] for call in await it.calls()] == [
            (1, "one", "failed"),
            (2, "two", "interrupted"),
            (3, "two", "ok"),
        ]

    async def test_each_interrupted_attempt_is_counted(self, bench: MakeBench) -> None:
        it = await bench()
        for attempt in (1, 2, 3):
            turn = replace(it.turn, attempt=attempt)
            await it.database.write(lambda conn, turn=turn: it.service.count_interrupted(conn, turn, 5))
        assert [call[:3] for call in await it.calls()] == [(number, "one", "interrupted") for number in (1, 2, 3)]

    async def test_a_call_of_the_chosen_model_after_a_crash_is_counted_too(self, bench: MakeBench) -> None:
        it = await bench(fallbacks=("two/model",))
        failed = TurnOutcome("failed", ONE, "", error=Unavailable("down"))

        def fail(conn: Connection) -> None:
            # The process ends after both have failed, before the first one is asked once more.
            for outcome in (failed, replace(failed, model=TWO)):
                record_failed(conn, it.turn, outcome, None, 5, Accounting())

        await it.database.write(fail)
        it.one.answer(ReasoningDelta("Hm."), asyncio.Event())
        task = asyncio.create_task(it.ask(attempt=2))
        await it.sink.wait_for(ReasoningDelta("Hm."))
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert not [event for event in it.sink.events if isinstance(event, NextModel)]
        again = replace(it.turn, attempt=2)
        await it.database.write(lambda conn: it.service.count_interrupted(conn, again, 5))
        assert [call[:3] for call in await it.calls()] == [
            (1, "one", "failed"),
            (2, "two", "failed"),
            (3, "one", "interrupted"),
        ]
        assert (await it.used())["one"][0] == 1

    async def test_a_first_call_that_was_too_long_is_stored_with_a_failed_one(self, bench: MakeBench) -> None:
        it = await bench()
        await it.ask("Earlier.", number=1)
        it.one.answer(ContextTooLong("too long"))
        it.one.answer(Unavailable("down"))
        assert (await it.ask(number=2)).model == TWO
        assert await it.calls("u2") == [
            (1, "one", "failed", "context_too_long"),
            (2, "one", "failed", "unavailable"),
            (3, "two", "ok", None),
        ]
