"""A moment, a writer that is at work, and rows that many tests need."""

import asyncio
import itertools
import json
import sqlite3
import threading
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import pytest

from tgllm.db.database import Database
from tgllm.db.engine import writer
from tgllm.db.engine.batch import Job, Outcome, run_jobs
from tgllm.db.engine.rows import read_all
from tgllm.db.engine.session import Mode, Session
from tgllm.db.engine.signals import take_signals
from tgllm.db.engine.unit import Connection
from tgllm.db.tables import conversations, inbox, messages
from tgllm.db.tables.inbox import NewUpdate
from tgllm.db.tables.messages import NewMessage
from tgllm.db.tables.schedules import Run

NOW = 1_790_000_000_000
"""2026-09-21 in UTC milliseconds."""


@asynccontextmanager
async def busy(database: Database) -> AsyncGenerator[None]:
    """Within the block the writer is at work, so that units given to it wait and share a commit."""
    inside, go_on = threading.Event(), threading.Event()

    def hold(_: sqlite3.Connection) -> None:
        inside.set()
        assert go_on.wait(30)

    holding = asyncio.create_task(database.write(hold))
    await asyncio.to_thread(inside.wait, 30)
    try:
        yield
    finally:
        go_on.set()
        await holding


def retry_each_unit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let each unit of a write transaction run twice: the first run is rolled back, as on a disk that was full."""

    def retried(job: Job) -> Job:
        def run(conn: sqlite3.Connection) -> object:
            conn.execute("SAVEPOINT in_vain")
            with suppress(Exception):
                job.run(conn)
            try:
                conn.execute("ROLLBACK TO SAVEPOINT in_vain")
            except Exception:  # noqa: BLE001  of either engine
                # It has ended the transaction, which is an error of its own.
                return job.run(conn)
            take_signals(conn)
            return job.run(conn)

        return replace(job, run=run) if job.in_transaction else job

    def run_twice(session: Session, jobs: Sequence[Job], mode: Mode) -> list[Outcome]:
        return run_jobs(session, jobs if mode == "read" else [retried(job) for job in jobs], mode)

    monkeypatch.setattr(writer, "run_jobs", run_twice)


@contextmanager
def refused(conn: Connection) -> Iterator[None]:
    """A block whose statement breaks a rule of the schema; the transaction goes on without it."""
    conn.execute("SAVEPOINT refused")
    with pytest.raises(sqlite3.IntegrityError):
        yield
    conn.execute("ROLLBACK TO SAVEPOINT refused")


async def together(database: Database, *units: Callable[[sqlite3.Connection], object]) -> list[object]:
    """What came of units that share a commit; an error is a value here."""
    async with busy(database):
        tasks = [asyncio.create_task(database.write(unit)) for unit in units]
        await asyncio.wait(tasks, timeout=0)
    return await asyncio.gather(*tasks, return_exceptions=True)


def receive(conn: sqlite3.Connection, update_id: int, lane: str, kind: str = "message", now: int = NOW) -> None:
    """Store an update that holds the word ``secret``."""
    payload = json.dumps({"update_id": update_id, "text": "secret"})
    update = NewUpdate(update_id=update_id, lane=lane, kind=kind, control=False, payload=payload)
    inbox.add_updates(conn, [update], now)


def say(conn: sqlite3.Connection, conversation_id: int, parent_id: int | None = None, text: str = "hello") -> int:
    """Add a question to a conversation."""
    new = NewMessage(conversation_id=conversation_id, parent_id=parent_id, turn_id="t", role="user", text=text)
    return messages.add(conn, new, NOW)


def names(folder: Path) -> list[str]:
    """The names of the files in a folder, in order."""
    return sorted(file.name for file in folder.iterdir())


def steps_of(conn: sqlite3.Connection, query: Callable[[], object]) -> int:
    """How many steps SQLite's virtual machine takes."""
    taken = 0

    def count() -> None:
        nonlocal taken
        taken += 1

    conn.set_progress_handler(count, 1)
    query()
    conn.set_progress_handler(None, 0)
    return taken


def runs_of_jobs(conn: sqlite3.Connection) -> Sequence[Run]:
    """All runs of scheduled jobs, newest first."""
    return read_all(Run, conn.execute("SELECT * FROM schedules ORDER BY started_at DESC, job_id"))


_SAID = itertools.count(1)


def say_in(conn: sqlite3.Connection, lane: str, *texts: str, now: int = 1) -> list[int]:
    """Add questions to the active conversation of a lane, and return their ids."""
    conversation = conversations.active_for(conn, lane, now)
    ids, head = list[int](), conversation.head_message_id
    for text in texts:
        number = next(_SAID)
        new = NewMessage(
            conversation_id=conversation.id,
            parent_id=head,
            turn_id=f"t{number}",
            role="user",
            text=text,
            telegram_chat_id=-1,
            telegram_message_ids=[number],
        )
        head = messages.add(conn, new, now)
        ids.append(head)
    conversations.set_head(conn, conversation.id, head, now)
    return ids
