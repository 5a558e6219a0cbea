"""One turn, without Telegram."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Protocol

import pytest

from plugin_support import LoadHost
from tgllm import hookimpl
from tgllm.api import (
    ChatRequest,
    ConfigError,
    ContextTooLong,
    Finished,
    ModelRef,
    PluginInfo,
    ReasoningDelta,
    Refused,
    StreamEvent,
    TextDelta,
    TgllmError,
    TurnInfo,
    TurnResult,
    Usage,
    UserInfo,
    Waiting,
)
from tgllm.db.database import Database
from tgllm.db.engine.unit import Connection
from tgllm.db.tables import conversations, kv, messages, outbox, requests, users
from tgllm.plugins.discovery import FoundPlugin
from tgllm.services.budgets.service import BudgetService
from tgllm.services.conversations.settings import TurnSettings
from tgllm.services.conversations.turn import Branch, ShownEvent, Turn, TurnOutcome
from tgllm.services.messaging.admins import AdminNotifier
from tgllm.services.models.registry import ProviderRegistry
from tgllm.services.turns.account_alerts import AccountAlerts
from tgllm.services.turns.opening import ReadAhead
from tgllm.services.turns.runner import ConversationService
from tgllm.services.turns.running import RunningTurns
from tgllm.services.turns.services import TurnServices
from tgllm.testing.clock import ManualClock
from tgllm.testing.scripted import GivenPlugin, ScriptedProvider


class ListSink(Protocol):
    events: list[StreamEvent]
    outcomes: list[TurnOutcome]
    shown: asyncio.Event

    def show(self, event: ShownEvent) -> None: ...
    async def finish(self, outcome: TurnOutcome) -> Sequence[outbox.NewOutbox]: ...


@dataclass
class Witness:
    """A plugin that changes requests and remembers what it is told."""

    change: Callable[[ChatRequest], ChatRequest | None] = lambda _request: None
    results: list[TurnResult] = field(default_factory=list)
    errors: list[TgllmError] = field(default_factory=list)

    @hookimpl
    def tgllm_plugin_info(self) -> PluginInfo:
        return PluginInfo(id="witness", title="Witness", api="1.0")

    @hookimpl
    def tgllm_before_request(self, request: ChatRequest) -> ChatRequest | None:
        return self.change(request)

    @hookimpl
    def tgllm_after_reply(self, turn: TurnInfo, result: TurnResult) -> None:
        self.results.append(result)

    @hookimpl
    def tgllm_on_error(self, turn: TurnInfo, error: TgllmError) -> None:
        self.errors.append(error)


class Swallowing(ScriptedProvider):
    """Its streams go on when they are told to end."""

    def __init__(self) -> None:
        super().__init__()
        self.release = asyncio.Event()

    async def generate(self, request: ChatRequest) -> AsyncGenerator[StreamEvent, None]:
        yield TextDelta("Half")
        while not self.release.is_set():
            try:
                await self.release.wait()
            except asyncio.CancelledError:
                continue


@dataclass
class Bench:
    """A conversation service and what it is made of."""

    service: ConversationService
    running: RunningTurns
    provider: ScriptedProvider
    witness: Witness
    database: Database
    turn: Turn
    sink: ListSink

    async def ask(self, text: str = "How are you?", number: int = 1) -> TurnOutcome:
        return await self.service.run(replace(self.turn, id=f"u{number}", text=text), self.sink)

    async def status(self) -> str:
        return (await self.database.read(lambda conn: requests.recent(conn, 1)))[0].status


MakeBench = Callable[..., Awaitable[Bench]]


@pytest.fixture
async def bench(database: Database, load_host: LoadHost, clock: ManualClock, turn: Turn, sink: ListSink) -> MakeBench:
    """Makes the service; what is given changes its parts."""

    async def make(
        *found: FoundPlugin,
        provider: ScriptedProvider | None = None,
        model: str = "scripted/model",
        idle: float = 60.0,
        tokens: int = 8000,
        most_chars: int = 0,
    ) -> Bench:
        provider = provider or ScriptedProvider()
        witness = Witness()
        host = await load_host(provider.plugin, GivenPlugin.of("witness", witness), *found)
        running = RunningTurns()
        settings = TurnSettings(model, "Be brief.", tokens, idle, close_seconds=0.01, most_chars=most_chars)
        notifier = AdminNotifier(database, clock, None)
        services = TurnServices(
            database=database,
            clock=clock,
            registry=ProviderRegistry(host),
            host=host,
            running=running,
            budgets=BudgetService(database, clock, settings.accounting, settings.texts, notifier),
            account_alerts=AccountAlerts(notifier, settings.texts, clock),
        )
        service = ConversationService(services, settings)
        await database.write(lambda conn: users.ensure_owners(conn, [7], 0))
        return Bench(service, running, provider, witness, database, turn, sink)

    return make


async def test_a_question_is_answered_shown_and_stored(bench: MakeBench, sink: ListSink) -> None:
    it = await bench()
    it.provider.answer("Fi", "ne.", Finished("stop", Usage(1, 2)))
    outcome = await it.ask()
    assert (outcome.status, outcome.text, outcome.usage) == ("ok", "Fine.", Usage(1, 2))
    assert sink.events == [TextDelta("Fi"), TextDelta("ne."), Finished("stop", Usage(1, 2))]
    assert sink.outcomes == [outcome]
    assert await it.database.read(outbox.counts) == {"ready": 1}
    assert it.witness.results == [TurnResult("Fine.", "", "stop", Usage(1, 2))]
    assert len(it.running) == 0


class Endless(ScriptedProvider):
    """Its streams never end, and never wait for anything."""

    def __init__(self, event: StreamEvent) -> None:
        super().__init__()
        self.event = event
        self.closed = 0

    async def generate(self, request: ChatRequest) -> AsyncGenerator[StreamEvent, None]:
        try:
            while True:
                yield self.event
        finally:
            self.closed += 1


@pytest.mark.parametrize(
    "event", [TextDelta("x"), TextDelta("word " * 10_000), ReasoningDelta("hm"), ReasoningDelta("hm " * 10_000)]
)
async def test_a_stream_without_end_is_cut_and_closed_and_counted(bench: MakeBench, event: StreamEvent) -> None:
    provider = Endless(event)
    it = await bench(provider=provider, most_chars=1000)
    outcome = await it.ask()
    assert (outcome.status, outcome.reason, outcome.error) == ("ok", "length", None)
    assert len(outcome.text + outcome.reasoning) == 1000
    assert provider.closed == 1
    assert outcome.spent is not None
    assert (outcome.spent.output_tokens or 0) >= (1000 + outcome.dropped) // 4
    (request,) = await it.database.read(lambda conn: requests.recent(conn, 1))
    assert (request.status, request.finish_reason) == ("ok", "length")


async def test_a_stream_that_fails_after_its_limit_is_cut(bench: MakeBench) -> None:
    it = await bench(most_chars=10)
    it.provider.answer("x" * 11, Refused("filtered"))
    outcome = await it.ask()
    assert (outcome.status, outcome.reason, outcome.text) == ("ok", "length", "x" * 10)


async def test_one_delta_beyond_the_limit_is_not_shown_whole(bench: MakeBench, sink: ListSink) -> None:
    it = await bench(most_chars=10)
    it.provider.answer("x" * 5_000_000)
    assert (await it.ask()).dropped == 4_999_990
    assert sink.events == [TextDelta("x" * 10)]


async def test_somebody_who_was_kept_out_since_their_question_came_gets_no_answer(bench: MakeBench) -> None:
    it = await bench()
    await it.database.write(lambda conn: users.upsert_seen(conn, users.SeenUser(8), 1))
    for status, outcome in (("active", "ok"), ("blocked", "stopped")):
        await it.database.write(lambda conn, status=status: users.set_status(conn, 8, status, 1))
        turn = replace(it.turn, id=status, user=UserInfo(8, "Bob", "user"))
        assert (await it.service.run(turn, _Silent())).status == outcome
    assert len(it.provider.requests) == 1


async def read_ahead(it: Bench, turn: Turn) -> ReadAhead:
    """What is read in the transaction that claims the update of a turn."""
    found: list[ReadAhead] = []
    unit = partial(it.service.open, turn=turn)
    await it.database.write(unit, then=lambda opening: found.append(ReadAhead(opening, it.database.ended)))
    return found[0]


async def test_what_was_read_ahead_is_not_read_again(bench: MakeBench, monkeypatch: pytest.MonkeyPatch) -> None:
    it = await bench()
    await it.ask("one")
    turn = replace(it.turn, id="u2", text="two")
    ahead = await read_ahead(it, replace(turn, id="", text=""))
    with monkeypatch.context() as patch:
        patch.delattr(Database, "read")
        assert (await it.service.run(turn, _Silent(), ahead=ahead)).status == "ok"
    assert [message.text for message in it.provider.requests[-1].messages] == ["one", "one", "two"]


async def test_what_was_written_since_it_was_read_ahead_counts(bench: MakeBench) -> None:
    it = await bench()
    turn = replace(it.turn, id="u2", text="two")
    ahead = await read_ahead(it, turn)
    await it.ask("one")
    assert (await it.service.run(turn, _Silent(), ahead=ahead)).status == "ok"
    assert [message.text for message in it.provider.requests[-1].messages] == ["one", "one", "two"]


async def test_access_that_was_lost_since_it_was_read_ahead_is_lost(bench: MakeBench) -> None:
    it = await bench()
    await it.database.write(lambda conn: users.upsert_seen(conn, users.SeenUser(8), 1))
    await it.database.write(lambda conn: users.set_status(conn, 8, "active", 1))
    turn = replace(it.turn, user=UserInfo(8, "Bob", "user"))
    ahead = await read_ahead(it, turn)
    assert ahead.opening.is_approved
    await it.database.write(lambda conn: users.set_status(conn, 8, "blocked", 1))
    assert (await it.service.run(turn, _Silent(), ahead=ahead)).status == "stopped"
    assert it.provider.requests == []


async def test_another_place_or_person_or_model_is_not_what_was_read_ahead(bench: MakeBench) -> None:
    it = await bench()
    await it.ask("one")
    for changed in (
        replace(it.turn, lane="8:"),
        replace(it.turn, user=UserInfo(7, "Ann", "admin")),
        replace(it.turn, user=UserInfo(8, "Bob", "user")),
        replace(it.turn, model=ModelRef("scripted", "other")),
        replace(it.turn, branch=Branch(1, None)),
    ):
        ahead = await read_ahead(it, it.turn)
        assert ahead.opening.holds_for(replace(it.turn, id="u9", text="nine"))
        assert not ahead.opening.holds_for(changed)


async def test_the_model_gets_prompt_and_history(bench: MakeBench) -> None:
    it = await bench()
    await it.ask("one")
    await it.service.run(replace(it.turn, id="u2", text="two"), _Silent())
    request = it.provider.requests[-1]
    assert (request.model, request.system) == ("model", "Be brief.")
    assert [(message.role, message.text) for message in request.messages] == [
        ("user", "one"),
        ("assistant", "one"),
        ("user", "two"),
    ]


async def test_further_work_is_in_the_transaction_of_the_turn(bench: MakeBench) -> None:
    it = await bench()
    await it.service.run(it.turn, it.sink, lambda conn: kv.set_value(conn, "test", "key", 1, 0))
    assert await it.database.read(lambda conn: kv.get(conn, "test", "key")) == 1


async def test_a_chosen_model_goes_before_the_default(bench: MakeBench) -> None:
    it = await bench(model="nobody/has-this")

    def choose(conn: Connection) -> None:
        conversation = conversations.active_for(conn, it.turn.lane, 0)
        conversations.set_model(conn, conversation.id, ModelRef("scripted", "another"), 0)

    await it.database.write(choose)
    await it.ask()
    assert it.provider.requests[0].model == "another"


async def test_a_plugin_may_change_the_request(bench: MakeBench) -> None:
    it = await bench()
    it.witness.change = lambda request: replace(request, temperature=0.5)
    await it.ask()
    assert it.provider.requests[0].temperature == 0.5


async def test_a_plugin_may_end_the_turn_with_its_words(bench: MakeBench) -> None:
    it = await bench()

    def refuse(_request: ChatRequest) -> ChatRequest:
        raise Refused("not this")

    it.witness.change = refuse
    outcome = await it.ask()
    assert (outcome.status, str(outcome.error)) == ("failed", "not this")
    assert it.provider.requests == []
    assert it.witness.errors == [outcome.error]


@pytest.mark.parametrize("error", [Refused("no"), ConfigError("wrong")])
async def test_errors_of_the_contract_end_the_turn(bench: MakeBench, error: TgllmError) -> None:
    it = await bench()
    it.provider.answer("Half", error)
    outcome = await it.ask()
    assert (outcome.status, outcome.text, outcome.error) == ("failed", "Half", error)
    assert it.witness.errors == [error]
    assert await it.status() == "failed"


class Raising(ScriptedProvider):
    """Raises what no contract knows."""

    def __init__(self, error: BaseException) -> None:
        super().__init__()
        self._error = error

    async def generate(self, request: ChatRequest) -> AsyncGenerator[StreamEvent, None]:
        yield TextDelta("Half")
        raise self._error


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ValueError("bang"), "provider_broken"),
        (SystemExit(3), "provider_broken"),
        (asyncio.CancelledError(), "provider_broken"),
        (ConnectionResetError(), "unavailable"),
        (TimeoutError(), "unavailable"),
    ],
    ids=repr,
)
async def test_any_other_error_is_the_plugins_fault(bench: MakeBench, error: BaseException, code: str) -> None:
    it = await bench(provider=Raising(error))
    outcome = await it.ask()
    assert (outcome.status, outcome.text) == ("failed", "Half")
    assert outcome.error is not None
    assert outcome.error.code == code
    assert type(error).__name__ in str(outcome.error)


async def test_an_answer_without_its_end_is_told(bench: MakeBench) -> None:
    class Endless(ScriptedProvider):
        async def generate(self, request: ChatRequest) -> AsyncGenerator[StreamEvent, None]:
            yield TextDelta("Half")

    it = await bench(provider=Endless())
    outcome = await it.ask()
    assert outcome.error is not None
    assert (outcome.error.code, outcome.text) == ("bad_response", "Half")


async def test_a_person_stops_a_turn(bench: MakeBench) -> None:
    it = await bench()
    it.provider.answer("Half", asyncio.Event())
    asking = asyncio.create_task(it.ask())
    await it.sink.shown.wait()
    assert it.running.stop(it.turn.lane)
    outcome = await asking
    assert (outcome.status, outcome.text, outcome.error) == ("stopped", "Half", None)
    assert it.provider.open_streams == 0
    assert await it.status() == "stopped"


async def test_the_shutdown_interrupts_a_turn(bench: MakeBench) -> None:
    it = await bench()
    it.provider.answer("Half", asyncio.Event())
    asking = asyncio.create_task(it.ask())
    await it.sink.shown.wait()
    it.running.stop_all()
    assert (await asking).status == "interrupted"


def be_out_of_time(it: Bench) -> None:
    turn = it.running.in_lane(it.turn.lane)
    assert turn is not None
    turn.extend(0)


def press_stop(it: Bench) -> None:
    it.running.stop(it.turn.lane)


async def test_a_silent_model_is_given_up(bench: MakeBench) -> None:
    it = await bench()
    it.provider.answer("Half", asyncio.Event())
    asking = asyncio.create_task(it.ask())
    await it.sink.shown.wait()
    be_out_of_time(it)
    outcome = await asking
    assert (outcome.status, outcome.text) == ("failed", "Half")
    assert outcome.error is not None
    assert (outcome.error.code, outcome.error.params) == ("idle", {"seconds": 60.0})


@pytest.mark.parametrize("event", [Waiting("queue"), TextDelta(""), ReasoningDelta("")], ids=repr)
async def test_a_model_that_only_says_that_it_is_alive_is_given_up(
    bench: MakeBench, clock: ManualClock, sink: ListSink, event: StreamEvent
) -> None:
    it = await bench()
    closed: list[float] = []

    async def generate(request: ChatRequest) -> AsyncGenerator[StreamEvent, None]:
        try:
            while True:
                yield event
                await clock.advance(30)
        finally:
            closed.append(clock.monotonic())

    it.provider.generate = generate  # type: ignore[method-assign]  for this object only
    outcome = await it.ask()
    assert outcome.error is not None
    assert (outcome.error.code, outcome.error.params) == ("idle", {"seconds": 900.0})
    assert closed == [900.0]
    assert outcome.text == ""


async def test_text_restarts_the_wait(bench: MakeBench, clock: ManualClock) -> None:
    it = await bench()

    async def generate(request: ChatRequest) -> AsyncGenerator[StreamEvent, None]:
        for number in range(100):
            yield TextDelta("x") if number % 20 == 0 else Waiting("queue")
            await clock.advance(30)
        yield Finished()

    it.provider.generate = generate  # type: ignore[method-assign]  for this object only
    outcome = await it.ask()
    assert (outcome.status, outcome.text) == ("ok", "xxxxx")


async def test_an_error_of_the_contract_in_a_group_is_that_error(bench: MakeBench) -> None:
    it = await bench()
    it.provider.answer(ExceptionGroup("of a task group", [Refused("no")]))
    outcome = await it.ask()
    assert isinstance(outcome.error, Refused)


async def test_an_error_that_has_no_text_is_a_failure_of_the_provider(bench: MakeBench) -> None:
    class Mute(TgllmError):
        def __str__(self) -> str:
            raise SystemExit

    it = await bench()
    it.provider.answer(Mute())
    outcome = await it.ask()
    assert outcome.error is not None
    assert (outcome.error.code, await it.status()) == ("provider_broken", "failed")


async def test_a_model_that_is_silent_from_the_start_is_given_up(bench: MakeBench) -> None:
    it = await bench(idle=0.001)
    it.provider.answer(asyncio.Event())
    outcome = await it.ask()
    assert outcome.error is not None
    assert outcome.error.code == "idle"


@pytest.mark.parametrize(("end", "status"), [(be_out_of_time, "failed"), (press_stop, "stopped")])
async def test_a_provider_that_does_not_end_does_not_hold_up_its_turn(
    bench: MakeBench, end: Callable[[Bench], None], status: str
) -> None:
    provider = Swallowing()
    it = await bench(provider=provider)
    asking = asyncio.create_task(it.ask())
    await it.sink.shown.wait()
    end(it)
    outcome = await asking
    assert (outcome.status, outcome.text) == (status, "Half")
    await it.service.aclose()
    provider.release.set()


async def test_our_own_cancellation_passes_and_stores_nothing(bench: MakeBench) -> None:
    it = await bench()
    it.provider.answer("Half", asyncio.Event())
    asking = asyncio.create_task(it.ask())
    await it.sink.shown.wait()
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert it.provider.open_streams == 0
    assert len(it.running) == 0
    assert await it.database.read(lambda conn: messages.of_turn(conn, "u1")) == []


async def test_what_is_too_long_is_asked_again_with_less_history(bench: MakeBench) -> None:
    it = await bench()
    for number, text in enumerate(["one", "two", "three"], 1):
        await it.service.run(replace(it.turn, id=f"u{number}", text=text), _Silent())
    it.provider.answer(ContextTooLong("too many tokens"))
    it.provider.answer("Fine.", Finished("stop", Usage(10, 2)))
    outcome = await it.ask("and now?", 4)
    rows = await it.database.read(lambda conn: requests.of_turn(conn, "u4"))

    long, short = it.provider.requests[-2:]
    assert [message.text for message in long.messages] == ["one", "one", "two", "two", "three", "three", "and now?"]
    assert [message.text for message in short.messages] == ["three", "three", "and now?"]
    assert (outcome.status, outcome.text) == ("ok", "Fine.")
    assert [(row.attempt, row.status, row.error_code) for row in rows] == [
        (1, "failed", "context_too_long"),
        (2, "ok", None),
    ]


async def test_what_is_too_long_is_asked_again_once_only(bench: MakeBench) -> None:
    it = await bench()
    await it.service.run(replace(it.turn, id="u1"), _Silent())
    await it.service.run(replace(it.turn, id="u2"), _Silent())
    for _ in range(3):
        it.provider.answer(ContextTooLong("too many tokens"))
    outcome = await it.ask("and now?", 3)

    assert outcome.error is not None
    assert (outcome.status, outcome.error.code, len(it.provider.requests)) == ("failed", "context_too_long", 4)


@pytest.mark.parametrize("text", [None, "Half"])
async def test_nothing_is_asked_again_without_history_or_after_the_first_words(
    bench: MakeBench, text: str | None
) -> None:
    it = await bench()
    if text is not None:
        await it.service.run(replace(it.turn, id="u1"), _Silent())
    asked = len(it.provider.requests)
    it.provider.answer(*([] if text is None else [text]), ContextTooLong("too many tokens"))
    outcome = await it.ask("and now?", 2)

    assert (outcome.status, outcome.text, len(it.provider.requests)) == ("failed", text or "", asked + 1)


class _Silent:
    def show(self, event: ShownEvent) -> None:
        pass

    async def finish(self, outcome: TurnOutcome) -> Sequence[outbox.NewOutbox]:
        return ()


async def test_a_question_that_is_longer_than_the_context_is_refused_before_the_model_is_asked(
    bench: MakeBench,
) -> None:
    it = await bench(tokens=300)
    outcome = await it.ask("word " * 300)
    assert outcome.error is not None
    assert (outcome.status, outcome.error.code) == ("failed", "question_too_long")
    assert not it.provider.requests
    await it.service.run(replace(it.turn, id="u2", text="short"), _Silent())
    assert [message.text for message in it.provider.requests[-1].messages] == ["short"]


async def test_what_is_learnt_of_a_models_tokens_is_stored_with_the_turn(bench: MakeBench) -> None:
    it = await bench()
    it.provider.answer("Fine.", Finished("stop", Usage(input_tokens=400)))
    await it.ask("word " * 100)
    factor = await it.database.read(lambda conn: kv.get(conn, "token_calibration", "scripted/model"))
    assert isinstance(factor, float)
    assert factor > 2
