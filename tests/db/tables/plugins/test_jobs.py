"""One-shot jobs are found at their times, and what is done with one does not touch its successor."""

import sqlite3
from dataclasses import replace

from database_support import NOW
from tgllm.db.tables import kv
from tgllm.db.tables.plugins import jobs
from tgllm.db.tables.plugins.jobs import NewJob, PluginJob

JOB = NewJob("remind", 0, "a", {"text": "tea"}, NOW + 1000, mark=1)
EVERY = tuple(jobs.HOOK_OF)


def plan(conn: sqlite3.Connection, **changes: object) -> PluginJob:
    job = replace(JOB, **changes)  # pyright: ignore[reportArgumentType]  fields of any type
    jobs.plan(conn, job, NOW)
    found = jobs.get(conn, job.plugin_id, job.owner, job.job_id)
    assert found is not None
    return found


def due(conn: sqlite3.Connection, now: int, kinds: tuple[jobs.JobKind, ...] = EVERY, limit: int = 9) -> list[str]:
    return [job.job_id for job in jobs.due(conn, "remind", kinds, now, limit)]


def test_a_job_is_due_at_its_time_and_in_order(conn: sqlite3.Connection) -> None:
    plan(conn)
    plan(conn, job_id="b", due_at=NOW + 500)
    plan(conn, plugin_id="other", job_id="c", due_at=NOW)
    assert due(conn, NOW + 499) == []
    assert due(conn, NOW + 500) == ["b"]
    assert due(conn, NOW + 1000) == ["b", "a"]
    assert due(conn, NOW + 1000, limit=1) == ["b"]
    assert jobs.next_at(conn, "remind", EVERY, NOW) == NOW + 500
    assert jobs.next_at(conn, "remind", EVERY, NOW + 500) == NOW + 1000
    assert jobs.next_at(conn, "remind", EVERY, NOW + 1000) is None


def test_a_started_job_is_not_due_until_it_is_put_back_or_failed(conn: sqlite3.Connection) -> None:
    job = plan(conn)
    assert jobs.start(conn, job, NOW)
    assert not jobs.start(conn, job, NOW)
    assert due(conn, NOW + 1000) == []
    assert [row.job_id for row in jobs.started(conn)] == ["a"]
    jobs.put_back(conn, job)
    assert due(conn, NOW + 1000) == ["a"]
    jobs.start(conn, job, NOW)
    assert jobs.retry(conn, job, NOW + 9000, "no network")
    found = jobs.get(conn, "remind", 0, "a")
    assert found is not None
    assert (found.attempts, found.run_at, found.due_at, found.error) == (1, NOW + 9000, NOW + 1000, "no network")
    assert jobs.finish(conn, job)
    assert jobs.count(conn, "remind") == 0


def test_the_end_of_an_attempt_spares_a_job_planned_anew(conn: sqlite3.Connection) -> None:
    old = plan(conn)
    jobs.start(conn, old, NOW)
    new = plan(conn, mark=2, due_at=NOW + 5000, data=2)
    assert (new.id, new.attempts, new.started_at) == (old.id, 0, None)
    assert not jobs.finish(conn, old)
    assert not jobs.retry(conn, old, NOW, "late")
    jobs.put_back(conn, old)
    assert jobs.get(conn, "remind", 0, "a") == new


def test_jobs_of_owners_have_ids_of_their_own(conn: sqlite3.Connection) -> None:
    plan(conn)
    plan(conn, owner=7)
    assert jobs.cancel(conn, "remind", 7, "a")
    assert not jobs.cancel(conn, "remind", 7, "a")
    assert [job.owner for job in jobs.list_of(conn, "remind", 0)] == [0]
    assert (jobs.count(conn, "remind"), jobs.count(conn, "remind", 7)) == (1, 0)


def test_forgetting_and_moving_spare_others(conn: sqlite3.Connection) -> None:
    for owner in (0, 7, -5, -1005):
        plan(conn, owner=owner, data=owner)
    plan(conn, owner=-5, job_id="b", data="moved")
    assert jobs.forget(conn, 0) == 0
    assert jobs.forget(conn, 7) == 1
    jobs.move(conn, -5, -1005)
    assert [(job.job_id, job.data) for job in jobs.list_of(conn, "remind", -1005)] == [("a", -1005), ("b", "moved")]
    assert jobs.list_of(conn, "remind", -5) == []
    assert jobs.count(conn, "remind", 0) == 1


def test_hooks_are_called_for_plugins_that_are_known_to_have_them(conn: sqlite3.Connection) -> None:
    kv.set_value(conn, "plugins", "remind", {"hooks": ["tgllm_forget", "tgllm_job"]}, NOW)
    kv.set_value(conn, "plugins", "other", {"hooks": ["tgllm_job"]}, NOW)
    kv.set_value(conn, "plugins", "third", {}, NOW)
    assert jobs.notify(conn, "forget", 7, None, NOW) == 1
    assert jobs.notify(conn, "forget", 7, None, NOW) == 1
    assert due(conn, NOW, ("forget",)) == ["7"]
    assert due(conn, NOW, ("job", "chat_moved")) == []
    assert jobs.waiting(conn) == []
    assert jobs.list_of(conn, "remind", 7) == []
    assert jobs.forget(conn, 7) == 0
