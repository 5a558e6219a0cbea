"""Webhook delivery, by a receiver that is a plain aiohttp server."""

import asyncio
from collections.abc import AsyncIterator

import aiohttp
import pytest
from aiohttp import web

from emulator_support import Call
from tgllm.testing.clock import HurriedClock
from tgllm.testing.emulator import EmulatedUser, Emulator
from tgllm.testing.emulator.state.bots import WebhookSettings


class Receiver:
    def __init__(self) -> None:
        self.url = ""
        self.seen: list[tuple[str | None, str]] = []
        self.statuses: list[int] = []
        self.refused: set[str] = set()
        self.retry_after = ""
        self.busy = asyncio.Event()
        self.busy.set()

    async def take(self, request: web.Request) -> web.Response:
        update = await request.json()
        text = update["message"]["text"] if "message" in update else update["callback_query"]["data"]
        self.seen.append((request.headers.get("X-Telegram-Bot-Api-Secret-Token"), text))
        if "message" in update:
            await self.busy.wait()
        status = 500 if text in self.refused else self.statuses.pop(0) if self.statuses else 200
        headers = {"Location": self.url, **({"Retry-After": self.retry_after} if self.retry_after else {})}
        return web.Response(status=status, headers=headers)


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    taker = Receiver()
    app = web.Application()
    app.router.add_post("/hook", taker.take)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    taker.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
    yield taker
    await runner.cleanup()


async def test_updates_are_pushed_with_the_secret_and_in_order(
    emu: Emulator, ann: EmulatedUser, receiver: Receiver, api: Call, refused: Call
) -> None:
    await api("setWebhook", url=receiver.url, secret_token="s3cret")
    for text in ("one", "two", "three"):
        await ann.say(text)
    await emu.wait_for(lambda: not emu.bot.queue.pending)
    assert receiver.seen == [("s3cret", "one"), ("s3cret", "two"), ("s3cret", "three")]
    assert (await refused("getUpdates")).startswith("409 Conflict: can't use getUpdates method while")
    assert emu.journal.of("setWebhook")[0].params["secret_token"] == "***"
    await api("deleteWebhook")
    await ann.say("four")
    assert [u["message"]["text"] for u in await api("getUpdates")] == ["four"]


async def test_what_is_not_taken_is_pushed_again(
    emu: Emulator, ann: EmulatedUser, receiver: Receiver, api: Call
) -> None:
    receiver.statuses = [500]
    await api("setWebhook", url=receiver.url)
    await ann.say("one")
    await emu.wait_for(lambda: emu.bot.webhook_error)
    info = await api("getWebhookInfo")
    assert info["last_error_message"] == "Wrong response from the webhook: 500 Internal Server Error"
    await emu.wait_for(lambda: not emu.bot.queue.pending)
    assert receiver.seen == [(None, "one"), (None, "one")]


async def test_a_bad_secret_is_refused(refused: Call) -> None:
    words = await refused("setWebhook", url="https://example.org", secret_token="ключ")
    assert words == "400 Bad Request: secret token contains unallowed characters"
    words = await refused("setWebhook", url="https://example.org", secret_token="a" * 257)
    assert words == "400 Bad Request: secret token is too long"


async def test_other_schemes_than_http_are_refused(refused: Call) -> None:
    words = await refused("setWebhook", url="ftp://127.0.0.1/")
    assert words == "400 Bad Request: bad webhook: An HTTPS URL must be provided for webhook"


async def test_setting_and_removing_say_what_they_did(
    emu: Emulator, receiver: Receiver, http: aiohttp.ClientSession
) -> None:
    async def said(method: str, **params: str) -> object:
        async with http.get(f"{emu.base_url}/bot{emu.token}/{method}", params=params) as answer:
            return (await answer.json())["description"]

    assert [await said("setWebhook", url=receiver.url) for _ in range(2)] == [
        "Webhook was set",
        "Webhook is already set",
    ]
    assert [await said("deleteWebhook") for _ in range(2)] == ["Webhook was deleted", "Webhook is already deleted"]


