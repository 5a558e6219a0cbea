"""Table ``plugin_jobs``: one-shot jobs of plugins, and hooks that are still to be called for them.

``owner`` is Telegram's id of a person or group, or 0 for jobs of the plugin itself. A row is deleted when it is done.
"""

import json
import os
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Literal

from tgllm.api.types import Json
from tgllm.db.engine.rows import JSON, clean_error, dumps, read_all, read_one
from tgllm.db.engine.signals import signal
from tgllm.db.engine.unit import Connection

__all__ = [
    "HOOK_OF",
    "JobKind",
    "NewJob",
    "PluginJob",
    "Waiting",
    "all_ids",
    "at_work",
    "by_number",
    "cancel",
    "count",
    "count_planned",
    "due",
    "finish",
    "forget",
    "get",
    "list_of",
    "move",
    "named",
    "next_at",
    "notify",
    "owned_by",
    "page_of_planned",
    "plan",
    "put_back",
    "retry",
    "start",
    "started",
    "waiting",
]

JobKind = Literal["job", "forget", "chat_moved"]
HOOK_OF: dict[JobKind, str] = {"job": "tgllm_job", "forget": "tgllm_forget", "chat_moved": "tgllm_chat_moved"}
_AFTER_ALL = "\U0010ffff" * 200
"""Added to a prefix: sorts after each id with the prefix. Ids are shorter, and no character is above this one."""


def _random_mark() -> int:
    return int.from_bytes(os.urandom(7), "big")


@dataclass(frozen=True, slots=True)
class NewJob:
    """A job to be planned."""

    plugin_id: str
    owner: int
    job_id: str
    data: Json
    due_at: int
    mark: int = field(default_factory=_random_mark)
    """Tells the job from a later one with the same name."""
    kind: JobKind = "job"


@dataclass(frozen=True, slots=True)
class PluginJob:
    """A stored job; the fields are the columns of the table ``plugin_jobs``."""

    id: int
    plugin_id: str
    kind: JobKind
    owner: int
    job_id: str
    mark: int
    data: Json = field(metadata=JSON)
    due_at: int
    run_at: int
    attempts: int
    started_at: int | None
    error: str | None
    created_at: int

    @property
    def key(self) -> tuple[str, str, int, str]:
        """What is unique among stored jobs, and stays when a job is planned anew."""
        return (self.plugin_id, self.kind, self.owner, self.job_id)


@dataclass(frozen=True, slots=True)
class Waiting:
    """Jobs of a plugin that have not ended."""

    plugin_id: str
    jobs: int
    run_at: int
    """When the first of them is to run."""


def plan(conn: Connection, job: NewJob, now: int) -> None:
    """Store a job, in place of one with the same name."""
    conn.execute(
        "INSERT INTO plugin_jobs (plugin_id, kind, owner, job_id, mark, data, due_at, run_at, created_at)"
        " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?7, ?8)"
        " ON CONFLICT (plugin_id, kind, owner, job_id) DO UPDATE SET mark = excluded.mark, data = excluded.data,"
        " due_at = excluded.due_at, run_at = excluded.run_at, attempts = 0, started_at = NULL, error = NULL,"
        " created_at = excluded.created_at",
        (job.plugin_id, job.kind, job.owner, job.job_id, job.mark, dumps(job.data), job.due_at, now),
    )
    signal(conn, "jobs")


def notify(conn: Connection, kind: JobKind, owner: int, data: Json, now: int) -> int:
    """Have the hook of a kind called for all plugins that are known to have it; return how many there are.

    Args:
        conn: an open write transaction.
        kind: which hook.
        owner: the person or group that it is about.
        data: what the hook gets.
        now: UTC, in milliseconds.
    """
    known = conn.execute("SELECT key, value FROM kv WHERE scope = 'plugins' ORDER BY key").fetchall()
    plugins = [str(row[0]) for row in known if HOOK_OF[kind] in json.loads(row[1]).get("hooks", ())]
    for plugin_id in plugins:
        plan(conn, NewJob(plugin_id, owner, str(owner), data, now, kind=kind), now)
    return len(plugins)


