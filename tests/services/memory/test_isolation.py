"""No request holds what people of another chat have said, whatever is done before it.

Every text carries a mark of its chat, and a request, a result of a tool or of a search may only hold marks of the chat
in which it is made. A chat gets another mark when its person has been erased.
"""

import asyncio
import re
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from loop_support import Box, ToolBench, add_person, open_bench
from tgllm.api import ChatInfo, ChatRequest, ToolCallPart, ToolResultPart, UserInfo
from tgllm.db.database import Database
from tgllm.db.engine.unit import Connection
from tgllm.db.queries import chat_moves
from tgllm.db.queries.erasure import erase
from tgllm.db.tables import conversations, facts, messages, summaries
from tgllm.db.tables import users as user_table
from tgllm.db.tables.facts import NewFact
from tgllm.db.tables.memory import proposals
from tgllm.db.tables.summaries import Summary
from tgllm.i18n import Catalogue
from tgllm.observe.logs import get_logger
from tgllm.plugins.builtin.found import BUILTIN
from tgllm.plugins.host import PluginHost
from tgllm.plugins.loading.assemble import PluginChoice
from tgllm.plugins.loading.contexts import HostServices
from tgllm.services.chats.facts import facts_in, owner_in
from tgllm.services.chats.settings import change_settings
from tgllm.services.common.lane import Lane
from tgllm.services.conversations import branches
from tgllm.services.conversations.turn import Branch, Turn
from tgllm.services.memory.proposals import decide
from tgllm.services.memory.tools import MemoryTools
from tgllm.services.search.finder import find
from tgllm.services.search.index import SearchIndex
from tgllm.testing.clock import ManualClock
from tgllm.testing.scripted import ScriptedProvider, calling

MARK = re.compile(r"mark[a-z]+\d*x\d+")
ANN, EVE, GROUP, MOVED, FORUM = 7, 8, -5, -1_000_000_000_005, -1_000_000_000_006
LANES = {
    "ann": [Lane(ANN), Lane(ANN, 3)],
    "eve": [Lane(EVE), Lane(EVE, 3)],
    "group": [Lane(GROUP)],
    "forum": [Lane(FORUM), Lane(FORUM, 3)],
    "onlyann": [Lane(FORUM, ephemeral_user_id=ANN)],
    "onlyeve": [Lane(FORUM, ephemeral_user_id=EVE)],
    "direct": [Lane(FORUM, direct_topic_id=ANN)],
    "business": [Lane(ANN, business_connection_id="b")],
}
"""Lanes by who reads them: those of one chat have the same readers."""
ASKERS = {"ann": [ANN], "eve": [EVE], "onlyann": [ANN], "onlyeve": [EVE], "direct": [ANN], "business": [EVE]}
ACTIONS = (
    "ask", "ask", "ask", "search_tool", "propose", "remember", "persona", "summary", "new", "reopen", "undo", "retry",
    "fork", "clear", "search", "index", "move", "forget", "role",
)  # fmt: skip


@dataclass(frozen=True)
class Step:
    action: str
    place: str
    number: int


STEPS = st.lists(
    st.builds(Step, st.sampled_from(ACTIONS), st.sampled_from(sorted(LANES)), st.integers(0, 5)),
    min_size=4,
    max_size=30,
)


