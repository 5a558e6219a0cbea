"""The log: one line a thing that happened, for machines or people, without secrets, whoever wrote it."""

import asyncio
import io
import json
import logging
import subprocess
import sys
from datetime import datetime, timedelta
from typing import Any

import pytest

from cli_support import Terminal
from config_support import TOKEN
from tgllm.observe.logs import LogFormat, LogLevel, configure_logging, get_logger, log_values, quiet_logging
from tgllm.observe.visible import is_safe

pytestmark = pytest.mark.usefixtures("restored_logging")


@pytest.fixture
def stream() -> io.StringIO:
    stream = io.StringIO()
    configure_logging("json", "info", stream)
    return stream


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_line_is_json_with_the_time_in_utc(stream: io.StringIO) -> None:
    get_logger("bot.poller").info("updates received", count=3, text="привет")

    (line,) = lines(stream)
    assert line["event"] == "updates received"
    assert (line["count"], line["text"], line["level"], line["logger_name"]) == (3, "привет", "info", "bot.poller")
    assert datetime.fromisoformat(line["timestamp"]).utcoffset() == timedelta(0)


def test_lines_below_the_level_are_left_out(stream: io.StringIO) -> None:
    get_logger("x").debug("quiet")
    logging.getLogger("another.package").debug("quiet")

    assert lines(stream) == []


@pytest.mark.parametrize(("level", "count"), [("debug", 4), ("info", 3), ("warning", 2), ("error", 1)])
def test_each_level(level: LogLevel, count: int) -> None:
    stream = io.StringIO()
    configure_logging("json", level, stream)
    log = get_logger("x")
    for write in (log.debug, log.info, log.warning, log.error):
        write("said")

    assert len(lines(stream)) == count


def test_lines_of_libraries_look_the_same(stream: io.StringIO) -> None:
    logging.getLogger("another.package").warning("lost %s of %d", "one", 2)

    (line,) = lines(stream)
    assert (line["event"], line["logger_name"], line["level"]) == ("lost one of 2", "another.package", "warning")


@pytest.mark.parametrize("name", ["httpx", "httpcore.http11", "aiogram.event", "asyncio", "aiohttp.access"])
def test_talkative_libraries_are_heard_from_warning_up_only(name: str) -> None:
    stream = io.StringIO()
    configure_logging("json", "debug", stream)
    logging.getLogger(name).info("HTTP Request: POST https://api.telegram.org/bot1:x/getMe")
    logging.getLogger(name).warning("trouble")

    assert [line["event"] for line in lines(stream)] == ["trouble"]


def test_a_line_with_wrong_arguments_still_appears(capsys: pytest.CaptureFixture[str]) -> None:
    # Here, not in a fixture: this takes away pytest's own handlers, which would raise.
    stream = io.StringIO()
    configure_logging("json", "info", stream)
    logging.getLogger("another.package").warning("lost %d", TOKEN)

    assert lines(stream)[0]["event"] == "lost %d"
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("log_format", ["json", "console"])
class TestSecrets:
    def test_in_our_own_lines(self, log_format: LogFormat) -> None:
        stream = io.StringIO()
        configure_logging(log_format, "info", stream)
        get_logger("x").info(
            f"with {TOKEN}", url=f"https://h/bot{TOKEN}/x", headers={"Authorization": "Bearer abc"}, api_key="k1"
        )

        assert TOKEN not in stream.getvalue()
        assert "abc" not in stream.getvalue()
        assert "k1" not in stream.getvalue()

    def test_in_lines_of_libraries(self, log_format: LogFormat) -> None:
        stream = io.StringIO()
        configure_logging(log_format, "info", stream)
        logging.getLogger("another.package").error("failed: %s", f"https://h/bot{TOKEN}/x")

        assert "failed" in stream.getvalue()
        assert TOKEN not in stream.getvalue()

    def test_in_exceptions(self, log_format: LogFormat) -> None:
        stream = io.StringIO()
        configure_logging(log_format, "info", stream)
        secret_local = TOKEN
        for write in (get_logger("x").error, logging.getLogger("another.package").error):
            try:
                raise ValueError(f"no answer from /bot{secret_local}/getMe")
            except ValueError:
                write("failed", exc_info=True)

        assert stream.getvalue().count("ValueError: no answer") == 2
        assert TOKEN not in stream.getvalue()

    def test_in_context_values(self, log_format: LogFormat) -> None:
        stream = io.StringIO()
        configure_logging(log_format, "info", stream)
        with log_values(token="tiny"):
            get_logger("x").info("here")

        assert "tiny" not in stream.getvalue()