def cancel(conn: Connection, plugin_id: str, owner: int, job_id: str) -> bool:
    """Delete a job; return False if there is none."""
    cursor = conn.execute(
        "DELETE FROM plugin_jobs WHERE plugin_id = ? AND kind = 'job' AND owner = ? AND job_id = ?",
        (plugin_id, owner, job_id),
    )
    return cursor.rowcount == 1


def get(conn: Connection, plugin_id: str, owner: int, job_id: str) -> PluginJob | None:
    """Return a job; None if there is none."""
    cursor = conn.execute(
        "SELECT * FROM plugin_jobs WHERE plugin_id = ? AND kind = 'job' AND owner = ? AND job_id = ?",
        (plugin_id, owner, job_id),
    )
    return read_one(PluginJob, cursor)


def list_of(conn: Connection, plugin_id: str, owner: int, prefix: str = "") -> Sequence[PluginJob]:
    """Return the jobs of one owner whose ids begin with ``prefix``, by due time."""
    cursor = conn.execute(
        "SELECT * FROM plugin_jobs WHERE plugin_id = ? AND kind = 'job' AND owner = ? AND job_id BETWEEN ? AND ?"
        " ORDER BY due_at, id",
        (plugin_id, owner, prefix, prefix + _AFTER_ALL),
    )
    return read_all(PluginJob, cursor)


def named(conn: Connection, plugin_id: str, job_id: str) -> Sequence[PluginJob]:
    """Return the jobs of a plugin and its owners with an id, by due time."""
    cursor = conn.execute(
        "SELECT * FROM plugin_jobs WHERE plugin_id = ? AND kind = 'job' AND job_id = ? ORDER BY due_at, id",
        (plugin_id, job_id),
    )
    return read_all(PluginJob, cursor)


def owned_by(conn: Connection, owner: int) -> Sequence[PluginJob]:
    """Return the jobs that plugins have planned for a person or group, by plugin and due time."""
    cursor = conn.execute(
        "SELECT * FROM plugin_jobs WHERE owner = ? AND owner <> 0 AND kind = 'job' ORDER BY plugin_id, due_at, id",
        (owner,),
    )
    return read_all(PluginJob, cursor)


def all_ids(conn: Connection) -> Sequence[str]:
    """Return the names of all jobs."""
    return [row[0] for row in conn.execute("SELECT DISTINCT job_id FROM plugin_jobs WHERE kind = 'job'")]


def count(conn: Connection, plugin_id: str, owner: int | None = None) -> int:
    """Return the number of an owner's jobs; None: of all jobs of the plugin."""
    row = conn.execute(
        "SELECT count(*) FROM plugin_jobs WHERE plugin_id = ?1 AND kind = 'job' AND (?2 IS NULL OR owner = ?2)",
        (plugin_id, owner),
    ).fetchone()
    return int(row[0])


def count_planned(conn: Connection) -> int:
    """Return the number of jobs of all plugins."""
    return int(conn.execute("SELECT count(*) FROM plugin_jobs WHERE kind = 'job'").fetchone()[0])


def page_of_planned(conn: Connection, limit: int, offset: int) -> Sequence[PluginJob]:
    """Return jobs of all plugins and owners, by due time."""
    cursor = conn.execute(
        "SELECT * FROM plugin_jobs WHERE kind = 'job' ORDER BY due_at, id LIMIT ? OFFSET ?", (limit, offset)
    )
    return read_all(PluginJob, cursor)


def by_number(conn: Connection, number: int, mark: int) -> PluginJob | None:
    """Return a job by its number; None if it has ended or was planned anew."""
    cursor = conn.execute("SELECT * FROM plugin_jobs WHERE id = ? AND mark = ? AND kind = 'job'", (number, mark))
    return read_one(PluginJob, cursor)


def due(conn: Connection, plugin_id: str, kinds: Collection[JobKind], now: int, limit: int) -> Sequence[PluginJob]:
    """Return jobs of a plugin that wait and whose time has come, in the order of their times."""
    wanted = [kind in kinds for kind in HOOK_OF]
    cursor = conn.execute(
        "SELECT * FROM plugin_jobs WHERE plugin_id = ? AND started_at IS NULL AND run_at <= ?"
        " AND CASE kind WHEN 'job' THEN CAST(? AS BIGINT) WHEN 'forget' THEN ? ELSE ? END = 1"
        " ORDER BY run_at, id LIMIT ?",
        (plugin_id, now, *wanted, limit),
    )
    return read_all(PluginJob, cursor)


