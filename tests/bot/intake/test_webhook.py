"""The webhook: what Telegram sends is stored before it is accepted, and a change to polling and back loses nothing."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import pytest

from bot_support import Ask, HastyClock, Killed, Start, settled
from proxies.proxy_support import Proxy, call, open_proxy
from tgllm.bot.intake.webhook import Reports
from tgllm.bot.telegram.failures import TelegramRefused
from tgllm.bot.telegram.webhook import WebhookFacts, is_same_url
from tgllm.bot.updates.raw import ALLOWED_UPDATES
from tgllm.db import database as database_module
from tgllm.db.engine.unit import Connection
from tgllm.db.tables import inbox
from tgllm.observe.logs import configure_logging, flush_logging
from tgllm.services.common.own_webhook import own_url
from tgllm.testing.bot import RunningBot
from tgllm.testing.clock import ManualClock
from tgllm.testing.emulator import EmulatedUser, Emulator, Fault
from tgllm.testing.scripted import ScriptedProvider

LONG = "long question " * 290

Hooked = Callable[..., AbstractAsyncContextManager[RunningBot]]


@pytest.fixture
async def proxy() -> AsyncIterator[Proxy]:
    async with open_proxy() as opened:
        yield opened


@pytest.fixture
def hooked(start: Start, proxy: Proxy) -> Hooked:
    """Starts the bot with a webhook behind the proxy."""

    @asynccontextmanager
    async def hooked(**changes: Any) -> AsyncIterator[RunningBot]:
        async with start(webhook__url=proxy.url, webhook__port=0, **changes) as bot:
            proxy.port = bot.webhook_port
            try:
                yield bot
            finally:
                if bot.stopping.is_set():
                    proxy.port = None
        proxy.port = None

    return hooked


async def test_a_question_is_answered(emu: Emulator, hooked: Hooked, ask: Ask, proxy: Proxy) -> None:
    async with hooked():
        answer = await ask("hello")

    (call,) = emu.journal.of("setWebhook")
    assert answer.text
    assert call.params["url"] == proxy.url
    assert call.params["max_connections"] == 40
    assert set(call.params["allowed_updates"]) == set(ALLOWED_UPDATES)
    assert "drop_pending_updates" not in call.params
    assert not emu.journal.of("getUpdates")
    assert set(proxy.statuses) == {200}


async def test_it_is_accepted_only_after_the_commit(
    emu: Emulator, ann: EmulatedUser, hooked: Hooked, proxy: Proxy
) -> None:
    async with hooked() as bot:
        await emu.wait_for(lambda: emu.bot.webhook)
        release, committing = asyncio.Event(), asyncio.Event()
        assert bot.runtime.webhook is not None
        pushed = bot.runtime.webhook._pushed
        take = pushed._take

        async def slowly(batch: Any) -> bool:
            if batch.ids:
                committing.set()
                await release.wait()
            return await take(batch)

        pushed._take = slowly
        await ann.say("hello")
        await committing.wait()
        accepted_before = list(proxy.statuses)
        release.set()
        await settled(emu, bot)

    assert accepted_before == []
    assert proxy.statuses == [200]


async def test_an_update_whose_answer_is_lost_is_handled_once(
    emu: Emulator, ann: EmulatedUser, hooked: Hooked, proxy: Proxy, provider: ScriptedProvider
) -> None:
    proxy.lost_answers = 2
    async with hooked() as bot:
        await ann.say("hello")
        await emu.wait_for(lambda: not emu.bot.queue.pending)
        await settled(emu, bot)

    assert proxy.statuses == [200, 200, 200]
    assert len(set(proxy.bodies)) == 1
    assert len(provider.requests) == 1


async def test_changing_between_polling_and_the_webhook_loses_and_repeats_nothing(
    emu: Emulator, ann: EmulatedUser, start: Start, hooked: Hooked, proxy: Proxy, provider: ScriptedProvider
) -> None:
    texts: list[str] = []

    async def say(text: str) -> None:
        texts.append(text)
        await ann.say(text)

    for turn in range(4):
        # While it is off, and while it runs.
        await say(f"{turn} before")
        async with hooked() if turn % 2 else start() as bot:
            await say(f"{turn} within")
            await settled(emu, bot)
            await bot.stop()
            counts = await bot.core.database.read(inbox.counts)

    assert provider.questions == texts
    assert counts == {"done": len(texts)}


async def test_the_webhook_of_a_killed_bot_is_removed_by_one_that_asks_for_updates(
    emu: Emulator, ann: EmulatedUser, start: Start, hooked: Hooked, killed: Killed, ask: Ask
) -> None:
    async with killed(hooked()) as bot:
        await ask("one")
        await settled(emu, bot)
    assert emu.bot.webhook is not None
    async with start() as bot:
        answer = await ask("two")
        own = await bot.core.database.read(own_url)

    assert answer.text
    assert own == ""
    assert emu.bot.webhook is None
    assert [call.params for call in emu.journal.of("deleteWebhook")] == [{}]


async def test_a_webhook_of_another_program_is_not_removed(
    emu: Emulator, start: Start, hooked: Hooked, ask: Ask, proxy: Proxy
) -> None:
    async with hooked():
        await ask("one")
    other = proxy.url + "/other"
    await call(emu.base_url, emu.token, "setWebhook", url=other)
    with pytest.raises(TelegramRefused, match="webhook"):
        async with start() as bot:
            await bot.task

    assert emu.bot.webhook is not None
    assert emu.bot.webhook.url == other


async def test_it_is_removed_at_the_end_if_the_settings_want_it(
    emu: Emulator, ann: EmulatedUser, hooked: Hooked, ask: Ask
) -> None:
    async with hooked(webhook__at_stop="remove") as bot:
        await ask("one")
        await bot.stop()
        assert await bot.core.database.read(own_url) == ""
        await ann.say("two")

    assert emu.bot.webhook is None
    assert len(emu.bot.queue) == 1


async def test_at_the_end_the_webhook_of_another_program_stays(emu: Emulator, hooked: Hooked, ask: Ask) -> None:
    async with hooked(webhook__at_stop="remove"):
        await ask("one")
        other = f"{emu.base_url}/nowhere"
        await call(emu.base_url, emu.token, "setWebhook", url=other)

    assert emu.bot.webhook is not None
    assert emu.bot.webhook.url == other


async def test_a_webhook_that_another_program_took_is_set_again_and_the_admins_hear_of_it(
    emu: Emulator, ann: EmulatedUser, hooked: Hooked, ask: Ask, proxy: Proxy
) -> None:
    async with hooked(clock=HastyClock()):
        await ask("one")
        await call(emu.base_url, emu.token, "setWebhook", url=f"{emu.base_url}/nowhere")
        await emu.wait_for_message(ann.private_chat(), lambda message: "127.0.0.1" in message.text)
        await emu.wait_for(lambda: emu.bot.webhook and emu.bot.webhook.url == proxy.url)
        await call(emu.base_url, emu.token, "deleteWebhook")
        await emu.wait_for(lambda: emu.bot.webhook and emu.bot.webhook.url == proxy.url)
        answer = await ask("two")

    assert answer.text


async def test_a_webhook_with_the_secret_of_another_program_is_set_again(
    emu: Emulator, hooked: Hooked, ask: Ask, proxy: Proxy
) -> None:
    async with hooked(clock=HastyClock()):
        await ask("one")
        await call(emu.base_url, emu.token, "setWebhook", url=proxy.url, secret_token="another-secret-0123")
        answer = await ask("two")

    assert answer.text
    assert 401 in proxy.statuses


async def test_an_address_that_telegram_refuses_ends_the_bot(emu: Emulator, hooked: Hooked) -> None:
    emu.faults.add(Fault.api_error("setWebhook", 400, "Bad Request: bad webhook: IP address 10.0.0.1 is reserved"))
    with pytest.raises(TelegramRefused, match=r"IP address 10\.0\.0\.1 is reserved.*webhook\.url"):
        async with hooked() as bot:
            await bot.task


@pytest.mark.parametrize(
    "fault",
    [
        Fault.api_error(
            "setWebhook", 400, "Bad Request: bad webhook: Failed to resolve host: Name or service not known"
        ),
        Fault.retry_after("setWebhook", 1),
        Fault.bad_gateway("setWebhook"),
        Fault.bad_gateway("getWebhookInfo"),
    ],
    ids=["resolve", "limited", "gateway", "info"],
)
async def test_what_passes_is_waited_for(emu: Emulator, hooked: Hooked, ask: Ask, fault: Fault) -> None:
    emu.faults.add(fault)
    async with hooked(clock=HastyClock()):
        answer = await ask("hello")

    assert answer.text


async def test_what_telegram_reports_is_in_the_log(
    emu: Emulator, ann: EmulatedUser, hooked: Hooked, proxy: Proxy, capsys: pytest.CaptureFixture[str]
) -> None:
    configure_logging("console", "info", None)
    async with hooked(clock=HastyClock()) as bot:
        await emu.wait_for(lambda: emu.bot.webhook)
        proxy.instead = [403] * 1000
        await ann.say("hello")
        webhook = bot.runtime.webhook
        assert webhook is not None
        await emu.wait_for(lambda: webhook.reported)
        reported, problem = webhook.reported, webhook.problem()
        proxy.instead.clear()
        await emu.wait_for(lambda: not emu.bot.queue.pending, timeout=60)
        await emu.wait_for(lambda: not webhook.reported)

    assert reported == "Wrong response from the webhook: 403 Forbidden"
    assert problem == "ok"
    flush_logging()
    assert "webhook.failing" in capsys.readouterr().out


@pytest.mark.sqlite  # limits the file
async def test_while_the_disk_is_full_telegram_keeps_the_updates(
    emu: Emulator,
    ann: EmulatedUser,
    hooked: Hooked,
    ask: Ask,
    proxy: Proxy,
    provider: ScriptedProvider,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def limit(conn: Connection) -> None:
        conn.execute(f"PRAGMA max_page_count = {conn.execute('PRAGMA page_count').fetchone()[0]}")

    monkeypatch.setattr(database_module, "RETRY_SECONDS", 0.02)
    async with hooked() as bot:
        await ask("one")
        await bot.core.database._writer.outside(lambda session: limit(session.connection))
        await ann.say(LONG)
        await emu.wait_for(lambda: 503 in proxy.statuses)
        assert len(emu.bot.queue) == 1
        await ann.say("three")
        await bot.core.database._writer.outside(
            lambda session: session.connection.execute("PRAGMA max_page_count = 1000000").fetchone()
        )
        await emu.wait_for(lambda: not emu.bot.queue.pending, timeout=60)
        await settled(emu, bot)

    assert provider.questions == ["one", LONG.strip(), "three"]


async def test_of_ten_refused_updates_each_chat_gets_its_answers_in_order(
    emu: Emulator, ann: EmulatedUser, hooked: Hooked, proxy: Proxy, provider: ScriptedProvider
) -> None:
    proxy.instead = [500, 500, 500]
    async with hooked() as bot:
        for number in range(5):
            await ann.say(str(number))
        await emu.wait_for(lambda: not emu.bot.queue.pending, timeout=60)
        await settled(emu, bot)

    assert provider.questions == ["0", "1", "2", "3", "4"]


class TestReports:
    def test_an_old_error_says_nothing(self) -> None:
        assert Reports(100, ManualClock()).judge(facts(at=100), 0) == ""

    def test_a_new_one_counts_until_an_update_arrives(self) -> None:
        reports = Reports(0, ManualClock())

        assert reports.judge(facts(at=100), 0) == "no"
        assert reports.judge(facts(at=100), 0) == "no"
        assert reports.judge(facts(at=100), 1) == ""
        assert reports.judge(facts(at=100), 1) == ""
        assert reports.judge(facts(at=101), 1) == "no"
        assert reports.judge(facts(at=101, pending=0), 1) == ""


def facts(*, at: int, pending: int = 1) -> WebhookFacts:
    return WebhookFacts("https://x.org/", pending, "no", at, ())


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("https://x.org", "https://X.org:443/", True),
        ("https://x.org/a", "https://x.org/A", False),
        ("https://x.org:8443/a", "https://x.org/a", False),
        ("https://x.org/a?b", "https://x.org/a", False),
        ("", "https://x.org/a", False),
        ("https://[x", "https://[x", True),
    ],
)
def test_telegrams_spelling_of_an_address_is_the_same(one: str, other: str, same: bool) -> None:
    assert is_same_url(one, other) is same