async def test_values_of_the_context_reach_every_line_inside(stream: io.StringIO) -> None:
    async def work() -> None:
        get_logger("child").info("in a task")
        logging.getLogger("another.package").warning("in a library")

    with log_values(turn_id="t1", update_id=7):
        await asyncio.create_task(work())
    get_logger("x").info("after")

    inside = [(line.get("turn_id"), line.get("update_id")) for line in lines(stream)]
    assert inside == [("t1", 7), ("t1", 7), (None, None)]


def test_auto_is_for_people_in_a_terminal_and_json_elsewhere() -> None:
    terminal, pipe = Terminal(), io.StringIO()
    configure_logging("auto", "info", terminal)
    get_logger("x").info("hello", count=1)
    configure_logging("auto", "info", pipe)
    get_logger("x").info("hello", count=1)

    assert "hello" in terminal.getvalue()
    assert not terminal.getvalue().startswith("{")
    assert lines(pipe)[0]["event"] == "hello"


def test_setting_it_up_again_moves_loggers_that_were_used(stream: io.StringIO) -> None:
    log = get_logger("x")
    log.info("first")
    second = io.StringIO()
    configure_logging("json", "info", second)
    log.info("second")

    assert [line["event"] for line in lines(stream)] == ["first"]
    assert [line["event"] for line in lines(second)] == ["second"]


class TestTroubleWithTheStream:
    @pytest.mark.parametrize("encoding", ["utf-8", "ascii", "latin-1"])
    def test_any_text_can_be_written_and_read_again(self, encoding: str) -> None:
        raw = io.BytesIO()
        stream = io.TextIOWrapper(raw, encoding=encoding)
        configure_logging("json", "info", stream)
        text = "привет \N{GRINNING FACE} \ud83d \u2028"
        get_logger("x").info("said", text=text)

        assert json.loads(raw.getvalue().decode(encoding))["text"] == text

    @pytest.mark.parametrize("error", [OSError(28, "No space left on device"), BrokenPipeError(), ValueError("closed")])
    def test_never_stops_the_bot(self, error: Exception) -> None:
        class Broken(io.StringIO):
            def write(self, text: str) -> int:
                raise error

            def flush(self) -> None:
                raise error

        configure_logging("json", "info", Broken())
        get_logger("x").info("unheard")
        logging.getLogger("another.package").warning("unheard")


def test_every_value_makes_a_line_of_json(stream: io.StringIO) -> None:
    get_logger("x").info("odd", a=float("nan"), b=float("inf"), c=b"\xff", d={1: {2}}, e=object, f=10**30)

    def refuse(constant: str) -> None:
        raise AssertionError(constant)

    line = json.loads(stream.getvalue(), parse_constant=refuse)
    assert (line["a"], line["b"], line["d"], line["f"]) == ("nan", "inf", {"1": [2]}, 10**30)


QUIET = f"""
import logging, sys
from tgllm.observe.logs import get_logger, quiet_logging

quiet_logging(sys.stderr)
for write in (get_logger("x").debug, get_logger("x").error, logging.getLogger("library").error):
    write("unheard")
print("structlog" in sys.modules)
logging.getLogger("library").critical("heard of {TOKEN}")
print("structlog" in sys.modules)
for write in (get_logger("x").error, logging.getLogger("library").error):
    write("unheard")
"""


