"""``python -m benchmarks.chaos.victim``: ``tgllm`` that kills itself at a chosen moment, and logs what the outbox does.

``CHAOS_MOMENT`` names the moment (see ``MOMENTS``), ``CHAOS_NTH`` its occurrence, and ``CHAOS_LOG`` the file to which
each change of the state of a row of the outbox is appended: the process, the row, its kind, its state and the time.
"""

import os
import signal
import sqlite3
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

__all__ = ["MOMENTS", "main"]

MOMENTS: Final[Mapping[str, str]] = {
    "statement": "before a statement of a write transaction",
    "commit": "before a commit",
    "committed": "after a commit, before its callers know",
    "request": "before a request that sends or edits",
    "response": "after the response to it, before it is recorded",
    "wait": "in a wait of the limiter or of the sender",
}
"""Moments of kills from within."""

_TRIGGER: Final = """
    CREATE TEMP TRIGGER chaos AFTER UPDATE OF state ON main.outbox WHEN NEW.state <> OLD.state BEGIN
        SELECT chaos_state(NEW.id, NEW.kind, NEW.state);
    END
"""


class _Countdown:
    """Kills the process at the nth occurrence of a moment."""

    def __init__(self, moment: str, nth: int) -> None:
        self._moment = moment
        self._left = nth

    def reach(self, moment: str) -> None:
        """Note an occurrence of a moment."""
        if moment != self._moment:
            return
        self._left -= 1
        if self._left <= 0:
            os.kill(os.getpid(), signal.SIGKILL)


class _Connection:
    """Notes and kills on every connection to the database."""

    def __init__(self, countdown: _Countdown, log: int) -> None:
        self._countdown = countdown
        self._log = log

    def attach(self, conn: sqlite3.Connection) -> None:
        """Watch a connection."""
        if conn.execute("SELECT 1 FROM sqlite_master WHERE name = 'outbox'").fetchone():
            conn.create_function("chaos_state", 3, self._note)
            conn.execute(_TRIGGER)
        writes = False

        def trace(statement: str) -> None:
            nonlocal writes
            if statement == "COMMIT":
                if writes:
                    self._countdown.reach("commit")
                writes = False
            elif writes or statement == "BEGIN IMMEDIATE":
                writes = True
                self._countdown.reach("statement")

        conn.set_trace_callback(trace)

    def _note(self, row_id: int, kind: str, state: str) -> None:
        os.write(self._log, f"{os.getpid()} {row_id} {kind} {state} {time.monotonic()}\n".encode())


def _watch_database(countdown: _Countdown, log: int) -> None:
    from tgllm.db.engine import sqlite_store, writer  # noqa: PLC0415  after the arguments are known

    watched = _Connection(countdown, log)
    connect, run_jobs = sqlite_store.connect, writer.run_jobs

    def connected(path: Path) -> sqlite3.Connection:
        conn = connect(path)
        watched.attach(conn)
        return conn

    def ran(session: Any, jobs: Any, mode: Any) -> Any:  # noqa: ANN401  of any kind
        outcomes = run_jobs(session, jobs, mode)
        if mode != "read":
            countdown.reach("committed")
        return outcomes

    sqlite_store.connect = connected
    writer.run_jobs = ran
    if os.environ.get("TGLLM_DATABASE__URL"):
        _watch_server(countdown)


def _watch_server(countdown: _Countdown) -> None:
    """Kill at statements and commits on a server, whose rows are not looked at."""
    from tgllm.db.postgres.connection import PostgresConnection  # noqa: PLC0415  imports psycopg
    from tgllm.db.postgres.session import PostgresSession  # noqa: PLC0415  imports psycopg

    execute, commit = PostgresConnection.execute, PostgresSession.commit

    def executed(self: PostgresConnection, sql: str, parameters: Any = (), /) -> Any:  # noqa: ANN401  of any kind
        if threading.current_thread().name.startswith("tgllm-db-writer"):
            countdown.reach("statement")
        return execute(self, sql, parameters)

    def committed(self: PostgresSession, signals: Any) -> None:  # noqa: ANN401  of any kind
        if threading.current_thread().name.startswith("tgllm-db-writer"):
            countdown.reach("commit")
        commit(self, signals)

    PostgresConnection.execute = executed  # type: ignore[method-assign]  replaced in this process only
    PostgresSession.commit = committed  # type: ignore[method-assign]  replaced in this process only


def _watch_calls(countdown: _Countdown) -> None:
    from tgllm.bot.telegram.session import BotSession  # noqa: PLC0415  after the arguments are known

    make_request = BotSession.make_request

    async def made(self: BotSession, bot: Any, method: Any, timeout: float | None = None) -> Any:  # noqa: ANN401  methods and results of any kind
        is_counted = method.__api_method__.startswith(("send", "edit")) and "Draft" not in method.__api_method__
        if is_counted:
            countdown.reach("request")
        result = await make_request(self, bot, method, timeout)
        if is_counted:
            countdown.reach("response")
        return result

    BotSession.make_request = made  # type: ignore[method-assign]  replaced in this process only


def _watch_waits(countdown: _Countdown) -> None:
    from tgllm.api.clock import SystemClock  # noqa: PLC0415  after the arguments are known

    sleep = SystemClock.sleep

    async def slept(self: SystemClock, seconds: float) -> None:
        caller = sys._getframe(1).f_code.co_filename  # noqa: SLF001  the caller is what tells waits apart
        if caller.endswith(("limiter.py", "sender.py", "wakeup.py")):
            countdown.reach("wait")
        await sleep(self, seconds)

    SystemClock.sleep = slept  # type: ignore[method-assign]  replaced in this process only


def main() -> None:
    """Run ``tgllm`` with the arguments of this process."""
    log = os.open(os.environ["CHAOS_LOG"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    countdown = _Countdown(os.environ.get("CHAOS_MOMENT", ""), int(os.environ.get("CHAOS_NTH", "1")))
    _watch_database(countdown, log)
    _watch_calls(countdown)
    _watch_waits(countdown)
    from tgllm.cli.main import run  # noqa: PLC0415  after the arguments are known

    run()


if __name__ == "__main__":
    main()
