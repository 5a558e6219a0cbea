"""What the log says of a turn: one line for each step, with the same ids, also in lines of the provider's plugin."""

import io
import json
from collections.abc import AsyncGenerator, Sequence
from pathlib import Path
from typing import Any

import pytest

from bot_support import settled
from tgllm import hookimpl
from tgllm.api import (
    ChatRequest,
    ContextTooLong,
    Finished,
    PluginContext,
    ProviderSpec,
    RateLimited,
    StreamEvent,
    TextDelta,
    Usage,
)
from tgllm.observe.logs import configure_logging
from tgllm.testing.bot import running_bot
from tgllm.testing.emulator import EmulatedUser, Emulator, Fault
from tgllm.testing.scripted import ScriptedProvider

pytestmark = pytest.mark.usefixtures("restored_logging")


class Talkative(ScriptedProvider):
    """Logs a line for each request, as plugins do."""

    context: PluginContext | None = None

    @hookimpl
    def tgllm_providers(self) -> Sequence[ProviderSpec]:
        def make(context: PluginContext) -> ScriptedProvider:
            self.context = context
            return self

        return (ProviderSpec("scripted", "Scripted", make),)

    async def generate(self, request: ChatRequest) -> AsyncGenerator[StreamEvent, None]:
        assert self.context is not None
        self.context.log.info("http.request", attempt=1)
        async for event in super().generate(request):
            yield event


@pytest.fixture
def stream() -> io.StringIO:
    stream = io.StringIO()
    configure_logging("json", "info", stream)
    return stream


def lines(stream: io.StringIO, *events: str) -> list[dict[str, Any]]:
    found = [json.loads(line) for line in stream.getvalue().splitlines()]
    return [line for line in found if not events or line["event"] in events]


async def test_each_step_of_a_turn_is_a_line_with_its_ids(
    emu: Emulator, ann: EmulatedUser, tmp_path: Path, stream: io.StringIO
) -> None:
    provider = Talkative()
    provider.answer(TextDelta("a secret answer"), Finished(usage=Usage(11, 7)))
    prices = json.dumps({"scripted/model": {"input": 1000, "output": 1000}})
    async with running_bot(emu, tmp_path, admins=[ann.id], provider=provider, prices=prices) as bot:
        await ann.say("a secret question")
        await settled(emu, bot)

    steps = lines(stream, "turn.began", "http.request", "request.ended", "turn.answered", "update.ended")
    assert [line["event"] for line in steps] == [
        "turn.began",
        "http.request",
        "request.ended",
        "turn.answered",
        "update.ended",
    ]
    assert {(line["update_id"], line["chat"]) for line in steps} == {(700000001, ann.id)}
    assert {(line["turn"], line["user"]) for line in steps[:-1]} == {("u700000001", ann.id)}
    assert steps[1]["logger_name"] == "plugin.scripted"
    assert (steps[2]["request"], steps[2]["outcome"], steps[2]["input_tokens"]) == (1, "ok", 11)
    assert (steps[3]["output_tokens"], steps[3]["cost_usd"], steps[3]["status"]) == (7, 0.018, "ok")
    assert isinstance(steps[4]["duration_ms"], int)
    assert "secret" not in stream.getvalue()
    assert "Ann" not in stream.getvalue()


async def test_a_request_that_is_repeated_has_two_lines(
    emu: Emulator, ann: EmulatedUser, tmp_path: Path, stream: io.StringIO
) -> None:
    provider = ScriptedProvider()
    provider.answer("first")
    provider.answer(ContextTooLong("too long"))
    provider.answer(RateLimited("slow down"))
    async with running_bot(emu, tmp_path, admins=[ann.id], provider=provider) as bot:
        await ann.say("one")
        await settled(emu, bot)
        await ann.say("two")
        await settled(emu, bot)

    requests = lines(stream, "request.ended")[1:]
    (failed,) = lines(stream, "turn.failed")
    assert [(line["request"], line["outcome"], line["code"]) for line in requests] == [
        (1, "failed", "context_too_long"),
        (2, "failed", "rate_limited"),
    ]
    assert (failed["code"], failed["level"], failed["provider"]) == ("rate_limited", "warning", "scripted")


async def test_a_call_that_telegram_refuses_is_a_line_with_the_reason(
    emu: Emulator, ann: EmulatedUser, tmp_path: Path, stream: io.StringIO
) -> None:
    async with running_bot(emu, tmp_path, admins=[ann.id], provider=ScriptedProvider()) as bot:
        emu.faults.add(Fault.retry_after("sendMessage", 1))
        await ann.say("hello")
        await settled(emu, bot)

    (line,) = lines(stream, "telegram.call_failed")
    assert (line["method"], line["chat"], line["meaning"]) == ("sendMessage", ann.id, "wait")
    assert line["retry_after_seconds"] == 1
    assert line["turn"] == "u700000001"
    assert emu.token not in stream.getvalue()
