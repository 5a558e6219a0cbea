"""A stand-in for the proxy with the certificate, in front of the bot's webhook."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import aiohttp
from aiohttp import web


@dataclass
class Proxy:
    """Forwards what Telegram sends, and may do so badly."""

    http: aiohttp.ClientSession
    url: str = ""
    port: int | None = None
    """Port of the bot; without it the answer is 502, as while the bot is off."""
    lost_answers: int = 0
    """Number of next requests that are forwarded, and whose answers are thrown away."""
    instead: list[int] = field(default_factory=list[int])
    """Statuses with which the next requests are answered, without being forwarded."""
    statuses: list[int] = field(default_factory=list[int])
    """Of the bot's answers."""
    bodies: list[bytes] = field(default_factory=list[bytes])
    headers: dict[str, str] = field(default_factory=dict[str, str])
    """Of the last request."""

    async def answer(self, request: web.Request) -> web.Response:
        body = await request.read()
        self.headers = dict(request.headers)
        if self.instead:
            return web.Response(status=self.instead.pop(0))
        if self.port is None:
            return web.Response(status=502)
        self.bodies.append(body)
        got = await self.send(body, self.headers)
        if self.lost_answers:
            self.lost_answers -= 1
            return web.Response(status=504)
        return web.Response(status=got)

    async def send(self, body: bytes, headers: dict[str, str]) -> int:
        """Send a request to the bot; its status, or 502."""
        kept = {k: v for k, v in headers.items() if k.lower().startswith(("x-", "content-type"))}
        try:
            async with self.http.post(f"http://127.0.0.1:{self.port}/hook", data=body, headers=kept) as answer:
                self.statuses.append(answer.status)
                return answer.status
        except (aiohttp.ClientError, asyncio.IncompleteReadError):
            return 502


@asynccontextmanager
async def open_proxy() -> AsyncIterator[Proxy]:
    async with aiohttp.ClientSession() as http:
        proxy = Proxy(http)
        app = web.Application(client_max_size=64 * 1024 * 1024)
        app.router.add_route("*", "/{path:.*}", proxy.answer)
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        proxy.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
        try:
            yield proxy
        finally:
            await runner.cleanup()


async def call(api: str, token: str, method: str, **params: str) -> None:
    """Call a method of the Bot API, as another program with the bot's token does."""
    async with aiohttp.ClientSession() as http, http.get(f"{api}/bot{token}/{method}", params=params) as answer:
        assert answer.status == 200, await answer.text()