def test_a_quiet_log_imports_structlog_for_a_critical_line_only() -> None:
    done = subprocess.run([sys.executable, "-c", QUIET], capture_output=True, text=True, timeout=60, check=True)

    assert done.stdout.split() == ["False", "True"]
    assert "heard of [hidden]" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_quiet_log_is_set_at_once_where_structlog_is_there() -> None:
    stream = io.StringIO()
    quiet_logging(stream)
    get_logger("x").error("unheard")
    logging.getLogger("library").critical("heard")

    (line,) = stream.getvalue().splitlines()
    assert "heard" in line
    assert "unheard" not in line


def test_a_log_that_is_set_later_is_not_quiet() -> None:
    program = (
        "import sys\n"
        "from tgllm.observe.logs import configure_logging, get_logger, quiet_logging\n"
        "quiet_logging(sys.stderr)\n"
        "configure_logging('json', 'info', sys.stdout)\n"
        "get_logger('x').info('heard')\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)

    assert json.loads(done.stdout)["event"] == "heard"
    assert done.stderr == ""


BAD = "\x1b[2J\x1b]8;;http://e.example\x07\x9b1m\x7f\u202egpj\u2066\u200b\u2028\rend"


@pytest.mark.parametrize("log_format", ["json", "console"])
class TestUnsafeCharacters:
    """Texts of people, providers and plugins that would control the terminal in which the log is read."""

    def write(self, log_format: LogFormat) -> str:
        stream = io.StringIO()
        configure_logging(log_format, "info", stream)
        get_logger("x").info(f"event {BAD}", name=BAD, all=[BAD], by={BAD: BAD}, **{f"key{BAD}": 1})
        logging.getLogger("another.package").error("failed: %s", BAD)
        try:
            raise ValueError(f"bad {BAD}")
        except ValueError:
            get_logger("x").error("failed", exc_info=True)
        return stream.getvalue()

    def test_are_escaped(self, log_format: LogFormat) -> None:
        written = self.write(log_format)

        assert is_safe(written), ascii(written)
        assert "1b[2J" in written
        assert "202egpj" in written

    def test_no_text_begins_a_line(self, log_format: LogFormat) -> None:
        stream = io.StringIO()
        configure_logging(log_format, "info", stream)
        forged = "ok\n2026-11-29T10:00:00Z [info     ] forged"
        get_logger("x").info(forged, name=forged, all=[forged])
        try:
            raise ValueError(forged)
        except ValueError:
            get_logger("x").error("failed", exc_info=True)

        assert not [line for line in stream.getvalue().splitlines() if line.startswith("2026-11-29T10:00:00Z")]


def test_json_keeps_the_characters_that_it_escapes(stream: io.StringIO) -> None:
    get_logger("x").info("here", name=BAD, text="привет")

    (line,) = stream.getvalue().splitlines()
    assert json.loads(line)["name"] == BAD
    assert "привет" in line


class Hostile:
    """A value of a plugin that fails wherever it is looked at."""

    def __repr__(self) -> str:
        raise RuntimeError("no repr")


class HostileError(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no text")


def circle() -> list[object]:
    """A list that contains itself."""
    values: list[object] = []
    values.append(values)
    return values


@pytest.mark.parametrize(
    "value",
    [
        Hostile(), HostileError(), [Hostile()], {"a": Hostile()}, {Hostile(): 1}, circle(), 10**5000, -(10**400),
        b"\xff", float("nan"), [float("inf")], "\ud800", "x" * 10_000_000, {1: {2: {3: object()}}}, range(3), lambda: 1,
    ],
    ids=lambda value: type(value).__name__,
)  # fmt: skip
@pytest.mark.parametrize("log_format", ["json", "console"])
def test_no_value_can_break_a_line_or_its_caller(value: object, log_format: LogFormat) -> None:
    stream = io.StringIO()
    configure_logging(log_format, "info", stream)
    get_logger("plugin.x").info("said", value=value)

    (line,) = stream.getvalue().splitlines()
    assert "said" in line
    assert len(line) < 50_000
    if log_format == "json":
        json.loads(line, parse_constant=pytest.fail)
