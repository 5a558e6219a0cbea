"""A crash at any moment of a turn with tools: no call that may not be repeated is made twice, and none gets lost."""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar, cast

from hypothesis import given, settings
from hypothesis import strategies as st

from loop_support import Box, KeptSink, ToolBench, add_person, open_bench
from tgllm.api import (
    ChatInfo,
    ChatRequest,
    Finished,
    StreamEvent,
    TextDelta,
    ToolCallPart,
    ToolResultPart,
    ToolUse,
    Usage,
    UserInfo,
)
from tgllm.db.database import Database
from tgllm.db.engine.unit import Connection
from tgllm.db.tables import messages, requests
from tgllm.db.tables.tools import calls as tool_calls
from tgllm.db.tables.tools import rounds as tool_rounds
from tgllm.i18n import Catalogue
from tgllm.observe.logs import get_logger
from tgllm.plugins.host import PluginHost
from tgllm.plugins.loading.assemble import PluginChoice
from tgllm.plugins.loading.contexts import HostServices
from tgllm.services.common.lane import Lane
from tgllm.services.conversations.turn import ShownEvent, Turn
from tgllm.services.messaging.admin_places import AdminPlaces
from tgllm.services.tools.approvals import Approvals, Press
from tgllm.services.tools.cards import ToolCards
from tgllm.testing.clock import ManualClock
from tgllm.testing.scripted import ScriptedProvider, calling

T = TypeVar("T")

PLAN = (("read", "write"), ("pay",), ("write", "write", "read"))
"""Tools that the model calls in each round."""


class Crash(BaseException):
    """The program ends here."""


@dataclass
class Crashing:
    """A database whose program ends before or after a write."""

    database: Database
    at: int
    """Number of the write, from 0; negative: never."""
    is_after: bool
    writes: int = 0

    async def write(self, unit: Callable[[Connection], T], **options: Any) -> T:
        number, self.writes = self.writes, self.writes + 1
        if self.at >= 0 and number > self.at:
            # Nothing of the program is left.
            await asyncio.Event().wait()
        if number == self.at and not self.is_after:
            raise Crash
        result = await self.database.write(unit, **options)
        if number == self.at:
            raise Crash
        return result

    def __getattr__(self, name: str) -> Any:
        return getattr(self.database, name)


class Planned(ScriptedProvider):
    """A model whose next calls depend on the results that it has got."""

    def __init__(self) -> None:
        super().__init__(tools=True)

    async def generate(self, request: ChatRequest) -> AsyncGenerator[StreamEvent, None]:
        self.requests.append(request)
        parts = [part for message in request.messages for part in message.parts]
        rounds = len({part.id.split("_")[1] for part in parts if isinstance(part, ToolCallPart)})
        assert len([part for part in parts if isinstance(part, ToolResultPart)]) == sum(map(len, PLAN[:rounds]))
        yield TextDelta(f"Text {rounds}.")
        for tool in PLAN[rounds] if rounds < len(PLAN) else ():
            yield calling(tool)
        yield Finished(usage=Usage(10, 1))


@dataclass
class Presser(KeptSink):
    """Approves each call that waits."""

    database: Database | None = None
    approvals: Approvals | None = None
    tasks: list[asyncio.Task[None]] = field(default_factory=list)

    def show(self, event: ShownEvent) -> None:
        super().show(event)
        if self.steps and self.steps[-1][1] == "waiting":
            self.tasks.append(asyncio.create_task(self.press()))

    async def press(self) -> None:
        assert self.database is not None
        assert self.approvals is not None
        approvals = self.approvals
        calls = await self.database.read(lambda conn: tool_calls.recent(conn, 100))
        for call in [call for call in calls if call.state == "waiting"]:
            press = Press(call.id, call.mark, "once", UserInfo(7, "Ann", "user"), 7, None)
            decided = await self.database.write(lambda conn, press=press: approvals.decide(conn, press, 5))
            approvals.decided(decided.ids)


