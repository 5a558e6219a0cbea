"""Webhook delivery, by a receiver that is a plain aiohttp server."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from aiohttp import web

from tgllm.testing.emulator import EmulatedUser, Emulator

Call = Callable[..., Awaitable[Any]]


class Receiver:
    def __init__(self) -> None:
        self.url = ""
        self.seen: list[tuple[str | None, str]] = []
        self.statuses: list[int] = []

    async def take(self, request: web.Request) -> web.Response:
        text = (await request.json())["message"]["text"]
        self.seen.append((request.headers.get("X-Telegram-Bot-Api-Secret-Token"), text))
        return web.Response(status=self.statuses.pop(0) if self.statuses else 200)


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
