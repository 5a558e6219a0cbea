"""One fault, one line in the log: with all that a search for failed answers needs."""

import asyncio
import io
import json
from collections.abc import Callable
from typing import Any

import pytest

from bot_support import Start, settled
from program_support import Launch
from tgllm.api import Unavailable
from tgllm.bot.rendering.payloads import EntityText
from tgllm.bot.streaming.sink import ChatSink
from tgllm.db.tables import usage
from tgllm.observe.logs import configure_logging
from tgllm.testing.emulator import EmulatedUser, Emulator
from tgllm.testing.scripted import ScriptedProvider

pytestmark = pytest.mark.usefixtures("restored_logging")

PRICES = json.dumps({"scripted/model": {"input": 1000, "output": 1000}})
CRASH = """
from tgllm import hookimpl
from tgllm.api import PluginInfo
from tgllm.bot.intake.poller import Poller


async def lost(self, batch):
    raise LookupError("the batch is lost")


Poller._store = lost


@hookimpl
def tgllm_plugin_info():
    return PluginInfo(id="crash", title="Crash", api="1.0")
"""


@pytest.fixture
def stream() -> io.StringIO:
    stream = io.StringIO()
    configure_logging("json", "info", stream)
    return stream


def alarms(printed: str) -> list[dict[str, Any]]:
    """The lines of the levels that an operator looks at."""
    lines = [json.loads(line) for line in printed.splitlines() if line.startswith("{")]
    return [line for line in lines if line["level"] in {"warning", "error", "critical"}]


async def test_a_turn_that_crashes_is_one_line_with_the_fields_of_a_failed_one(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider, stream: io.StringIO
) -> None:
    provider.answer("Half of it", ZeroDivisionError("broken"))
    provider.answer("Half of it", Unavailable("HTTP 503"))
    async with start(prices=PRICES) as bot:
        for question in ("one", "two"):
            await ann.say(question)
            await settled(emu, bot)
        total = await bot.core.database.read(lambda conn: usage.total(conn, "2000-01-01"))

    crashed, failed = alarms(stream.getvalue())
    assert (crashed["event"], failed["event"]) == ("turn.crashed", "turn.failed")
    assert failed.keys() - crashed.keys() == set()
    assert (crashed["provider"], crashed["model"]) == ("scripted", "scripted/model")
    assert (crashed["status"], crashed["code"]) == ("failed", "provider_broken")
    assert (crashed["turn"], crashed["user"], crashed["chat"]) == ("u700000001", ann.id, ann.id)
    assert crashed["input_tokens"] + failed["input_tokens"] == total.input_tokens > 0
    assert crashed["output_tokens"] + failed["output_tokens"] == total.output_tokens > 0
    assert crashed["cost_usd"] == pytest.approx((crashed["input_tokens"] + crashed["output_tokens"]) / 1000)
    assert isinstance(crashed["seconds"], float)
    assert crashed["error"].startswith("ZeroDivisionError")


async def test_a_preview_that_breaks_is_one_line(
    emu: Emulator,
    ann: EmulatedUser,
    start: Start,
    provider: ScriptedProvider,
    stream: io.StringIO,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    frame, is_broken, go_on = ChatSink._frame, asyncio.Event(), asyncio.Event()

    async def broken_once(sink: ChatSink) -> EntityText:
        if not is_broken.is_set():
            is_broken.set()
            raise LookupError("no frame")
        return await frame(sink)

    monkeypatch.setattr(ChatSink, "_frame", broken_once)
    provider.answer("Half", go_on, " of it.")
    async with start() as bot:
        await ann.say("hello")
        await is_broken.wait()
        go_on.set()
        answer = await emu.wait_for_message(ann.private_chat())
        await settled(emu, bot)

    assert answer.text == "Half of it."
    (line,) = alarms(stream.getvalue())
    assert (line["event"], line["turn"], line["user"]) == ("stream.broken", "u700000001", ann.id)
    assert "stream.preview_failed" not in stream.getvalue()


@pytest.mark.timeout(300)
async def test_a_bot_that_crashes_is_one_line(launch: Launch, install_plugin: Callable[[str, str], str]) -> None:
    bot = await launch("run", PYTHONPATH=install_plugin("crash", CRASH), TGLLM_LOG__FORMAT="json")
    code, printed = await bot.end()

    assert code != 0
    errors = [line for line in alarms(printed) if line["level"] != "warning"]
    assert [line["event"] for line in errors] == ["bot.crashed"], printed
    assert "the batch is lost" in errors[0]["error"]
    assert errors[0]["error_id"]
