"""The event loop on a thread of its own ends in any case."""

import threading
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest

from tgllm.api.errors import DatabaseError
from tgllm.cli.chat.engine import Engine
from tgllm.services.shell_core import ShellCore

pytestmark = pytest.mark.timeout(60)


def none_left() -> bool:
    return not any(thread.name == "tgllm-chat" for thread in threading.enumerate())


def test_an_error_of_the_opening_is_passed_on() -> None:
    @asynccontextmanager
    async def broken() -> AsyncGenerator[ShellCore]:
        raise DatabaseError("it is damaged")
        yield

    with pytest.raises(DatabaseError, match="damaged"), Engine(broken):
        pass

    assert none_left()


def test_an_interruption_before_the_thread_runs_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    opened = False

    @asynccontextmanager
    async def never() -> AsyncGenerator[ShellCore]:
        nonlocal opened
        opened = True
        raise AssertionError
        yield

    engine = Engine(never)
    start = threading.Thread.start

    def interrupted(thread: threading.Thread) -> None:
        # As Ctrl-C does, if the main thread gets on first.
        engine._has_ended = True
        start(thread)
        raise KeyboardInterrupt

    monkeypatch.setattr(threading.Thread, "start", interrupted)

    with pytest.raises(KeyboardInterrupt), engine:
        pass

    engine._thread.join()
    assert not opened
    assert none_left()
