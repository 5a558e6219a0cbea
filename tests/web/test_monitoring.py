"""What happens in the chat is in the numbers of a scrape, and the supervisor's questions are answered."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text

import tgllm
from bot_support import settled
from http_support import get
from proxies.proxy_support import open_proxy
from tgllm.api import DatabaseError, Finished, Unavailable, Usage
from tgllm.db.queries.queues import queues
from tgllm.db.tables import usage
from tgllm.observe.metrics.instruments import Counter
from tgllm.observe.metrics.table import ALL, TELEGRAM_CALLS
from tgllm.testing.bot import RunningBot
from tgllm.testing.emulator import EmulatedMessage, EmulatedUser, Emulator, Fault
from tgllm.testing.scripted import ScriptedProvider
from tgllm.web import open as web_open

Watched = Callable[..., AbstractAsyncContextManager[RunningBot]]
Ask = Callable[[str], Awaitable[EmulatedMessage]]
Scrape = Callable[[RunningBot], Awaitable[dict[str, float]]]

pytestmark = pytest.mark.usefixtures("restored_logging")

MODEL = 'model="model",provider="scripted"'


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each scrape reads the values anew."""
    monkeypatch.setattr(web_open, "SCRAPE_SECONDS", 0.0)


def of(found: dict[str, float], name: str, **labels: str) -> float:
    """The sum of the samples with that name and these labels."""
    wanted = {f'{key}="{value}"' for key, value in labels.items()}
    return sum(value for key, value in found.items() if key.split("{")[0] == name and all(w in key for w in wanted))


async def test_the_numbers_are_those_of_the_chat(
    emu: Emulator, watched: Watched, ask: Ask, scrape: Scrape, provider: ScriptedProvider
) -> None:
    provider.answer("one", Finished(usage=Usage(10, 3)))
    provider.answer("two", Finished(usage=Usage(20, 4)))
    provider.answer(Unavailable("HTTP 503", code="unavailable"))
    async with watched(prices=json.dumps({"scripted/model": {"input": 1000, "output": 2000}})) as bot:
        for text in ("first", "second", "third"):
            await ask(text)
        await settled(emu, bot)
        found = await scrape(bot)
        rows = await bot.core.database.read(lambda conn: usage.total(conn, since="2000-01-01"))

    assert of(found, "tgllm_updates_received_total", kind="message") == 3
    assert of(found, "tgllm_updates_ended_total", kind="message", outcome="done") == 3
    assert of(found, "tgllm_update_duration_seconds_count") == 3
    assert of(found, "tgllm_turns_total", outcome="ok") == 2
    assert of(found, "tgllm_turns_total", outcome="failed") == 1
    assert of(found, "tgllm_turn_duration_seconds_count") == 3
    assert of(found, "tgllm_first_token_seconds_count", provider="scripted") == 2
    assert of(found, "tgllm_provider_requests_total", provider="scripted", model="model", outcome="ok") == 2
    assert of(found, "tgllm_provider_errors_total", provider="scripted", code="unavailable") == 1
    assert of(found, "tgllm_tokens_total", direction="input") == 30 == rows.input_tokens
    assert of(found, "tgllm_tokens_total", direction="output") == 7 == rows.output_tokens
    assert of(found, "tgllm_cost_dollars_total") == pytest.approx(rows.cost_micros / 1e6) == pytest.approx(0.044)
    assert of(found, "tgllm_inbox_updates", state="queued") == 0
    assert of(found, "tgllm_outbox_calls") == 0
    assert of(found, "tgllm_telegram_calls_total", method="getMe", outcome="ok") == 1
    assert of(found, "tgllm_telegram_calls_total", method="getUpdates", outcome="ok") >= 1
    assert of(found, "tgllm_telegram_calls_total", method="sendMessage", outcome="ok") >= 3
    assert of(found, "tgllm_database_duration_seconds_count", operation="write") > 3
    assert of(found, "tgllm_database_wait_seconds_count", operation="read") > 3
    assert of(found, "tgllm_last_poll_timestamp_seconds") > 0
    assert of(found, "tgllm_build_info", version=tgllm.__version__) == 1
    assert of(found, "tgllm_plugin_info", plugin="scripted") == 1
    assert of(found, "tgllm_process_resident_memory_bytes") > 1_000_000


async def test_both_formats_can_be_read_and_hold_every_metric(watched: Watched, ask: Ask) -> None:
    async with watched() as bot:
        await ask("hello")
        assert bot.web_port is not None
        text = await get(bot.web_port, "/metrics")
        openmetrics = await get(
            bot.web_port, "/metrics", headers="Accept: application/openmetrics-text;version=1.0.0;q=0.6,*/*;q=0.1\r\n"
        )

    expected = {metric.name.removesuffix("_total") if isinstance(metric, Counter) else metric.name for metric in ALL}
    assert text.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert openmetrics.headers["content-type"].startswith("application/openmetrics-text; version=1.0.0")
    for families in (parse_text(text.body), parse_openmetrics(openmetrics.body)):
        assert expected <= {family.name for family in families}