@dataclass
class World:
    """The real services, with a model that answers with the question, and what may be told where."""

    bench: ToolBench
    clock: ManualClock
    lanes: dict[str, list[Lane]] = field(default_factory=lambda: {place: [*lanes] for place, lanes in LANES.items()})
    marks: dict[str, int] = field(default_factory=lambda: dict.fromkeys(LANES, 0))
    turns: int = 0

    @property
    def database(self) -> Database:
        return self.bench.database

    def mark(self, place: str) -> str:
        return f"mark{place}x{self.marks[place]}"

    def lane(self, step: Step) -> Lane:
        lanes = self.lanes[step.place]
        return lanes[step.number % len(lanes)]

    def asker(self, step: Step) -> int:
        return ASKERS.get(step.place, [ANN, EVE])[step.number % len(ASKERS.get(step.place, [ANN, EVE]))]

    def check(self, place: str, text: str) -> None:
        foreign = set(MARK.findall(text)) - {self.mark(place)}
        assert not foreign, f"{foreign} in {place}: {text}"

    async def run(self, step: Step) -> None:
        await self.clock.advance(1)
        await getattr(self, f"do_{step.action}")(step)

    async def ask(self, step: Step, *answers: object, branch: Branch | None = None) -> None:
        self.turns += 1
        person, lane = self.asker(step), self.lane(step)
        kind = "private" if lane.chat_id > 0 else "supergroup"
        for answer in answers:
            self.bench.provider.answer(answer)  # type: ignore[arg-type]  a call of a tool
        turn = Turn(
            f"u{self.turns}",
            lane.key,
            UserInfo(person, f"P{person}", "user"),
            ChatInfo(lane.chat_id, kind),
            f"{self.mark(step.place)} plum {self.turns}",
            self.turns,
            branch=branch,
        )
        seen = len(self.bench.provider.requests)
        await self.bench.service.run(replace(turn), self.bench.sink)
        self.bench.provider._answers.clear()
        assert len(self.bench.provider.requests) > seen
        for request in self.bench.provider.requests[seen:]:
            self.check(step.place, whole(request))

    async def do_ask(self, step: Step) -> None:
        await self.ask(step)

    async def do_search_tool(self, step: Step) -> None:
        await self.ask(step, calling("search_history", query=("mark", "plum", "x", "pl")[step.number % 4]))

    async def do_propose(self, step: Step) -> None:
        await self.ask(step, calling("remember", fact=f"{self.mark(step.place)} fact {step.number}"))
        turn_id, lane, person, now = f"u{self.turns}", self.lane(step), self.asker(step), round(self.clock.now() * 1000)

        def press(conn: Connection) -> None:
            for each in proposals.unasked(conn, turn_id):
                proposals.set_state(conn, each.id, "open", "new")
                for other in chain.from_iterable(self.lanes.values()):
                    if other != lane:
                        wrong = decide(conn, each.id, each.mark, other, person, keep=True, now=now)
                        assert wrong.result == "unknown"
                decide(conn, each.id, each.mark, lane, person, keep=step.number % 3 > 0, now=now)

        await self.database.write(press)

    async def do_remember(self, step: Step) -> None:
        lane, text = self.lane(step), f"{self.mark(step.place)} by hand"
        new = NewFact(lane=lane.key, owner=owner_in(lane), user_id=self.asker(step), text=text)
        await self.database.write(lambda conn: facts.add(conn, new, 1))

    async def do_persona(self, step: Step) -> None:
        system = f"You belong to {self.mark(step.place)}"
        key = self.lane(step).key
        await self.database.write(change_settings(self.clock, key, lambda before: replace(before, system=system)))

    async def do_summary(self, step: Step) -> None:
        key, text = self.lane(step).key, f"{self.mark(step.place)} summary"

        def unit(conn: Connection) -> None:
            found = conversations.active_in(conn, key)
            if found is not None and found.head_message_id is not None:
                summaries.put(conn, Summary(found.id, found.head_message_id, text, "scripted", "model", 0))

        await self.database.write(unit)
        await self.database.write(change_settings(self.clock, key, lambda before: replace(before, summary="on")))

    async def do_new(self, step: Step) -> None:
        await self.database.write(lambda conn: branches.begin_new(conn, self.lane(step).key, 1))

    async def do_reopen(self, step: Step) -> None:
        # Also conversations of other lanes, as a forged button asks for.
        def unit(conn: Connection) -> None:
            branches.reopen(conn, self.lane(step).key, step.number, 1)

        await self.database.write(unit)

    async def do_undo(self, step: Step) -> None:
        await self.database.write(lambda conn: branches.undo(conn, self.lane(step).key, 1))

    async def do_clear(self, step: Step) -> None:
        await self.database.write(lambda conn: branches.clear(conn, self.lane(step).key, 1))

    async def do_retry(self, step: Step) -> None:
        question = await self.database.read(lambda conn: branches.last_question(conn, self.lane(step).key))
        if question is not None:
            await self.ask(step, branch=branches.branch_before(question))

    async def do_fork(self, step: Step) -> None:
        key = self.lane(step).key

        def query(conn: Connection) -> Branch | None:
            found = conversations.active_in(conn, key)
            rows = [] if found is None else messages.history(conn, found.id, found.head_message_id, 100)
            answers = [row for row in rows if row.role == "assistant"]
            return Branch(answers[0].conversation_id, answers[0].id) if answers else None

        branch = await self.database.read(query)
        if branch is not None:
            await self.ask(step, branch=branch)

    async def do_search(self, step: Step) -> None:
        for query in ("mark", "plum", "x", "pl um"):
            found = await self.database.read(lambda conn, query=query: find(conn, self.lane(step), query))
            for hit in found.hits:
                self.check(step.place, hit.text)
        listed = await self.database.read(lambda conn: facts_in(conn, self.lane(step).key))
        self.check(step.place, " ".join(fact.text for fact in listed))

    async def do_index(self, _step: Step) -> None:
        await SearchIndex(self.database, self.clock).update()

    async def do_move(self, _step: Step) -> None:
        if self.lanes["group"] == [Lane(GROUP)]:
            old, new = Lane(GROUP), Lane(MOVED)
            await self.database.write(lambda conn: chat_moves.move(conn, GROUP, MOVED, old.key, new.key))
            self.lanes["group"] = [new, Lane(MOVED, 3)]

    async def do_forget(self, step: Step) -> None:
        person, place = ((ANN, "ann"), (EVE, "eve"))[step.number % 2]
        await self.database.write(lambda conn: erase(conn, person, 1))
        self.marks[place] += 1

    async def do_role(self, step: Step) -> None:
        role = ("admin", "user", "guest")[step.number % 3]
        await self.database.write(lambda conn: user_table.set_role(conn, self.asker(step), role, 1))  # type: ignore[arg-type]  a role