@dataclass
class World:
    """What outlives a crash."""

    database: Database
    clock: ManualClock
    box: Box
    provider: Planned
    host: PluginHost
    effects: Counter[str]
    turn: Turn

    async def run(self, attempt: int, at: int, *, is_after: bool) -> None:
        """Start the program and run the turn, maybe until it crashes."""
        database = cast("Database", Crashing(self.database, at, is_after))
        cards = ToolCards(Catalogue(), AdminPlaces(None), str, UTC)
        approvals = Approvals(database, self.clock, cards, 600)
        bench: ToolBench = open_bench(
            database,
            self.host,
            self.clock,
            self.turn,
            self.provider,
            self.box,
            settings={"rules": {"pay": {"private": "user"}, "write": {"private": "user"}}},
            approvals=approvals,
        )
        bench.sink = Presser(database=self.database, approvals=approvals)
        if attempt > 1:
            await self.database.write(
                lambda conn: bench.service.count_interrupted(conn, replace(self.turn, attempt=attempt - 1), 5)
            )
        with suppress(Crash):
            await bench.ask(attempt=attempt)


async def lived(crashes: list[tuple[int, bool]]) -> None:
    """Run a turn through these crashes, and check what has happened."""
    with TemporaryDirectory() as folder:
        clock, box, effects = ManualClock(), Box(), Counter[str]()

        async def does(use: ToolUse) -> str:
            effects[use.id] += 1
            return use.tool

        box.add("read", does)
        box.add("write", does, danger="write")
        box.add("pay", does, danger="dangerous")
        provider = Planned()
        turn = Turn("u1", Lane(7).key, UserInfo(7, "Ann", "user"), ChatInfo(7, "private"), "How are you?", 70)
        services = HostServices(None, Path(folder), clock, Catalogue(), get_logger)
        choice = PluginChoice(builtin=False)
        async with (
            await Database.open(Path(folder) / "tgllm.db", clock=clock) as database,
            await PluginHost.load((provider.plugin, box.plugin), services, choice=choice) as host,
        ):
            await database.write(add_person)
            world = World(database, clock, box, provider, host, effects, turn)
            attempt = 0
            for attempt, (at, is_after) in enumerate([*crashes, (-1, False)], 1):
                await world.run(attempt, at, is_after=is_after)
                if await database.read(lambda conn: messages.of_turn(conn, turn.id)):
                    # Its update has ended with it.
                    break
            await check(world, attempt)


async def check(world: World, attempts: int) -> None:
    """Check the state at the end."""
    calls = await world.database.read(lambda conn: tool_calls.of_turn(conn, "u1"))
    assert [call.tool for call in calls] == [tool for each in PLAN for tool in each]
    for call in calls:
        count = world.effects[f"u1.{call.round}.{call.place}"]
        assert call.result, call
        if call.tool == "read":
            assert call.state == "done"
            assert count >= 1
        else:
            assert call.state in {"done", "unknown"}
            assert count <= 1
            assert count == 1 or call.state == "unknown"
    stored = await world.database.read(lambda conn: messages.of_turn(conn, "u1"))
    answer = "\n\n".join(f"Text {number}." for number in range(len(PLAN) + 1))
    assert [message.text for message in stored] == ["How are you?", answer]
    assert not await world.database.read(tool_rounds.any_stored)
    asked = await world.database.read(lambda conn: requests.of_turn(conn, "u1"))
    assert len([each for each in asked if each.status == "ok"]) == len(PLAN) + 1
    assert len(asked) <= len(PLAN) + attempts
    assert [each.attempt for each in asked] == sorted({each.attempt for each in asked})
    # Each request that was made is stored or counted, and at most one more for each crash.
    assert len(PLAN) + 1 <= len(world.provider.requests) <= len(asked)


POINTS = st.tuples(st.integers(0, 16), st.booleans())


@settings(max_examples=25, deadline=None)
@given(st.lists(POINTS, max_size=3))
def test_no_crash_makes_a_call_twice_or_loses_one(crashes: list[tuple[int, bool]]) -> None:
    asyncio.run(lived(crashes))


async def test_each_crash_alone() -> None:
    for at in range(22):
        for is_after in (False, True):
            await lived([(at, is_after)])