@pytest.mark.parametrize(
    "accept",
    ["application/openmetrics-text;version=x.y", "application/openmetrics-text;escaping=\xff", "a" * 3000, ",;=,"],
)
async def test_a_strange_accept_header_does_no_harm(watched: Watched, accept: str) -> None:
    async with watched() as bot:
        assert bot.web_port is not None
        got = await get(bot.web_port, "/metrics", headers=f"Accept: {accept}\r\n")

    assert got.status in {200, 400}


async def test_refused_and_limited_calls_are_counted(emu: Emulator, watched: Watched, ask: Ask, scrape: Scrape) -> None:
    async with watched() as bot:
        emu.faults.add(Fault.retry_after("sendMessage", 1))
        await ask("hello")
        found = await scrape(bot)

    assert of(found, "tgllm_telegram_rate_limited_total", method="sendMessage") == 1
    assert of(found, "tgllm_telegram_calls_total", method="sendMessage", outcome="wait") == 1


async def test_fifty_scrapes_at_once_read_the_database_once(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web_open, "SCRAPE_SECONDS", 60.0)
    reads: list[object] = []
    monkeypatch.setattr("tgllm.web.sampling.queues", lambda conn: (reads.append(conn), queues(conn))[1])
    async with watched() as bot:
        assert bot.web_port is not None
        got = await asyncio.gather(*(get(bot.web_port, "/metrics") for _ in range(50)))

    assert {each.status for each in got} == {200}
    assert len({each.body for each in got}) == 1
    assert len(reads) == 1


async def test_hostile_names_of_models_stay_one_series(watched: Watched, ask: Ask, scrape: Scrape) -> None:
    names = ["x" * 300, 'a"b\\c', "", "\u202e", "\ud800"]
    async with watched() as bot:
        for name in names:
            await ask("hello")
            TELEGRAM_CALLS.add(name, name)
        found = await scrape(bot)

    assert of(found, "tgllm_telegram_calls_total", method="other", outcome="other") == len(names) - 1
    assert 'tgllm_telegram_calls_total{method="a\\"b\\\\c",outcome="other"}' in found


async def test_a_supervisor_sees_that_the_bot_is_ready(emu: Emulator, watched: Watched, ask: Ask) -> None:
    async with watched(web__metrics=False) as bot:
        await ask("hello")
        assert bot.web_port is not None
        live, ready = await get(bot.web_port, "/healthz"), await get(bot.web_port, "/readyz")
        metrics = await get(bot.web_port, "/metrics")
        bot.stopping.set()
        stopping = await get(bot.web_port, "/readyz")

    assert (live.status, live.body) == (200, "ok\n")
    assert (ready.status, json.loads(ready.body)["ready"]) == (200, True)
    assert metrics.status == 404
    assert stopping.status == 503
    assert json.loads(stopping.body)["checks"]["shutdown"] == "the bot is shutting down"


async def test_a_database_that_can_not_be_written_is_not_ready(
    watched: Watched, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise DatabaseError("/secret/place: the disk is full", code="database_full")

    async with watched() as bot:
        await ask("hello")
        monkeypatch.setattr("tgllm.web.health.write_probe", full)
        assert bot.web_port is not None
        got = await get(bot.web_port, "/readyz")

    assert got.status == 503
    assert json.loads(got.body)["checks"]["database"] == "it can't be written (database_full)"
    assert "/secret" not in got.body


async def test_without_a_port_there_is_no_server(watched: Watched, ann: EmulatedUser) -> None:
    async with watched(web__port=None) as bot:
        assert bot.web_port is None


async def test_scrapes_during_the_shutdown_are_answered(
    emu: Emulator, watched: Watched, ann: EmulatedUser, provider: ScriptedProvider
) -> None:
    held = asyncio.Event()
    provider.answer("one ", held, "two")
    statuses: set[int] = set()
    async with watched() as bot:
        assert bot.web_port is not None
        await ann.say("a question")
        await emu.wait_for(lambda: provider.open_streams)
        bot.stopping.set()
        for _ in range(5):
            statuses |= {(await get(bot.web_port, path)).status for path in ("/metrics", "/healthz")}
        held.set()

    assert statuses == {200}


async def test_with_a_webhook_ready_means_that_it_is_set(emu: Emulator, watched: Watched, ask: Ask) -> None:
    emu.faults.add(held := Fault.hold("setWebhook"))
    async with open_proxy() as proxy, watched(webhook__url=proxy.url, webhook__port=0) as bot:
        assert bot.web_port is not None
        proxy.port = bot.webhook_port
        await emu.wait_for(held.reached.is_set)
        before = await get(bot.web_port, "/readyz")
        held.release()
        await ask("hello")
        ready = await get(bot.web_port, "/readyz")
        webhook = bot.runtime.webhook
        assert webhook is not None
        webhook.reported = "Connection refused"
        reported = await get(bot.web_port, "/readyz")

    assert json.loads(before.body)["checks"]["telegram"] == "the webhook is not set yet"
    assert (before.status, ready.status) == (503, 200)
    assert "telegram_reports" not in ready.body
    # Not a reason to send no requests to the bot, which would keep Telegram's away too.
    assert (reported.status, json.loads(reported.body)["telegram_reports"]) == (200, "Connection refused")
