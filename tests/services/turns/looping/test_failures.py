"""Turns with tools in which a model, a budget or the program fails between two rounds."""

import asyncio
from dataclasses import replace
from datetime import UTC

import pytest

from loop_support import Box, MakeBench, ToolBench, open_bench
from plugin_support import LoadHost
from tgllm.api import BudgetExceeded, Finished, RateLimited, TextPart, ToolCallPart, ToolUse, Unsupported, Usage
from tgllm.config.sections.budgets import BudgetsSection
from tgllm.db.database import Database
from tgllm.db.engine.unit import Connection
from tgllm.db.tables import users
from tgllm.i18n import Catalogue
from tgllm.services.budgets.service import BudgetService
from tgllm.services.conversations.turn import Turn
from tgllm.services.messaging.admin_places import AdminPlaces
from tgllm.services.messaging.admins import AdminNotifier
from tgllm.services.tools.approvals import Approvals
from tgllm.services.tools.cards import ToolCards
from tgllm.services.tools.put_back import PutBack
from tgllm.services.usage.accounting import Accounting
from tgllm.testing.clock import ManualClock
from tgllm.testing.scripted import calling


async def test_a_model_that_refuses_tools_is_asked_without_them(bench: MakeBench, box: Box) -> None:
    box.add("clock")
    it = await bench()
    it.provider.answer(Unsupported("no tools", code="tools_unsupported"))
    it.provider.answer("It is late.")
    it.provider.answer("Very late.")
    assert (await it.ask()).text == "It is late."
    assert (await it.ask(id="u2")).text == "Very late."
    assert [len(request.tools) for request in it.provider.requests] == [1, 0, 0]


async def test_an_error_after_a_round_keeps_its_text_and_usage(bench: MakeBench, box: Box) -> None:
    box.add("clock")
    it = await bench()
    it.provider.answer("I'll look.", calling("clock"), Finished(usage=Usage(10, 5)))
    it.provider.answer(RateLimited("later"))
    outcome = await it.ask()
    assert (outcome.status, outcome.text, type(outcome.error)) == ("failed", "I'll look.", RateLimited)
    assert await it.requests() == [(1, "ok"), (2, "failed")]
    assert await it.rounds() == 0


@pytest.fixture
def limited(database: Database, clock: ManualClock) -> BudgetService:
    """Budgets of one request a day."""
    texts, notifier = Catalogue(), AdminNotifier(database, clock, None)
    settings = BudgetsSection.model_validate({"roles": {"user": {"requests_per_day": 1}}})
    return BudgetService(database, clock, Accounting(), texts, notifier, settings)


async def test_each_round_counts_on_the_budgets(bench: MakeBench, box: Box, limited: BudgetService) -> None:
    box.add("clock")
    it = await bench(budgets=limited)
    it.provider.answer("I'll look.", calling("clock"))
    outcome = await it.ask()
    assert (outcome.text, type(outcome.error)) == ("I'll look.", BudgetExceeded)
    assert len(it.provider.requests) == 1


async def test_calls_of_another_model_are_retold(
    database: Database, load_host: LoadHost, clock: ManualClock, turn: Turn, box: Box, bench: MakeBench
) -> None:
    box.add("clock")
    it = await bench()
    it.provider.answer(calling("clock"))
    it.provider.answer("Late.")
    begun = it.service

    def as_other(conn: Connection) -> None:
        conn.execute("UPDATE tool_rounds SET model = 'other'")

    crash = asyncio.Event()

    async def waits(use: ToolUse) -> str:
        crash.set()
        await asyncio.Event().wait()
        return use.tool

    box.tools["clock"] = replace(box.tools["clock"], handler=waits)
    del begun
    host = await load_host(it.provider.plugin, box.plugin)
    first = open_bench(database, host, clock, turn, it.provider, box)
    asking = asyncio.create_task(first.ask())
    await crash.wait()
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    await database.write(as_other)
    assert (await it.ask(attempt=2)).text == "Late."
    parts = [part for message in it.provider.requests[-1].messages for part in message.parts]
    assert not [part for part in parts if isinstance(part, ToolCallPart)]
    assert any("clock" in part.text for part in parts if isinstance(part, TextPart))


