"""Errors that no code handles are lines of the log like all others."""

import asyncio
import io
import json
import threading
import warnings
from collections.abc import Iterator
from typing import Any

import pytest

from tgllm.observe.logs import configure_logging
from tgllm.observe.uncaught import log_loop_error, uncaught_logged

pytestmark = pytest.mark.usefixtures("restored_logging")


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    stream = io.StringIO()
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        configure_logging("json", "info", stream)
        yield stream


def only_line(stream: io.StringIO) -> dict[str, Any]:
    (line,) = stream.getvalue().splitlines()
    return dict(json.loads(line))


def broken() -> None:
    raise ValueError("token=12345678901 is wrong")


def test_a_thread_that_fails(stream: io.StringIO) -> None:
    with uncaught_logged():
        thread = threading.Thread(target=broken, name="worker")
        thread.start()
        thread.join()

    line = only_line(stream)
    assert (line["event"], line["level"], line["thread"]) == ("thread.failed", "error", "worker")
    assert "test_uncaught.py" in line["exception"]
    assert "12345678901" not in line["exception"]


def test_a_finalizer_that_fails(stream: io.StringIO) -> None:
    class Broken:
        def __del__(self) -> None:
            broken()

    with uncaught_logged():
        Broken()

    line = only_line(stream)
    assert line["event"] == "finalizer.failed"
    assert "ValueError" in line["exception"]


async def test_a_task_that_nothing_awaits(stream: io.StringIO) -> None:
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(log_loop_error)

    async def fail() -> None:
        broken()

    task = asyncio.create_task(fail(), name="lonely")
    await asyncio.wait([task])
    del task
    loop.call_soon(broken)
    await asyncio.wait([asyncio.create_task(asyncio.Event().wait())], timeout=0.01)
    loop.set_exception_handler(None)

    found = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert {line["event"] for line in found} == {"loop.error"}
    assert [line["task"] for line in found if line["task"]] == ["lonely"]
    assert all("ValueError" in line["exception"] for line in found)


def test_a_warning_of_a_library(stream: io.StringIO) -> None:
    warnings.warn("the name is deprecated", DeprecationWarning, stacklevel=1)

    line = only_line(stream)
    assert (line["event"], line["category"], line["level"]) == ("python.warning", "DeprecationWarning", "warning")
    assert line["message"] == "the name is deprecated"
    assert line["place"].startswith("test_uncaught.py:")
    assert line["logger_name"] == "py.warnings"
