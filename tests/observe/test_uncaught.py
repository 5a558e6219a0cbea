"""Errors that no code handles are lines of the log like all others."""

import asyncio
import io
import json
import logging
import threading
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tgllm.observe.content import handling
from tgllm.observe.errors import facts_of, text_of
from tgllm.observe.logs import configure_logging, get_logger
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


WORDS = "my sister's surprise party on Friday"
"""What a person has written."""


def quoting() -> None:
    try:
        raise KeyError(WORDS)
    except KeyError as error:
        broken = ExceptionGroup("several", [ValueError(f"can't read {WORDS!r}")])
        broken.add_note(f"while answering {WORDS}")
        raise broken from error


def fail_in_thread() -> None:
    thread = threading.Thread(target=quoting)
    thread.start()
    thread.join()


def fail_in_finalizer() -> None:
    class Broken:
        def __del__(self) -> None:
            quoting()

    Broken()


def warn_of_library() -> None:
    warnings.warn(f"ignored {WORDS}", UserWarning, stacklevel=1)


def log_of_library() -> None:
    logging.getLogger("some.package").error("can't parse %s", WORDS)


def trace_of_library() -> None:
    try:
        quoting()
    except Exception:
        logging.getLogger("some.package").exception("failed")


def line_of_plugin() -> None:
    get_logger("plugin.weather").warning("fetch.failed", error=f"404 for {WORDS}", city="[unknown]")


KINDS = [fail_in_thread, fail_in_finalizer, warn_of_library, log_of_library, trace_of_library, line_of_plugin]


@pytest.mark.parametrize("fail", KINDS)
def test_what_people_wrote_is_in_no_error_of_a_library_or_a_thread(
    fail: Callable[[], None], stream: io.StringIO
) -> None:
    with uncaught_logged(), handling(lambda: [WORDS]):
        fail()

    line = stream.getvalue()
    assert only_line(stream)["level"] in {"error", "warning"}
    assert "[text]" in line
    assert not [word for word in ("sister", "surprise", "party", "Friday") if word in line]


async def test_arguments_of_a_callback_are_not_in_the_log(stream: io.StringIO) -> None:
    def fail(_text: str) -> None:
        quoting()

    loop = asyncio.get_running_loop()
    loop.set_exception_handler(log_loop_error)
    done = asyncio.Event()
    loop.call_soon(fail, WORDS)
    loop.call_soon(done.set)
    await done.wait()
    loop.set_exception_handler(None)

    line = only_line(stream)
    assert line["message"].startswith("Exception in callback")
    assert "quoting" in line["exception"]
    assert "surprise" not in stream.getvalue()
    assert "sister" not in stream.getvalue()


def test_an_error_is_cleaned_outside_of_the_block_that_it_left() -> None:
    def answer() -> None:
        with handling(lambda: [WORDS]):
            try:
                raise KeyError(WORDS)
            except KeyError as error:
                raise LookupError(f"nothing about {WORDS}") from error

    with pytest.raises(LookupError) as caught:
        answer()

    assert text_of(caught.value) == "nothing about [text]"
    assert facts_of(caught.value, "bot.crashed").causes == ('KeyError: "[text]"',)


def test_a_trace_is_cleaned_outside_of_the_block_that_it_left(stream: io.StringIO) -> None:
    def answer() -> None:
        with handling(lambda: [WORDS]):
            quoting()

    try:
        answer()
    except ExceptionGroup as error:
        get_logger("app").error("bot.failed", error=str(error), exc_info=error)

    assert "quoting" in only_line(stream)["exception"]
    assert "[text]" in only_line(stream)["exception"]
    assert "surprise" not in stream.getvalue()


def test_at_the_level_debug_texts_are_shown(stream: io.StringIO) -> None:
    configure_logging("json", "debug", stream)
    with handling(lambda: [WORDS]):
        log_of_library()

    assert WORDS in stream.getvalue()