def whole(request: ChatRequest) -> str:
    """All texts of a request."""
    parts = (part for message in request.messages for part in message.parts)
    texts = (
        str(part.arguments) if isinstance(part, ToolCallPart) else part.text
        for part in parts
        if isinstance(part, ToolCallPart | ToolResultPart) or hasattr(part, "text")
    )
    return "\n".join([request.system or "", *map(str, texts)])


async def play(steps: Sequence[Step], folder: Path) -> None:
    clock, provider = ManualClock(), ScriptedProvider(tools=True)
    async with await Database.open(folder / "tgllm.db", clock=clock) as database:
        for person in (ANN, EVE):
            await database.write(lambda conn, person=person: add_person(conn, person))
        services = HostServices(database, folder, clock, Catalogue(), get_logger)
        memory = [plugin for plugin in BUILTIN if plugin.id == "basic_memory"]
        host = await PluginHost.load([provider.plugin, *memory], services, choice=PluginChoice(builtin=False))
        async with host:
            turn = Turn("u0", ":7:", UserInfo(ANN, "Ann", "user"), ChatInfo(ANN, "private"), "")
            bench = open_bench(database, host, clock, turn, provider, Box())
            tools = MemoryTools(database, clock, Catalogue(), bench.running)
            assert not host.provide_tools("basic_memory", tools.specs())
            world = World(bench, clock)
            for step in steps:
                await world.run(step)
            # In the end everybody asks once more, and everything is looked for.
            for place in LANES:
                for action in ("ask", "search_tool", "search"):
                    await world.run(Step(action, place, 0))
            assert {"remember", "search_history"} <= set(provider.offered)
            await bench.service.aclose()


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(STEPS)
def test_no_request_and_no_search_holds_another_chat(steps: list[Step]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(play(steps, Path(folder)))