def make_approvals(it_database: Database, clock: ManualClock) -> Approvals:
    return Approvals(it_database, clock, ToolCards(Catalogue(), AdminPlaces(None), str, UTC), 600)


async def test_a_shutdown_puts_a_waiting_turn_back_and_it_goes_on(
    bench: MakeBench, box: Box, database: Database, clock: ManualClock
) -> None:
    box.add("pay", danger="dangerous")
    box.add("read")
    rules = {"pay": {"private": "user"}}
    approvals = make_approvals(database, clock)
    it: ToolBench = await bench(rules=rules, approvals=approvals)
    it.provider.answer("May I?", calling("pay"), calling("read"))
    asking = asyncio.create_task(it.ask())
    await it.sink.until("pay", "waiting")
    await it.sink.until("read", "done")
    approvals.put_back()
    with pytest.raises(PutBack):
        await asking
    assert await it.states() == ["waiting", "done"]
    # The attempt does not count.
    await database.write(lambda conn: conn.execute("UPDATE tool_calls SET state = 'denied' WHERE state = 'waiting'"))
    it.provider.answer("All right, not.")
    again = await bench(rules=rules, approvals=make_approvals(database, clock))
    again.provider.answer("All right, not.")
    outcome = await again.ask()
    assert outcome.text == "May I?\n\nAll right, not."
    assert await again.states() == ["denied", "done"]
    assert box.made == ["read"]
    assert await again.requests() == [(1, "ok"), (2, "ok")]


async def test_a_shutdown_in_a_call_leaves_it_unknown_or_repeats_it(bench: MakeBench, box: Box) -> None:
    begun: list[str] = []
    both = asyncio.Event()

    async def hangs(use: ToolUse) -> str:
        begun.append(use.tool)
        if len(begun) == 2:
            both.set()
        if len(begun) <= 2:
            await asyncio.Event().wait()
        return use.tool

    box.add("read", hangs)
    box.add("write", hangs, danger="write")
    it = await bench(rules={"write": {"private": "user"}})
    it.provider.answer(calling("read"), calling("write"))
    asking = asyncio.create_task(it.ask())
    await both.wait()
    it.running.stop_all()
    with pytest.raises(PutBack):
        await asking
    assert await it.states() == ["running", "unknown"]
    it.provider.answer("Done.")
    assert (await it.ask(attempt=2)).text == "Done."
    assert sorted(begun) == ["read", "read", "write"]
    assert await it.states() == ["done", "unknown"]


async def test_a_lost_role_counts_before_a_call_starts(
    bench: MakeBench, box: Box, database: Database, clock: ManualClock
) -> None:
    box.add("pay", danger="dangerous")
    approvals = make_approvals(database, clock)
    it = await bench(rules={"pay": {"private": "user"}}, approvals=approvals)
    it.provider.answer(calling("pay"))
    it.provider.answer("No.")
    asking = asyncio.create_task(it.ask())
    await it.sink.until("pay", "waiting")

    def approve(conn: Connection) -> None:
        conn.execute("UPDATE tool_calls SET state = 'approved', decided_by = 7")
        users.set_role(conn, 7, "guest", 1)

    await database.write(approve)
    (call,) = await it.calls()
    approvals.decided([call.id])
    await asking
    assert box.made == []
    assert await it.states() == ["refused"]


async def test_usage_of_all_rounds_is_counted(bench: MakeBench, box: Box, database: Database) -> None:
    box.add("clock")
    it = await bench()
    it.provider.answer(calling("clock"), Finished(usage=Usage(10, 5)))
    it.provider.answer("Noon.", Finished(usage=Usage(20, 7)))
    await it.ask()
    rows = await database.read(
        lambda conn: conn.execute("SELECT requests, input_tokens, output_tokens FROM usage").fetchall()
    )
    assert [tuple(row) for row in rows] == [(2, 30, 12)]
