"""Jobs are done at their times: each time once, missed ones made up once, never two runs of a job at a time."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import pytest

from database_support import runs_of_jobs
from tgllm.db.database import Database
from tgllm.db.tables import schedules
from tgllm.db.tables.schedules import Run
from tgllm.scheduler.clock import Cron
from tgllm.scheduler.jobs import Job
from tgllm.scheduler.scheduler import Scheduler
from tgllm.testing.clock import ManualClock

Pass = Callable[..., Awaitable[None]]
Running = Callable[..., AbstractAsyncContextManager[None]]

HOUR, DAY = 3600, 86_400


@dataclass
class Work:
    """A job that tells when it begins, and ends when it is let go."""

    clock: ManualClock
    began: "asyncio.Queue[str]" = field(default_factory=asyncio.Queue)
    go_on: asyncio.Event = field(default_factory=asyncio.Event)
    error: BaseException | None = None
    parallel: int = 0
    most_parallel: int = 0

    def __post_init__(self) -> None:
        self.go_on.set()

    async def run(self) -> None:
        self.parallel += 1
        self.most_parallel = max(self.parallel, self.most_parallel)
        self.began.put_nowait(f"{datetime.fromtimestamp(self.clock.now(), UTC):%d %H:%M}")
        try:
            await self.go_on.wait()
            if self.error is not None:
                raise self.error
        finally:
            self.parallel -= 1

    def job(self, cron: str = "0 4 * * *", **changes: object) -> Job:
        return replace(Job("job", Cron.parse(cron, UTC), self.run, 60.0), **changes)  # type: ignore[arg-type]  a test's


@pytest.fixture
def work(clock: ManualClock) -> Work:
    return Work(clock)


@pytest.fixture
def running(database: Database, clock: ManualClock) -> Running:
    """Runs jobs while the block runs."""

    @asynccontextmanager
    async def run(*jobs: Job) -> AsyncIterator[None]:
        task = asyncio.create_task(Scheduler(database, clock, jobs).run())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.wait({task})
            assert task.cancelled() or task.exception() is None

    return run


async def ended(database: Database, count: int) -> list[Run]:
    """The runs, the first one first, once so many have ended."""
    while True:
        runs = await database.read(runs_of_jobs)
        if len([run for run in runs if run.state != "running"]) >= count:
            return sorted(runs, key=lambda run: run.fire_time)


async def test_a_job_is_done_each_time(database: Database, work: Work, running: Running, pass_time: Pass) -> None:
    async with running(work.job()):
        await pass_time(4 * HOUR - 1)
        assert work.began.empty()
        await pass_time(1)
        assert await work.began.get() == "01 04:00"
        await ended(database, 1)
        await pass_time(DAY)
        assert await work.began.get() == "02 04:00"
        first, _ = await ended(database, 2)

    assert (first.state, first.fire_time, first.started_at, first.error) == (
        "ok",
        1_767_240_000_000,
        1_767_240_000_000,
        None,
    )


async def test_a_restart_does_not_repeat_it(database: Database, work: Work, running: Running, pass_time: Pass) -> None:
    async with running(work.job()):
        await pass_time(4 * HOUR)
        await work.began.get()
        await ended(database, 1)
    async with running(work.job()):
        await pass_time(DAY - 1)
        assert work.began.empty()
        await pass_time(1)
        assert await work.began.get() == "02 04:00"


async def test_missed_times_are_made_up_once(
    database: Database, clock: ManualClock, work: Work, running: Running, pass_time: Pass
) -> None:
    async with running(work.job()):
        await pass_time(4 * HOUR)
        await ended(database, 1)
    await clock.advance(5 * DAY + HOUR)
    for _ in range(2):
        async with running(work.job()):
            await ended(database, 2)
            await pass_time(HOUR)
    await work.began.get()

    assert await work.began.get() == "06 05:00"
    assert work.began.empty()
    assert [run.fire_time for run in await ended(database, 2)] == [1_767_240_000_000, 1_767_326_400_000]


async def test_a_time_that_comes_while_it_runs_is_made_up_afterwards(
    database: Database, work: Work, running: Running, pass_time: Pass, clock: ManualClock
) -> None:
    work.go_on.clear()
    async with running(work.job("0 * * * *")):
        await pass_time(HOUR)
        assert await work.began.get() == "01 01:00"
        await clock.advance(3 * HOUR + 60)
        assert work.began.empty()
        work.go_on.set()
        assert await work.began.get() == "01 04:01"
        await ended(database, 2)
        await pass_time(HOUR - 60)
        assert await work.began.get() == "01 05:00"
        await ended(database, 3)

    assert work.most_parallel == 1


async def test_jobs_run_side_by_side(work: Work, clock: ManualClock, running: Running, pass_time: Pass) -> None:
    other = Work(clock)
    work.go_on.clear()
    async with running(work.job(), other.job(id="other")):
        await pass_time(4 * HOUR, sleepers=2)
        assert await work.began.get() == await other.began.get() == "01 04:00"
        work.go_on.set()


@pytest.mark.parametrize(
    ("error", "words"), [(ValueError("boom"), "ValueError: boom"), (SystemExit("bye"), "SystemExit: bye")]
)
async def test_a_failure_is_kept_and_the_job_goes_on(
    database: Database, work: Work, running: Running, pass_time: Pass, error: BaseException, words: str
) -> None:
    work.error = error
    async with running(work.job()):
        await pass_time(4 * HOUR)
        (run,) = await ended(database, 1)
        assert (run.state, run.error) == ("failed", words)
        await pass_time(DAY)
        await ended(database, 2)


async def test_a_job_that_does_not_end_is_cancelled(
    database: Database, work: Work, running: Running, pass_time: Pass
) -> None:
    work.go_on.clear()
    async with running(work.job(seconds=0.01)):
        await pass_time(4 * HOUR)
        (run,) = await ended(database, 1)

    assert (run.state, run.error) == ("failed", "it did not end within 0.01 s")
    assert work.parallel == 0


async def test_a_run_that_the_end_of_the_program_cut_is_marked_and_not_repeated(
    database: Database, work: Work, running: Running, pass_time: Pass
) -> None:
    work.go_on.clear()
    async with running(work.job()):
        await pass_time(4 * HOUR)
        await work.began.get()
    async with running(work.job()):
        await pass_time(HOUR)

    assert [run.state for run in await ended(database, 1)] == ["interrupted"]
    assert work.began.empty()


async def test_a_job_may_be_done_at_the_first_start(
    database: Database, work: Work, running: Running, pass_time: Pass
) -> None:
    for _ in range(2):
        async with running(work.job(at_first_start=True)):
            await pass_time(HOUR)
    assert await work.began.get() == "01 00:00"
    assert work.began.empty()


async def test_a_clock_that_was_ahead_does_not_keep_it_waiting(
    database: Database, clock: ManualClock, work: Work, running: Running, pass_time: Pass
) -> None:
    start = clock.now()
    clock.set_now(start + 365 * DAY)
    async with running(work.job(at_first_start=True)):
        await work.began.get()
        await ended(database, 1)
        await pass_time(1)
        clock.set_now(start)
        await pass_time(HOUR)
        await pass_time(3 * HOUR)
        assert await work.began.get() == "01 04:00"
        await ended(database, 2)


async def test_what_is_not_wanted_any_more_is_not_done(
    database: Database, work: Work, clock: ManualClock, running: Running, pass_time: Pass
) -> None:
    other = Work(clock)
    async with running(work.job(wanted=lambda: False), other.job(id="other")):
        await pass_time(4 * HOUR, sleepers=2)
        await other.began.get()
        await ended(database, 1)

    assert work.began.empty()


async def test_without_jobs_it_waits_to_be_cancelled(database: Database, clock: ManualClock) -> None:
    task = asyncio.create_task(Scheduler(database, clock, ()).run())
    await database.read(runs_of_jobs)
    for _ in range(10):
        await asyncio.sleep(0)
    assert not task.done()
    task.cancel()
    await asyncio.wait({task})


async def test_old_runs_are_forgotten(database: Database, clock: ManualClock, work: Work, running: Running) -> None:
    for number in (1, 2):
        await database.write(lambda conn, number=number: schedules.start(conn, "old", number, number))  # type: ignore[misc]  a loop's value
        await database.write(lambda conn, number=number: schedules.finish(conn, "old", number, "ok", number))  # type: ignore[misc]  a loop's value
    async with running(work.job(at_first_start=True)):
        await work.began.get()
        runs = await ended(database, 2)

    assert [(run.job_id, run.fire_time) for run in runs if run.job_id == "old"] == [("old", 2)]


async def test_it_tells_when_jobs_are_due(database: Database, clock: ManualClock, work: Work, pass_time: Pass) -> None:
    wanted = [True]
    jobs = [work.job(), replace(work.job("0 0 * * *"), id="other", wanted=lambda: wanted[0])]
    scheduler = Scheduler(database, clock, jobs)
    assert [(job.id, job.due) for job in scheduler.times()] == [("job", None), ("other", None)]
    task = asyncio.create_task(scheduler.run())
    try:
        await pass_time(HOUR, sleepers=2)
        four = 1_767_240_000.0
        assert [(job.cron, job.due) for job in scheduler.times()] == [
            ("0 4 * * *", four),
            ("0 0 * * *", four + 20 * HOUR),
        ]
        await pass_time(3 * HOUR, sleepers=2)
        await ended(database, 1)
        await pass_time(HOUR, sleepers=2)
        wanted[0] = False
        assert [(job.id, job.due) for job in scheduler.times()] == [("job", four + DAY)]
    finally:
        task.cancel()
        await asyncio.wait({task})