class TestRetries:
    """With a clock that skips the pauses and records them."""

    @pytest.fixture
    def clock(self) -> HurriedClock:
        return HurriedClock()

    @pytest.fixture
    async def still(self, receiver: Receiver, clock: HurriedClock) -> AsyncIterator[Emulator]:
        async with Emulator(clock=clock) as emulator:
            emulator.bot.webhook = WebhookSettings(receiver.url)
            yield emulator

    async def test_it_is_at_once_and_then_after_longer_and_longer_pauses(
        self, still: Emulator, receiver: Receiver, clock: HurriedClock
    ) -> None:
        receiver.statuses = [500] * 9
        await still.add_user(first_name="Ann").say("one")
        await still.wait_for(lambda: not still.bot.queue.pending)

        assert clock.waits == [2, 4, 8, 16, 32, 60, 60, 60]
        assert len(receiver.seen) == 10

    async def test_a_pause_that_the_webhook_asks_for_is_kept(
        self, still: Emulator, receiver: Receiver, clock: HurriedClock
    ) -> None:
        receiver.statuses, receiver.retry_after = [503, 503], "7"
        await still.add_user(first_name="Ann").say("one")
        await still.wait_for(lambda: not still.bot.queue.pending)

        assert clock.waits == [7, 7]

    async def test_a_webhook_that_is_gone_for_a_day_is_removed_and_the_updates_stay(
        self, still: Emulator, receiver: Receiver
    ) -> None:
        receiver.statuses, receiver.retry_after = [410] * 50, "3600"
        await still.add_user(first_name="Ann").say("one")
        await still.wait_for(lambda: still.bot.webhook is None)

        assert len(still.bot.queue) == 1

    async def test_of_one_chat_nothing_passes_a_refused_update_and_other_chats_go_on(
        self, still: Emulator, receiver: Receiver
    ) -> None:
        receiver.refused = {"one"}
        ann, bob = still.add_user(first_name="Ann"), still.add_user(first_name="Bob")
        for person, text in ((ann, "one"), (ann, "two"), (bob, "three")):
            await person.say(text)
        await still.wait_for(lambda: (None, "three") in receiver.seen)
        assert (None, "two") not in receiver.seen
        receiver.refused = set()
        await still.wait_for(lambda: not still.bot.queue.pending)

        assert receiver.seen[-1] == (None, "two")


async def test_a_webhook_that_does_not_answer_is_named(emu: Emulator, ann: EmulatedUser, api: Call) -> None:
    await api("setWebhook", url="http://127.0.0.1:1/")
    await ann.say("one")
    await emu.wait_for(lambda: emu.bot.webhook_error)

    assert (await api("getWebhookInfo"))["last_error_message"] == "Connection refused"


async def test_a_press_does_not_wait_behind_a_message_of_the_same_user(
    emu: Emulator, ann: EmulatedUser, receiver: Receiver, api: Call
) -> None:
    keyboard = {"inline_keyboard": [[{"text": "Stop", "callback_data": "stop"}]]}
    await api("sendMessage", chat_id=ann.private_chat().id, text="x", reply_markup=keyboard)
    await api("setWebhook", url=receiver.url)
    receiver.busy.clear()
    await ann.say("takes long")
    await ann.say("waits")
    await emu.wait_for(lambda: receiver.seen)
    await ann.press(ann.private_chat().messages[0], "Stop")
    await emu.wait_for(lambda: len(receiver.seen) == 2)
    receiver.busy.set()
    await emu.wait_for(lambda: not emu.bot.queue.pending)
    assert [text for _, text in receiver.seen] == ["takes long", "stop", "waits"]


async def test_a_redirect_is_not_followed(emu: Emulator, ann: EmulatedUser, receiver: Receiver, api: Call) -> None:
    receiver.statuses = [302]
    await api("setWebhook", url=receiver.url)
    await ann.say("one")
    await emu.wait_for(lambda: emu.bot.webhook_error)
    assert (await api("getWebhookInfo"))["last_error_message"] == "Wrong response from the webhook: 302 Found"
    await emu.wait_for(lambda: not emu.bot.queue.pending)
    # The second attempt, and nothing for the redirect.
    assert len(receiver.seen) == 2


@pytest.mark.parametrize("url", ["http://[bad/", "http://x:99999/", "http://", "http://e x.org/", "http://..org/"])
async def test_an_address_that_is_none_is_refused(emu: Emulator, refused: Call, url: str) -> None:
    assert (await refused("setWebhook", url=url)).startswith("400 Bad Request: bad webhook")
    assert emu.bot.webhook is None


async def test_a_webhook_that_nothing_serves_stops_no_other(
    emu: Emulator, ann: EmulatedUser, receiver: Receiver, api: Call, http: aiohttp.ClientSession
) -> None:
    other = emu.add_bot(token="43:OTHER", username="other_bot")
    await api("setWebhook", url="http://127.0.0.1:1/")
    await ann.say("lost")
    await emu.wait_for(lambda: emu.bot.webhook_error)
    async with http.get(f"{emu.base_url}/bot{other.token}/setWebhook", params={"url": receiver.url}) as answer:
        assert answer.status == 200
    await ann.say("found", chat=ann.private_chat(other))
    await emu.wait_for(lambda: receiver.seen)
