"""A site on this machine that stands for the internet, and tools that read it."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from tgllm.api import ChatInfo, ToolUse, UserInfo
from tgllm.testing.clock import ManualClock
from tgllm.testing.fixtures import emulator, start_bot
from tgllm_web.allowed import Allowed
from tgllm_web.fetching import Fetcher
from tgllm_web.known import KnownUrls
from tgllm_web.services import make_reader
from tgllm_web.settings import Settings

__all__ = ["Names", "Read", "Site", "emulator", "fetch", "read", "site", "start_bot", "stuck", "use_of"]

ANN = UserInfo(1, "Ann", "user")
CHAT = ChatInfo(1, "private")

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Names(aiohttp.ThreadedResolver):
    """Resolves names to the addresses that a test gives: one list for each request, the last one for all others."""

    def __init__(self) -> None:
        super().__init__()
        self.answers: dict[str, list[Sequence[str]]] = {}

    async def resolve(self, host: str, port: int = 0, family: Any = socket.AF_INET) -> list[Any]:
        if host not in self.answers:
            return await super().resolve(host, port, family)
        left = self.answers[host]
        addresses = left.pop(0) if len(left) > 1 else left[0]
        return [
            {
                "hostname": host,
                "host": address,
                "port": port,
                "family": socket.AF_INET6 if ":" in address else socket.AF_INET,
                "proto": 0,
                "flags": socket.AI_NUMERICHOST,
            }
            for address in addresses
        ]


@dataclass
class Site:
    """A server on 127.0.0.1, whose name is site.test."""

    port: int = 0
    pages: dict[str, Handler] = field(default_factory=dict[str, Handler])
    requests: list[web.Request] = field(default_factory=list[web.Request])
    names: Names = field(default_factory=Names)

    @property
    def name(self) -> str:
        return f"site.test:{self.port}"

    @property
    def url(self) -> str:
        return f"http://{self.name}"

    def page(self, path: str, body: str | bytes, kind: str = "text/html", **headers: str) -> str:
        """Add a page; return its URL."""

        async def answer(request: web.Request) -> web.Response:
            data = body.encode() if isinstance(body, str) else body
            return web.Response(body=data, headers={"Content-Type": kind, **headers})

        self.pages[path] = answer
        return self.url + path

    def redirect(self, path: str, target: str) -> str:
        """Add a redirect; return its URL."""

        async def answer(request: web.Request) -> web.Response:
            return web.Response(status=302, headers={"Location": target})

        self.pages[path] = answer
        return self.url + path

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.requests.append(request)
        found = self.pages.get(request.path)
        return await found(request) if found else web.Response(status=404)


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    site = Site()
    application = web.Application()
    application.router.add_route("*", "/{path:.*}", site.handle)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    site.port = runner.addresses[0][1]
    site.names.answers["site.test"] = [["127.0.0.1"]]
    yield site
    await runner.cleanup()


@pytest.fixture
def fetch(site: Site) -> Callable[..., Awaitable[Any]]:
    """Fetches a page; of this machine only what the name site.test, or ``allow``, stands for."""

    async def do(url: str, *, allow: Sequence[str] = (), seconds: float = 20.0, most: int = 1_000_000) -> Any:
        allowed = Allowed.of([site.name, *allow])
        fetcher = Fetcher(allowed, seconds=seconds, most_bytes=most, resolver=site.names)
        return await fetcher.fetch(url)

    return do


def use_of(arguments: dict[str, Any], chat: ChatInfo = CHAT, ask: Any = None, progress: Any = None) -> ToolUse:
    context: Any = None
    more = {} if progress is None else {"progress": progress}
    return ToolUse("call", "tool", arguments, ANN, chat, "turn", context, ask=ask, **more)


@dataclass
class Read:
    """Reads pages as the tool does."""

    site: Site
    clock: ManualClock
    known: KnownUrls = field(default_factory=KnownUrls)
    readers: dict[str, Any] = field(default_factory=dict[str, Any])

    async def __call__(self, url: str, part: int | None = None, ask: Any = None, **settings: Any) -> Any:
        made = Settings.model_validate({"allow": (self.site.name,), "unknown_urls": "open", **settings})
        reader = self.readers.get(repr(made))
        if reader is None:
            texts = lambda key, language, **params: f"{key} {params}" if params else key  # noqa: E731  a fake
            ctx: Any = SimpleNamespace(clock=self.clock, texts=texts)
            reader = self.readers[repr(made)] = make_reader(ctx, made, self.known, self.site.names)
        return await reader.read(use_of({"url": url} | ({} if part is None else {"part": part}), ask=ask))


@pytest.fixture
def read(site: Site) -> Read:
    return Read(site, ManualClock())


@pytest.fixture
def stuck() -> asyncio.Event:
    """Set when a test lets a server go on."""
    return asyncio.Event()
