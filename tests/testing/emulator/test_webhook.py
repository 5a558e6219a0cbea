"""Webhook delivery, by a receiver that is a plain aiohttp server."""

import asyncio
from collections.abc import AsyncIterator

import aiohttp
import pytest
from aiohttp import web

from emulator_support import Call
from tgllm.testing.emulator import EmulatedUser, Emulator


class Receiver:
    def __init__(self) -> None:
        self.url = ""
        self.seen: list[tuple[str | None, str]] = []
        self.statuses: list[int] = []
        self.busy = asyncio.Event()
        self.busy.set()

    async def take(self, request: web.Request) -> web.Response:
        update = await request.json()
        text = update["message"]["text"] if "message" in update else update["callback_query"]["data"]
        self.seen.append((request.headers.get("X-Telegram-Bot-Api-Secret-Token"), text))
        if "message" in update:
            await self.busy.wait()
        return web.Response(status=self.statuses.pop(0) if self.statuses else 200, headers={"Location": self.url})


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
    assert len(receiver.seen) == 1


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
