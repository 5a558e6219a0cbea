"""Kills of a child process at each of its steps."""

import os
import signal
import sqlite3
import sys
from collections.abc import Callable, Collection
from typing import Any

__all__ = ["run_in_child"]


def run_in_child(action: Callable[[], object], die_at: int, operations: Collection[str]) -> int:
    """Run ``action`` in a forked child, and return the number of its steps; -1 if it was killed.

    Args:
        action: what the child does.
        die_at: the step at which it kills itself; -1: none.
        operations: audit events that count as steps (Python: Audit events table), beside each SQL statement.
    """
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        steps = 0

        def step() -> None:
            nonlocal steps
            steps += 1
            if steps == die_at:
                os.kill(os.getpid(), signal.SIGKILL)

        real = sqlite3.connect

        def traced(*args: Any, **kwargs: Any) -> sqlite3.Connection:
            conn: sqlite3.Connection = real(*args, **kwargs)
            conn.set_trace_callback(lambda _: step())
            return conn

        sqlite3.connect = traced
        sys.addaudithook(lambda event, _: step() if event in operations else None)
        action()
        os.write(writer, str(steps).encode())
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as pipe:
        said = pipe.read()
    os.waitpid(child, 0)
    return int(said or -1)
