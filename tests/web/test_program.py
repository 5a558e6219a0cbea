"""``tgllm run`` with a web server: it answers while Telegram can't be reached, and ends in order."""

import json
import signal
import socket
from pathlib import Path
from typing import Any

import pytest

import tgllm
from http_support import get
from program_support import PATIENCE, Launch, Program
from proxies.proxy_support import open_proxy
from tgllm.testing.emulator import EmulatedUser, Emulator

pytestmark = pytest.mark.timeout(300)


async def port_of(bot: Program) -> int:
    await bot.printed("web.ready")
    (line,) = [line for line in bot.lines if "web.ready" in line]
    return int(json.loads(line)["port"])


def events(printed: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in printed.splitlines()]


async def test_health_is_answered_while_telegram_can_not_be_reached(launch: Launch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as unused:
        nowhere = f"http://127.0.0.1:{unused.getsockname()[1]}"
    bot = await launch("run", TGLLM_WEB__PORT="0", TGLLM_TELEGRAM_API=nowhere)
    port = await port_of(bot)
    await bot.printed("bot.no_connection")
    live, ready = await get(port, "/healthz"), await get(port, "/readyz")
    bot.send(signal.SIGTERM)
    code, printed = await bot.end()

    assert live.status == 200
    assert ready.status == 503
    assert json.loads(ready.body)["checks"] == {"database": "ok", "telegram": "not reached yet", "shutdown": "ok"}
    assert code == 0, printed
    assert events(printed)[-1]["event"] == "bot.stopped"


async def test_a_taken_port_ends_the_start_with_a_sentence(launch: Launch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        bot = await launch("run", TGLLM_WEB__PORT=str(port))
        code, printed = await bot.end()

    assert code == 2
    assert f"port {port} on 127.0.0.1 is taken by another program" in printed
    assert "Traceback" not in printed


async def test_the_log_tells_versions_sources_of_settings_and_each_step(
    emu: Emulator, ann: EmulatedUser, launch: Launch, tmp_path: Path
) -> None:
    bot = await launch("run", TGLLM_ADMIN_IDS=str(ann.id), TGLLM_WEB__PORT="0", TGLLM_WEB__METRICS="true")
    port = await port_of(bot)
    await ann.say("a question of my own")
    await emu.wait_for_message(ann.private_chat(), lambda m: m.from_bot and "own" in m.text, timeout=PATIENCE)
    await bot.printed("update.ended")
    metrics = await get(port, "/metrics")
    bot.send(signal.SIGTERM)
    code, printed = await bot.end()

    lines = events(printed)
    by_event = {line["event"]: line for line in lines}
    start, turn, request = by_event["bot.starting"], by_event["turn.answered"], by_event["request.ended"]
    assert code == 0, printed
    assert start["version"] == tgllm.__version__
    assert {"bot_token", "admin_ids", "web.port"} <= set(start["settings"]["environment"])
    assert by_event["plugins.loaded"]["plugins"]["echo"] == tgllm.__version__
    assert [line["event"] for line in lines if line.get("turn") == turn["turn"]] == [
        "turn.began",
        "request.ended",
        "turn.answered",
    ]
    assert (turn["chat"], turn["user"], turn["update_id"]) == (ann.id, ann.id, by_event["update.ended"]["update_id"])
    assert (request["provider"], request["model"], request["outcome"]) == ("echo", "echo/echo", "ok")
    assert lines[-1]["event"] == "bot.stopped"
    assert emu.token not in printed + metrics.body
    assert str(tmp_path) not in metrics.body
    for secret in ("a question of my own", "Ann"):
        assert secret not in printed + metrics.body


@pytest.mark.parametrize("unbuffered", ["", "1"])
async def test_a_log_that_nobody_reads_does_not_stop_the_bot(
    emu: Emulator, ann: EmulatedUser, launch: Launch, unbuffered: str
) -> None:
    bot = await launch("run", TGLLM_ADMIN_IDS=str(ann.id), PYTHONUNBUFFERED=unbuffered)
    await bot.printed("bot.ready")
    assert bot.process.stdout is not None
    bot.process.stdout._transport.close()  # type: ignore[attr-defined]  asyncio has no public way to close the reading end
    await ann.say("are you there")
    answer = await emu.wait_for_message(ann.private_chat(), lambda m: m.from_bot, timeout=PATIENCE)
    bot.send(signal.SIGTERM)

    assert answer.text == "are you there"
    assert await bot.process.wait() == 0


async def test_it_is_run_with_a_webhook_ends_in_order_and_asks_for_updates_afterwards(
    launch: Launch, emu: Emulator, ann: EmulatedUser
) -> None:
    settings = {"TGLLM_ADMIN_IDS": str(ann.id), "TGLLM_WEBHOOK__PORT": "0"}
    async with open_proxy() as proxy:
        await ann.say("one")
        bot = await launch("run", "--webhook", proxy.url, **settings)
        await bot.printed("webhook.listening")
        (line,) = [line for line in bot.lines if "webhook.listening" in line]
        proxy.port = int(json.loads(line)["port"])
        first = await emu.wait_for_message(ann.private_chat(), timeout=PATIENCE)
        bot.send(signal.SIGTERM)
        code, printed = await bot.end()
        proxy.port = None
        assert emu.bot.webhook is not None
        secret = emu.bot.webhook.secret_token or ""
        await ann.say("two")
        polling = await launch("run", **settings)
        second = await emu.wait_for_message(
            ann.private_chat(), lambda message: message.from_bot and message.text.endswith("two"), PATIENCE, after=first
        )
        polling.send(signal.SIGTERM)
        code_of_polling, printed_of_polling = await polling.end()

    assert (code, code_of_polling) == (0, 0)
    assert first.text
    assert second.text
    assert emu.bot.webhook is None
    assert "webhook.removed" in printed_of_polling
    assert len(secret) == 64
    assert secret not in printed + printed_of_polling
