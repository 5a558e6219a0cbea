"""Who may call the emulator: programs and its own page, but no page of another site."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any
from unittest.mock import patch

import aiohttp
import pytest
from aiohttp import web

from emulator_support import Call
from tgllm.testing.demo import open_demo
from tgllm.testing.emulator import EmulatedChat, EmulatedUser, Emulator
from tgllm.testing.emulator.server import loopback

PATHS = (
    "/",
    "/page/app.js",
    "/no/such",
    "/bot{token}/getMe",
    "/bot{token}/sendMessage?chat_id={chat}&text=x",
    "/bot{token}/setWebhook?url=http://127.0.0.1:1/",
    "/bot{token}/noSuchMethod",
    "/file/bot{token}/documents/file_1",
    "/_control/state",
    "/_control/nothing",
    "/_control/file?id=x",
)
FOREIGN = (
    {"Host": "evil.example"},
    {"Host": "evil.example:{port}"},
    {"Host": "127.0.0.1.evil.example:{port}"},
    {"Host": "127.0.0.1"},
    {"Host": "127.0.0.1:1"},
    {"Host": "evil.example@127.0.0.1:{port}", "Origin": "http://evil.example"},
    {"Host": "["},
    {"Host": ""},
    {"Origin": "http://evil.example"},
    {"Origin": "https://127.0.0.1:{port}"},
    {"Origin": "http://127.0.0.1:1"},
    {"Origin": "http://127.0.0.1"},
    {"Origin": "null"},
    {"Origin": ""},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"},
    {"Sec-Fetch-Site": "new-value"},
)
OWN = (
    {},
    {"Host": "localhost:{port}"},
    {"Host": "LOCALHOST:{port}"},
    {"Host": "[::1]:{port}"},
    {"Origin": "http://127.0.0.1:{port}", "Sec-Fetch-Site": "same-origin"},
    {"Host": "localhost:{port}", "Origin": "http://localhost:{port}"},
    {"Sec-Fetch-Site": "none", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"},
)
VISIT = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}


@pytest.fixture
def status(emu: Emulator, ann: EmulatedUser, http: aiohttp.ClientSession) -> Call:
    """The status of a request, which has the control key."""

    async def send(path: str, headers: dict[str, str], method: str = "GET") -> int:
        url = emu.base_url + path.format(token=emu.token, chat=ann.private_chat().id)
        filled = {name: value.format(port=emu.port) for name, value in headers.items()}
        keyed = {"X-Control-Key": emu.control_key, **filled}
        async with http.request(method, url, headers=keyed) as answer:
            return answer.status

    return send


@pytest.mark.parametrize("headers", FOREIGN)
async def test_no_page_of_elsewhere_on_any_path(
    emu: Emulator, chat: EmulatedChat, status: Call, headers: dict[str, str]
) -> None:
    assert {path: await status(path, headers) for path in PATHS} == dict.fromkeys(PATHS, 403)
    assert {await status(path, headers, "POST") for path in PATHS} == {403}
    assert await status("/bot{token}/getMe", headers, "OPTIONS") == 403
    assert len(emu.journal) == 0
    assert chat.messages == []
    assert emu.bot.webhook is None


@pytest.mark.parametrize("headers", OWN)
async def test_programs_and_the_page_itself(status: Call, headers: dict[str, str]) -> None:
    assert [await status(path, headers) for path in ("/", "/bot{token}/getMe", "/_control/state")] == [200] * 3


async def test_a_link_opens_the_page_and_nothing_else(status: Call) -> None:
    assert await status("/", VISIT) == 200
    assert await status("/", VISIT, "POST") == 403
    assert await status("/bot{token}/getMe", VISIT) == 403
    assert await status("/", {**VISIT, "Sec-Fetch-Dest": "iframe"}) == 403


async def test_a_request_without_a_host(emu: Emulator) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", emu.port)
    writer.write(f"GET /bot{emu.token}/getMe HTTP/1.0\r\n\r\n".encode())
    answer = await reader.read()
    writer.close()
    assert answer.startswith(b"HTTP/1.0 403")


async def test_each_demo_has_its_own_token() -> None:
    tokens: list[str] = []

    def note(*args: Any, **values: Any) -> Emulator:
        tokens.append(values["token"])
        return Emulator(*args, **values)

    with patch("tgllm.testing.demo.Emulator", note):
        for _ in range(2):
            async with open_demo():
                pass
    first, second = tokens
    assert first != second
    assert first != Emulator().token
    assert len(first.partition(":")[2]) >= 32


class TestWebhook:
    @pytest.fixture
    async def elsewhere(self) -> AsyncIterator[list[str]]:
        """A server at an address that counts as another machine's, and what it is sent."""
        seen: list[str] = []

        async def take(request: web.Request) -> web.Response:
            seen.append(await request.text())
            return web.Response()

        app = web.Application()
        app.router.add_route("*", "/{path:.*}", take)
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self.port = int(runner.addresses[0][1])
        yield seen
        await runner.cleanup()

    @pytest.mark.parametrize(
        "host",
        ["192.0.2.1", "[2001:db8::1]", "0.0.0.0", "[::]", "10.0.0.1", "169.254.169.254", "[::ffff:192.0.2.1]",
         "3221225985", "no-such-host.invalid", "127.0.0.1.no-such-host.invalid"],
    )  # fmt: skip
    async def test_on_another_machine_is_refused(self, emu: Emulator, refused: Call, host: str) -> None:
        words = await refused("setWebhook", url=f"https://{host}/hook")
        assert words.startswith("400 Bad Request: bad webhook: the emulator sends updates to this machine only")
        assert emu.bot.webhook is None

    @pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "127.1.2.3", "[::1]", "[::ffff:127.0.0.1]"])
    async def test_on_this_machine(self, emu: Emulator, api: Call, host: str) -> None:
        assert await api("setWebhook", url=f"http://{host}:1/hook")
        assert emu.bot.webhook is not None

    @pytest.mark.parametrize("url", ["http://", "http://[/", "http:///x", "http://user@192.0.2.1:80/"])
    async def test_an_odd_address(self, refused: Call, url: str) -> None:
        assert (await refused("setWebhook", url=url)).startswith("400 Bad Request: bad webhook")

    async def test_a_name_that_moves_away(
        self, emu: Emulator, ann: EmulatedUser, api: Call, elsewhere: list[str]
    ) -> None:
        """The name resolves to this machine when the webhook is set, and to another one later."""
        await api("setWebhook", url=f"http://localhost:{self.port}/hook")
        with patch("tgllm.testing.emulator.server.webhook.is_loopback", lambda _address: False):
            await ann.say("secret")
            await emu.wait_for(lambda: emu.bot.webhook_error)
        assert elsewhere == []

    async def test_a_redirect_is_not_followed(
        self, emu: Emulator, ann: EmulatedUser, api: Call, elsewhere: list[str]
    ) -> None:
        async def away(_request: web.Request) -> web.Response:
            return web.Response(status=307, headers={"Location": f"http://127.0.0.1:{self.port}/there"})

        app = web.Application()
        app.router.add_post("/hook", away)
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        try:
            await api("setWebhook", url=f"http://127.0.0.1:{runner.addresses[0][1]}/hook")
            await ann.say("secret")
            await emu.wait_for(lambda: emu.bot.webhook_error)
        finally:
            await runner.cleanup()
        assert elsewhere == []


@pytest.mark.parametrize(
    ("address", "here"),
    [("127.0.0.1", True), ("127.255.255.254", True), ("::1", True), ("::ffff:127.0.0.1", True), ("0.0.0.0", False),
     ("::", False), ("::ffff:8.8.8.8", False), ("8.8.8.8", False), ("fe80::1%lo", False), ("name", False)],
)  # fmt: skip
def test_loopback_addresses(address: str, here: bool) -> None:
    assert loopback.is_loopback(address) == here


async def test_a_name_with_an_address_elsewhere_is_no_loopback_name(monkeypatch: pytest.MonkeyPatch) -> None:
    def addresses(*found: str) -> Callable[..., Any]:
        async def look_up(*_args: Any, **_values: Any) -> list[Any]:
            return [(2, 1, 6, "", (address, 0)) for address in found]

        return look_up

    loop = asyncio.get_running_loop()
    monkeypatch.setattr(loop, "getaddrinfo", addresses("127.0.0.1", "192.0.2.1"))
    assert not await loopback.resolves_to_loopback("both.example")
    monkeypatch.setattr(loop, "getaddrinfo", addresses())
    assert not await loopback.resolves_to_loopback("none.example")
