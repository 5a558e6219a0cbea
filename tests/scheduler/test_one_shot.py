"""One-shot jobs run once at their times, also after restarts, failures and the death of the program."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tgllm import hookimpl
from tgllm.api import (
    DueJob,
    Jobs,
    PlannedJob,
    PluginContext,
    PluginError,
    PluginInfo,
    RateLimited,
    UserInfo,
)
from tgllm.db.database import Database
from tgllm.db.tables.plugins import jobs
from tgllm.db.tables.plugins.jobs import PluginJob
from tgllm.i18n import Catalogue
from tgllm.observe.logs import get_logger
from tgllm.plugins import FoundPlugin, HostServices, PluginHost
from tgllm.plugins.loading import planner
from tgllm.scheduler.attempts import recover
from tgllm.scheduler.one_shot import OneShotJobs
from tgllm.testing.clock import ManualClock
from tgllm.testing.scripted import GivenPlugin

Pass = Callable[..., Awaitable[None]]
MINUTE, DAY = 60, 86_400


@dataclass
class Reminder:
    """A plugin that notes its calls, and does with each what the test says."""

    clock: ManualClock
    calls: "asyncio.Queue[Any]" = field(default_factory=asyncio.Queue)
    errors: list[BaseException] = field(default_factory=list[BaseException])
    """What the next calls raise."""
    go_on: asyncio.Event = field(default_factory=asyncio.Event)
    context: PluginContext | None = None
    at_run: Callable[[PluginContext, DueJob], Awaitable[object]] | None = None
    parallel: int = 0
    most_parallel: int = 0

    def __post_init__(self) -> None:
        self.go_on.set()

    @property
    def jobs(self) -> Jobs:
        assert self.context is not None
        return self.context.jobs

    @hookimpl
    def tgllm_plugin_info(self) -> PluginInfo:
        return PluginInfo(id="remind", title="Remind", api="1.0")

    @hookimpl
    def tgllm_providers(self, ctx: PluginContext) -> Sequence[Any]:
        self.context = ctx
        return ()

    @hookimpl
    async def tgllm_job(self, ctx: PluginContext, job: DueJob) -> None:
        self.parallel += 1
        self.most_parallel = max(self.parallel, self.most_parallel)
        self.calls.put_nowait(job)
        try:
            await self.go_on.wait()
            if self.at_run is not None:
                await self.at_run(ctx, job)
            if self.errors:
                raise self.errors.pop(0)
        finally:
            self.parallel -= 1

    @hookimpl
    async def tgllm_forget(self, user: UserInfo) -> None:
        self.calls.put_nowait(("forget", user.id))
        if self.errors:
            raise self.errors.pop(0)

    @hookimpl
    async def tgllm_chat_moved(self, old: int, new: int) -> None:
        self.calls.put_nowait(("moved", old, new))


@dataclass
class Reports:
    """Keeps what is reported."""

    seen: list[tuple[str, str, str | None]] = field(default_factory=list[tuple[str, str, str | None]])

    def report(self, error: BaseException, *, event: str, plugin: str | None = None, **fields: object) -> str:
        self.seen.append((event, f"{type(error).__name__}: {error}", plugin))
        return ""

    def warn(self, error: BaseException, *, event: str, plugin: str | None = None) -> None:
        pass

    async def settle(self) -> None:
        pass


Running = Callable[..., AbstractAsyncContextManager[OneShotJobs]]


@pytest.fixture
def plugin(clock: ManualClock) -> Reminder:
    return Reminder(clock)


@pytest.fixture
def reports() -> Reports:
    return Reports()


@pytest.fixture
def running(database: Database, clock: ManualClock, plugin: Reminder, reports: Reports, tmp_path: Path) -> Running:
    """Runs the worker while the block runs."""

    @asynccontextmanager
    async def run(*plugins: FoundPlugin) -> AsyncGenerator[OneShotJobs]:
        services = HostServices(database, tmp_path, clock, Catalogue(), get_logger)
        async with await PluginHost.load(plugins or [GivenPlugin.of("remind", plugin)], services) as host:
            await host.startup()
            worker = OneShotJobs(database, clock, host, reports)
            task = asyncio.create_task(worker.run())
            try:
                yield worker
            finally:
                task.cancel()
                await asyncio.wait({task})
                assert task.cancelled() or task.exception() is None

    return run


async def stored(database: Database) -> list[PluginJob]:
    rows = await database.read(lambda conn: conn.execute("SELECT plugin_id, owner, job_id FROM plugin_jobs").fetchall())
    found = [await database.read(lambda conn, row=row: jobs.get(conn, *row)) for row in rows]
    return [job for job in found if job is not None]


async def until(check: Callable[[], Awaitable[bool]]) -> None:
    """Wait until something is so."""
    while not await check():  # noqa: ASYNC110  nothing says when a row has changed
        await asyncio.sleep(0.003)


def gone(database: Database) -> Callable[[], Awaitable[bool]]:
    async def check() -> bool:
        return not await stored(database)

    return check


def reported(database: Database, reports: Reports) -> Callable[[], Awaitable[bool]]:
    """Whether an error was reported, which is done after the change of the row."""

    async def check() -> bool:
        await stored(database)
        return bool(reports.seen)

    return check


def failed(database: Database, attempts: int) -> Callable[[], Awaitable[bool]]:
    async def check() -> bool:
        return [(job.attempts, job.started_at) for job in await stored(database)] == [(attempts, None)]

    return check


class TestPlanning:
    async def test_a_job_runs_once_at_its_time(
        self, database: Database, clock: ManualClock, plugin: Reminder, running: Running, pass_time: Pass
    ) -> None:
        async with running():
            due = datetime.fromtimestamp(clock.now() + 10 * MINUTE, UTC)
            planned = await plugin.jobs.at(due, "tea", {"text": "чай"})
            assert planned == PlannedJob("tea", due.timestamp(), {"text": "чай"})
            await pass_time(10 * MINUTE - 1)
            assert plugin.calls.empty()
            await pass_time(1)
            job: DueJob = await plugin.calls.get()
            assert job == DueJob("tea", due.timestamp(), {"text": "чай"}, None, 1, 0.0)
            assert not job.is_late
            await until(gone(database))
            await pass_time(DAY)
            assert plugin.calls.empty()

    async def test_a_time_that_has_passed_means_now(
        self, clock: ManualClock, plugin: Reminder, running: Running
    ) -> None:
        async with running():
            await plugin.jobs.at(clock.now() - 30, "a")
            assert (await plugin.calls.get()).delay == 30
            await plugin.jobs.at(0, "b")
            assert (await plugin.calls.get()).is_late
            await plugin.jobs.at(-5.5, "c")
            assert (await plugin.calls.get()).due == 0

    async def test_a_job_is_planned_anew_listed_and_cancelled(
        self, database: Database, clock: ManualClock, plugin: Reminder, running: Running, pass_time: Pass
    ) -> None:
        async with running():
            now = clock.now()
            await plugin.jobs.at(now + 60, "a", 1)
            await plugin.jobs.at(now + 90, "a", 2)
            await plugin.jobs.at(now + 80, "b:1")
            await plugin.jobs.of(7).at(now + 70, "a", "ann's")
            assert [(job.id, job.data) for job in await plugin.jobs.list()] == [("b:1", None), ("a", 2)]
            assert [job.id for job in await plugin.jobs.list("b:")] == ["b:1"]
            assert [job.data for job in await plugin.jobs.of(7).list()] == ["ann's"]
            found = await plugin.jobs.get("a")
            assert found is not None
            assert (found.due, found.owner, found.attempts) == (now + 90, None, 0)
            assert await plugin.jobs.get("c") is None
            assert await plugin.jobs.cancel("b:1")
            assert not await plugin.jobs.cancel("b:1")
            await pass_time(70)
            assert (await plugin.calls.get()).owner == 7
            await pass_time(20)
            assert (await plugin.calls.get()).data == 2
            await until(gone(database))

    @pytest.mark.parametrize(
        ("time", "job_id", "data", "words"),
        [
            (datetime(2026, 5, 1), "a", None, "no time zone: add one, such as tzinfo=ctx.timezone"),  # noqa: DTZ001  what is tested
            (float("nan"), "a", None, "is no time"),
            (float("inf"), "a", None, "is no time"),
            ("tomorrow", "a", None, "is no time"),
            (True, "a", None, "is no time"),
            (1_767_225_600_000, "a", None, "not milliseconds"),
            (1e300, "a", None, "after the year 9999"),
            (10**400, "a", None, "after the year 9999"),
            (1, "", None, "1 to 128 characters"),
            (1, "x" * 129, None, "1 to 128 characters"),
            (1, 5, None, "no text that can be a job's id"),
            (1, "\ud83d", None, "no text that can be a job's id"),
            (1, "a", object(), "the data of the job 'a' is no JSON"),
            (1, "a", "x" * 16_383, "longer than 16384 bytes"),
        ],
    )
    async def test_what_can_not_be_planned_is_refused(
        self, database: Database, plugin: Reminder, running: Running, time: Any, job_id: Any, data: Any, words: str
    ) -> None:
        async with running():
            with pytest.raises(PluginError, match=words):
                await plugin.jobs.at(time, job_id, data)
            assert await stored(database) == []

    @pytest.mark.parametrize("method", ["get", "cancel", "list"])
    @pytest.mark.parametrize("job_id", [5, "\ud83d"])
    async def test_what_can_be_no_id_is_refused(
        self, plugin: Reminder, running: Running, method: str, job_id: Any
    ) -> None:
        async with running():
            with pytest.raises(PluginError, match="no text that can be a job's id"):
                await getattr(plugin.jobs, method)(job_id)

    async def test_the_number_of_jobs_has_a_limit(
        self, clock: ManualClock, plugin: Reminder, running: Running, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(planner, "MOST_OF_PLUGIN", 4)
        monkeypatch.setattr(planner, "MOST_OF_OWNER", 2)
        later = clock.now() + DAY
        async with running():
            for name in "ab":
                await plugin.jobs.of(7).at(later, name)
            with pytest.raises(PluginError, match="for 7 are more than 2: cancel some"):
                await plugin.jobs.of(7).at(later, "c")
            await plugin.jobs.of(7).at(later, "b", "in place of the other")
            for name in "cd":
                await plugin.jobs.at(later, name)
            with pytest.raises(PluginError, match="are more than 4: cancel some"):
                await plugin.jobs.at(later, "e")
            assert [job.id for job in await plugin.jobs.list()] == ["c", "d"]

    async def test_a_plugin_without_the_hook_is_told(
        self, database: Database, clock: ManualClock, running: Running
    ) -> None:
        contexts: list[PluginContext] = []

        class Plain:
            @hookimpl
            def tgllm_plugin_info(self) -> PluginInfo:
                return PluginInfo(id="plain", title="Plain", api="1.0")

            @hookimpl
            def tgllm_jobs(self, ctx: PluginContext) -> Sequence[Any]:
                contexts.append(ctx)
                return ()

        async with running(GivenPlugin.of("plain", Plain())):
            with pytest.raises(PluginError, match="the plugin plain has no tgllm_job, which would run the job 'a'"):
                await contexts[0].jobs.at(clock.now(), "a")


class TestRestart:
    async def test_what_was_due_meanwhile_is_made_up_in_order_and_is_late(
        self, database: Database, clock: ManualClock, plugin: Reminder, running: Running
    ) -> None:
        async with running():
            for after, name in ((90, "c"), (30, "a"), (60, "b"), (2 * DAY, "later")):
                await plugin.jobs.at(clock.now() + after, name)
        await clock.advance(DAY)
        async with running():
            calls = [await plugin.calls.get() for _ in range(3)]
            assert [(job.id, job.is_late, job.attempt) for job in calls] == [(name, True, 1) for name in "abc"]
            await until(lambda: _has_ids(database, ["later"]))

    async def test_a_shutdown_during_an_attempt_repeats_it_without_counting_it(
        self, database: Database, clock: ManualClock, plugin: Reminder, running: Running
    ) -> None:
        plugin.go_on.clear()
        for _ in range(7):
            async with running():
                if not await stored(database):
                    await plugin.jobs.at(clock.now(), "a")
                assert (await plugin.calls.get()).attempt == 1
        plugin.go_on.set()
        async with running():
            assert (await plugin.calls.get()).attempt == 1
            await until(gone(database))

    async def test_a_plugin_that_is_missing_keeps_its_jobs(
        self, database: Database, clock: ManualClock, plugin: Reminder, running: Running
    ) -> None:
        async with running():
            await plugin.jobs.at(clock.now() + 60, "a")
        other = Reminder(clock)
        other.tgllm_plugin_info = None  # type: ignore[method-assign,assignment]  a plugin that can't be loaded
        for plugins in ([GivenPlugin.of("other", object())], [GivenPlugin.of("remind", other)]):
            async with running(*plugins):
                await clock.advance(DAY)
                assert [job.job_id for job in await stored(database)] == ["a"]
        async with running():
            assert (await plugin.calls.get()).is_late

    async def test_a_plugin_that_is_quarantined_keeps_its_jobs(
        self, database: Database, clock: ManualClock, plugin: Reminder, running: Running, pass_time: Pass
    ) -> None:
        async with running() as worker:
            await plugin.jobs.at(clock.now() + 60, "a")
            worker._host.quarantine("remind", "a test")
            await pass_time(DAY)
            assert plugin.calls.empty()
        async with running():
            assert (await plugin.calls.get()).id == "a"
            await until(gone(database))


async def _has_ids(database: Database, ids: list[str]) -> bool:
    return [job.job_id for job in await stored(database)] == ids


class TestDeath:
    """The program dies during an attempt; a row that says so stays."""

    async def die(self, database: Database) -> None:
        """Leave what a dead program leaves."""
        await database.write(lambda conn: [jobs.start(conn, job, 1) for job in jobs.named(conn, "remind", "a")])

    async def test_the_first_time_it_runs_again_at_once(
        self, database: Database, clock: ManualClock, plugin: Reminder, running: Running
    ) -> None:
        async with running():
            await plugin.jobs.at(clock.now() + 60, "a")
        await self.die(database)
        async with running():
            assert (await plugin.calls.get()).attempt == 2
            await until(gone(database))

    async def test_a_job_that_ends_the_program_each_time_is_given_up(
        self, database: Database, clock: ManualClock, plugin: Reminder, running: Running, reports: Reports
    ) -> None:
        async with running():
            await plugin.jobs.at(clock.now() + 10 * DAY, "a")
        now, waits = int(clock.now() * 1000), list[float]()
        for _ in range(4):
            await self.die(database)
            assert await database.write(lambda conn: recover(conn, now)) == []
            waits += [(job.run_at - now) / 1000 for job in await stored(database)]
        assert waits == [0, 60, 300, 1800]
        await self.die(database)
        async with running():
            await until(reported(database, reports))
            assert plugin.calls.empty()
            assert await stored(database) == []
        assert reports.seen == [
            ("job.given_up", "PluginError: the program has ended 5 times during the job a of remind", "remind")
        ]


class TestFailures:
    async def test_it_is_tried_again_with_growing_pauses_and_then_given_up(
        self,
        database: Database,
        clock: ManualClock,
        plugin: Reminder,
        running: Running,
        pass_time: Pass,
        reports: Reports,
    ) -> None:
        plugin.errors = [KeyError(number) for number in range(9)]
        async with running():
            await plugin.jobs.at(clock.now(), "a")
            for attempt, pause in enumerate((60, 300, 1800, 7200), 1):
                assert (await plugin.calls.get()).attempt == attempt
                await until(failed(database, attempt))
                await pass_time(pause - 1)
                assert plugin.calls.empty()
                await pass_time(1)
            job: DueJob = await plugin.calls.get()
            assert (job.attempt, job.delay, job.is_late) == (5, 9360, True)
            await until(gone(database))
            await pass_time(DAY)
            assert plugin.calls.empty()
        assert [event for event, _, _ in reports.seen] == ["job.failed"] * 4 + ["job.given_up"]
        assert {plugin_id for _, _, plugin_id in reports.seen} == {"remind"}

    async def test_an_error_that_the_plugin_names_is_reported_only_at_the_end(
        self, database: Database, clock: ManualClock, plugin: Reminder, running: Running, reports: Reports
    ) -> None:
        plugin.errors = [RateLimited("slow down", retry_after=900)]
        async with running():
            await plugin.jobs.at(clock.now(), "a")
            await until(failed(database, 1))
            (job,) = await stored(database)
            assert (job.run_at / 1000 - clock.now(), job.error) == (900, "RateLimited: slow down")
        assert reports.seen == []

    async def test_a_failure_does_not_quarantine(
        self, database: Database, clock: ManualClock, plugin: Reminder, running: Running
    ) -> None:
        plugin.errors = [SystemExit(3), KeyboardInterrupt(), asyncio.CancelledError(), GeneratorExit()]
        async with running():
            for name in "abcd":
                await plugin.jobs.at(clock.now(), name)
                await plugin.calls.get()
            await plugin.jobs.at(clock.now(), "e")
            assert (await plugin.calls.get()).id == "e"
            await until(lambda: _has_ids(database, list("abcd")))

    async def test_it_runs_in_the_time_limit_of_a_job(
        self,
        database: Database,
        clock: ManualClock,
        plugin: Reminder,
        running: Running,
        reports: Reports,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr("tgllm.scheduler.attempts.JOB_SECONDS", 0.01)
        plugin.go_on.clear()
        async with running():
            await plugin.jobs.at(clock.now(), "a")
            await until(reported(database, reports))
            assert await failed(database, 1)()
        assert reports.seen == [("job.failed", "PluginError: tgllm_job did not end within 0.01 s", "remind")]


class TestWhileItRuns:
    async def test_it_can_plan_itself_anew(
        self, database: Database, clock: ManualClock, plugin: Reminder, running: Running, pass_time: Pass
    ) -> None:
        async def again(ctx: PluginContext, job: DueJob) -> None:
            if job.data != 3:
                assert isinstance(job.data, int)
                await ctx.jobs.at(job.due + 60, job.id, job.data + 1)

        plugin.at_run = again
        async with running():
            await plugin.jobs.at(clock.now(), "a", 1)
            for number in (1, 2, 3):
                job: DueJob = await plugin.calls.get()
                assert (job.data, job.attempt) == (number, 1)
                if number < 3:
                    await until(lambda n=number: _data(database, n + 1))
                    await pass_time(60)
            await until(gone(database))

    async def test_a_new_time_for_it_waits_for_its_end(
        self, database: Database, clock: ManualClock, plugin: Reminder, running: Running
    ) -> None:
        plugin.go_on.clear()
        async with running():
            await plugin.jobs.at(clock.now(), "a", 1)
            await plugin.calls.get()
            await plugin.jobs.at(clock.now(), "a", 2)
            await plugin.jobs.at(clock.now(), "b")
            assert (await plugin.calls.get()).id == "b"
            assert plugin.calls.empty()
            plugin.go_on.set()
            assert (await plugin.calls.get()).data == 2
            await until(gone(database))

    async def test_cancelling_it_does_not_stop_it_but_prevents_a_second_attempt(
        self, database: Database, clock: ManualClock, plugin: Reminder, running: Running, pass_time: Pass
    ) -> None:
        plugin.go_on.clear()
        plugin.errors = [KeyError(1)]
        async with running():
            await plugin.jobs.at(clock.now(), "a")
            await plugin.calls.get()
            assert await plugin.jobs.cancel("a")
            plugin.go_on.set()
            await until(lambda: _is(lambda: not plugin.errors and not plugin.parallel))
            await pass_time(DAY)
            assert plugin.calls.empty()
            assert await stored(database) == []

    async def test_few_run_at_a_time_and_all_run(
        self, database: Database, clock: ManualClock, plugin: Reminder, running: Running
    ) -> None:
        plugin.go_on.clear()
        async with running():
            for number in range(30):
                await plugin.jobs.at(clock.now(), str(number))
            first = [await plugin.calls.get() for _ in range(8)]
            assert plugin.calls.empty()
            plugin.go_on.set()
            rest = [await plugin.calls.get() for _ in range(22)]
            await until(gone(database))
        assert [job.id for job in (*first, *rest)] == [str(number) for number in range(30)]
        assert plugin.most_parallel == 8

    async def test_a_job_of_another_process_is_found(
        self, database: Database, clock: ManualClock, plugin: Reminder, running: Running
    ) -> None:
        async with running(), await Database.open(database.path) as elsewhere:
            await planner.PluginJobs("remind", elsewhere, clock).at(clock.now(), "a")
            database.announce("jobs")
            assert (await plugin.calls.get()).id == "a"


async def _data(database: Database, number: int) -> bool:
    return [(job.data, job.started_at) for job in await stored(database)] == [(number, None)]


async def _is(check: Callable[[], bool]) -> bool:
    return check()


class TestCalls:
    """Hooks that are called through the same table."""

    async def test_a_plugin_is_told_whom_to_forget_until_it_has_succeeded(
        self, database: Database, clock: ManualClock, plugin: Reminder, running: Running, pass_time: Pass
    ) -> None:
        plugin.errors = [OSError("disk")]
        async with running():
            await database.write(lambda conn: jobs.notify(conn, "forget", 7, None, int(clock.now() * 1000)))
            assert await plugin.calls.get() == ("forget", 7)
        await clock.advance(60)
        async with running():
            assert await plugin.calls.get() == ("forget", 7)
            await until(lambda: _is_empty(database))

    async def test_a_person_is_forgotten_after_their_jobs_have_ended(
        self, database: Database, clock: ManualClock, plugin: Reminder, running: Running
    ) -> None:
        plugin.go_on.clear()
        async with running():
            await plugin.jobs.of(7).at(clock.now(), "a")
            assert (await plugin.calls.get()).owner == 7
            await database.write(lambda conn: jobs.notify(conn, "forget", 7, None, int(clock.now() * 1000)))
            await plugin.jobs.of(8).at(clock.now(), "b")
            assert (await plugin.calls.get()).owner == 8
            assert plugin.calls.empty()
            plugin.go_on.set()
            assert await plugin.calls.get() == ("forget", 7)
            await until(lambda: _is_empty(database))

    async def test_a_moved_chat(
        self, database: Database, clock: ManualClock, plugin: Reminder, running: Running
    ) -> None:
        data = {"old": -5, "new": -1005}
        async with running():
            await database.write(lambda conn: jobs.notify(conn, "chat_moved", -5, data, int(clock.now() * 1000)))
            assert await plugin.calls.get() == ("moved", -5, -1005)
            await until(lambda: _is_empty(database))


async def _is_empty(database: Database) -> bool:
    return not await database.read(lambda conn: conn.execute("SELECT 1 FROM plugin_jobs").fetchone())