def next_at(conn: Connection, plugin_id: str, kinds: Collection[JobKind], after: int) -> int | None:
    """Return when the first job of a plugin is to run that waits and is due later than ``after``; None for none."""
    wanted = [kind in kinds for kind in HOOK_OF]
    row = conn.execute(
        "SELECT run_at FROM plugin_jobs WHERE plugin_id = ? AND started_at IS NULL AND run_at > ?"
        " AND CASE kind WHEN 'job' THEN CAST(? AS BIGINT) WHEN 'forget' THEN ? ELSE ? END = 1 ORDER BY run_at LIMIT 1",
        (plugin_id, after, *wanted),
    ).fetchone()
    return None if row is None else int(row[0])


def waiting(conn: Connection) -> Sequence[Waiting]:
    """Return the plugins with jobs that have not ended."""
    cursor = conn.execute(
        "SELECT plugin_id, count(*) AS jobs, min(run_at) AS run_at FROM plugin_jobs WHERE kind = 'job'"
        " GROUP BY plugin_id ORDER BY plugin_id"
    )
    return read_all(Waiting, cursor)


def at_work(conn: Connection, now: int) -> frozenset[str]:
    """Return the plugins with jobs and calls of hooks, of any kind, that have started or whose time has come."""
    cursor = conn.execute(
        "SELECT DISTINCT plugin_id FROM plugin_jobs WHERE started_at IS NOT NULL OR run_at <= ?", (now,)
    )
    return frozenset(plugin_id for (plugin_id,) in cursor)


def start(conn: Connection, job: PluginJob, now: int) -> bool:
    """Record the start of an attempt; return False if the job has been started, cancelled or planned anew."""
    cursor = conn.execute(
        "UPDATE plugin_jobs SET started_at = ?, attempts = attempts + 1"
        " WHERE id = ? AND mark = ? AND started_at IS NULL",
        (now, job.id, job.mark),
    )
    return cursor.rowcount == 1


def finish(conn: Connection, job: PluginJob) -> bool:
    """Delete a job that has ended; return False if it was cancelled or planned anew meanwhile."""
    return conn.execute("DELETE FROM plugin_jobs WHERE id = ? AND mark = ?", (job.id, job.mark)).rowcount == 1


def retry(conn: Connection, job: PluginJob, run_at: int, error: str | None) -> bool:
    """Have a started job wait for its next attempt; return False if it was cancelled or planned anew meanwhile."""
    cursor = conn.execute(
        "UPDATE plugin_jobs SET started_at = NULL, run_at = ?, error = ? WHERE id = ? AND mark = ?",
        (run_at, clean_error(error), job.id, job.mark),
    )
    return cursor.rowcount == 1


def put_back(conn: Connection, job: PluginJob) -> None:
    """Undo the start of an attempt that a shutdown has ended."""
    conn.execute(
        "UPDATE plugin_jobs SET started_at = NULL, attempts = max(attempts - 1, 0) WHERE id = ? AND mark = ?",
        (job.id, job.mark),
    )


def started(conn: Connection) -> Sequence[PluginJob]:
    """Return the jobs with an attempt that has not ended."""
    return read_all(PluginJob, conn.execute("SELECT * FROM plugin_jobs WHERE started_at IS NOT NULL ORDER BY id"))


def forget(conn: Connection, owner: int) -> int:
    """Delete the jobs of a person or group; return how many."""
    cursor = conn.execute("DELETE FROM plugin_jobs WHERE owner = ? AND owner <> 0 AND kind = 'job'", (owner,))
    return cursor.rowcount


def move(conn: Connection, old: int, new: int) -> None:
    """Make the jobs of one owner those of another; jobs that the other has already take precedence."""
    conn.execute(
        "UPDATE plugin_jobs SET owner = :new WHERE owner = :old AND kind = 'job' AND NOT EXISTS ("
        " SELECT 1 FROM plugin_jobs AS other WHERE other.plugin_id = plugin_jobs.plugin_id AND other.kind = 'job'"
        " AND other.owner = :new AND other.job_id = plugin_jobs.job_id)",
        {"old": old, "new": new},
    )
    conn.execute("DELETE FROM plugin_jobs WHERE owner = ? AND owner <> 0 AND kind = 'job'", (old,))
