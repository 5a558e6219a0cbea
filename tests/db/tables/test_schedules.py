"""A time is fired once, whatever restarts in between."""

import sqlite3

from database_support import NOW, runs_of_jobs
from tgllm.db.tables import schedules


def test_a_time_is_taken_once(conn: sqlite3.Connection) -> None:
    assert schedules.start(conn, "sync", NOW, NOW + 3)
    assert not schedules.start(conn, "sync", NOW, NOW + 4)
    assert schedules.start(conn, "other", NOW, NOW)
    assert schedules.start(conn, "sync", NOW + 60_000, NOW + 60_000)


def test_a_run_ends_once(conn: sqlite3.Connection) -> None:
    schedules.start(conn, "sync", NOW, NOW)
    assert schedules.finish(conn, "sync", NOW, "failed", NOW + 9, "no answer")
    assert not schedules.finish(conn, "sync", NOW, "ok", NOW + 9)
    run = schedules.last(conn, "sync")
    assert run is not None
    assert (run.state, run.finished_at, run.error) == ("failed", NOW + 9, "no answer")
    assert schedules.last(conn, "other") is None


def test_what_an_earlier_run_left_is_interrupted(conn: sqlite3.Connection) -> None:
    schedules.start(conn, "sync", NOW, NOW)
    assert schedules.interrupt_running(conn, NOW + 1) == 1
    assert [run.state for run in runs_of_jobs(conn)] == ["interrupted"]


def test_pruning_keeps_the_latest_of_each_job(conn: sqlite3.Connection) -> None:
    for fire_time in (NOW, NOW + 1, NOW + 2):
        schedules.start(conn, "sync", fire_time, fire_time)
        schedules.finish(conn, "sync", fire_time, "ok", fire_time)
    schedules.start(conn, "once", NOW, NOW)
    schedules.finish(conn, "once", NOW, "ok", NOW)
    assert schedules.prune(conn, NOW + 100) == 2
    assert [(run.job_id, run.fire_time) for run in runs_of_jobs(conn)] == [("sync", NOW + 2), ("once", NOW)]
