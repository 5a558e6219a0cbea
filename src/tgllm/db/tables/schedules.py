"""Table ``schedules``: the runs of jobs; a row for each due time, so that a restart repeats none."""

from dataclasses import dataclass
from typing import Literal

from tgllm.db.engine.rows import clean_error, read_one
from tgllm.db.engine.unit import Connection

__all__ = ["FinalState", "Run", "State", "finish", "interrupt_running", "last", "prune", "start"]

State = Literal["running", "ok", "failed", "missed", "interrupted"]
FinalState = Literal["ok", "failed", "missed", "interrupted"]


@dataclass(frozen=True, slots=True)
class Run:
    """A run of a job for one due time; the fields are the columns of the table ``schedules``."""

    job_id: str
    fire_time: int
    started_at: int
    finished_at: int | None
    state: State
    error: str | None


def start(conn: Connection, job_id: str, fire_time: int, now: int) -> bool:
    """Record the start of a run for ``fire_time``; return False if there was one already: the job must not run."""
    cursor = conn.execute(
        "INSERT INTO schedules (job_id, fire_time, started_at) VALUES (?, ?, ?)"
        " ON CONFLICT (job_id, fire_time) DO NOTHING",
        (job_id, fire_time, now),
    )
    return cursor.rowcount == 1


def finish(
    conn: Connection, job_id: str, fire_time: int, state: FinalState, now: int, error: str | None = None
) -> bool:
    """Record the outcome of a run; return False, and change nothing, if it had finished already."""
    cursor = conn.execute(
        "UPDATE schedules SET state = ?, finished_at = ?, error = ?"
        " WHERE job_id = ? AND fire_time = ? AND state = 'running'",
        (state, now, clean_error(error), job_id, fire_time),
    )
    return cursor.rowcount == 1


def interrupt_running(conn: Connection, now: int) -> int:
    """Mark runs that an earlier process left unfinished as interrupted; return how many."""
    cursor = conn.execute("UPDATE schedules SET state = 'interrupted', finished_at = ? WHERE state = 'running'", (now,))
    return cursor.rowcount


def last(conn: Connection, job_id: str) -> Run | None:
    """Return the run of a job with the latest due time; None if it never ran."""
    cursor = conn.execute("SELECT * FROM schedules WHERE job_id = ? ORDER BY fire_time DESC LIMIT 1", (job_id,))
    return read_one(Run, cursor)


def prune(conn: Connection, before: int) -> int:
    """Delete finished runs due before ``before``, except for each job's latest; return how many."""
    cursor = conn.execute(
        "DELETE FROM schedules WHERE fire_time < ? AND state <> 'running'"
        " AND fire_time < (SELECT max(fire_time) FROM schedules AS latest WHERE latest.job_id = schedules.job_id)",
        (before,),
    )
    return cursor.rowcount
