"""The way to a server, step by step, and what to do where it ends."""

import asyncio
import contextlib
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trustme

from tgllm.api.clock import SystemClock
from tgllm.i18n import Catalogue
from tgllm.services.diagnosis import network
from tgllm.services.diagnosis.machine import check_clock
from tgllm.services.diagnosis.network import Reached, Target, reach

TEXTS = Catalogue(strict=True)
ANSWER = b"HTTP/1.1 404 Not Found\r\nDate: Thu, 01 Jan 2026 00:00:00 GMT\r\nContent-Length: 0\r\n\r\n"
Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@pytest.fixture(autouse=True)
def without_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


async def answers(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(ANSWER)


@asynccontextmanager
async def serving(handler: Handler, host: str = "127.0.0.1", tls: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    handlers: list[asyncio.Task[None] | None] = []

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        handlers.append(asyncio.current_task())
        with contextlib.suppress(asyncio.IncompleteReadError, OSError):
            await handler(reader, writer)
            await writer.drain()
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()

    server = await asyncio.start_server(handle, host, 0, ssl=tls)
    async with server:
        yield int(server.sockets[0].getsockname()[1])
        await asyncio.gather(*(handler for handler in handlers if handler is not None))


async def reached(url: str, **settings: str) -> Reached:
    return await reach(Target("Somewhere", url, **settings), SystemClock(), TEXTS)


async def test_a_server_that_answers_says_the_time() -> None:
    async with serving(answers) as port:
        found = await reached(f"http://127.0.0.1:{port}/v1")

    assert (found.check.name, found.check.state) == ("Network: Somewhere", "ok")
    assert found.skew is not None
    assert found.skew > 24 * 3600


@pytest.mark.skipif(not socket.has_ipv6, reason="this machine has no IPv6")
async def test_a_server_with_ipv6_only() -> None:
    try:
        async with serving(answers, "::1") as port:
            found = await reached(f"http://[::1]:{port}")
    except OSError:
        pytest.skip("this machine has no IPv6 loopback")

    assert found.check.state == "ok"
    assert f"[::1]:{port}" in found.check.detail


async def test_the_next_address_is_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    async with serving(answers) as port:
        both = [(socket.AF_INET, 1, 6, "", (host, port)) for host in ("127.0.0.2", "127.0.0.1")]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_args, **_kwargs: both)
        found = await reached(f"http://api.localhost:{port}")

    assert found.check.state == "ok"
    assert "127.0.0.2" in found.check.detail


@pytest.mark.parametrize(
    ("error", "told"),
    [(socket.gaierror(-2, "Name or service not known"), "Name or service not known"), (UnicodeError("x"), "Unicode")],
)
async def test_a_name_that_is_not_found(monkeypatch: pytest.MonkeyPatch, error: Exception, told: str) -> None:
    def fail(*_args: object, **_kwargs: object) -> None:
        raise error

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    found = await reached("https://api.localhost/v1")

    assert found.check.state == "failed"
    assert "api.localhost" in found.check.detail
    assert told in found.check.detail
    assert "DNS" in found.check.detail


async def test_a_closed_port() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        found = await reached(f"http://127.0.0.1:{port}")

    assert found.check.state == "failed"
    assert f"127.0.0.1:{port} can't be connected to" in found.check.detail


async def test_a_server_that_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    async def silent(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        await reader.read()

    monkeypatch.setattr(network, "ANSWER_SECONDS", 0.05)
    async with serving(silent) as port:
        found = await reached(f"http://127.0.0.1:{port}")

    assert found.check.state == "failed"
    assert "does not answer HTTP" in found.check.detail


@pytest.mark.parametrize("said", [b"", b"SSH-2.0-OpenSSH\r\n", b"x" * 200_000])
async def test_a_server_of_something_else(said: bytes) -> None:
    async def strange(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(said)

    async with serving(strange) as port:
        found = await reached(f"http://127.0.0.1:{port}")

    assert found.check.state == "failed"


class TestTls:
    @pytest.fixture
    def tls(self) -> ssl.SSLContext:
        self.authority = trustme.CA()
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self.authority.issue_cert("localhost").configure_cert(context)
        return context

    async def test_an_unknown_authority_is_named(self, tls: ssl.SSLContext) -> None:
        async with serving(answers, tls=tls) as port:
            found = await reached(f"https://localhost:{port}")

        assert found.check.state == "failed"
        assert "certificate of localhost is not accepted" in found.check.detail
        assert "SSL_CERT_FILE" in found.check.detail

    async def test_with_its_certificate_it_is_reached(
        self, tls: ssl.SSLContext, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self.authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
        async with serving(answers, tls=tls) as port:
            found = await reached(f"https://localhost:{port}")

        assert found.check.state == "ok", found.check.detail
        assert "TLSv1" in found.check.detail

    async def test_a_server_without_tls(self) -> None:
        async with serving(answers) as port:
            found = await reached(f"https://localhost:{port}")

        assert found.check.state == "failed"
        assert "TLS with localhost fails" in found.check.detail


class TestProxy:
    async def test_one_that_refuses_the_way(self, monkeypatch: pytest.MonkeyPatch) -> None:
        asked: list[bytes] = []

        async def proxy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            asked.append(await reader.readuntil(b"\r\n\r\n"))
            writer.write(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")

        monkeypatch.setenv("TGLLM_ALLOW_REAL_REQUESTS", "1")
        async with serving(proxy) as port:
            found = await reached("https://api.example.invalid", proxy=f"http://ann:hush@127.0.0.1:{port}")

        assert found.check.state == "failed"
        assert "407" in found.check.detail
        assert "hush" not in found.check.detail
        assert asked[0].startswith(b"CONNECT api.example.invalid:443 HTTP/1.1")
        assert b"Proxy-Authorization: Basic YW5uOmh1c2g=" in asked[0]

    async def test_one_out_of_reach(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("TGLLM_ALLOW_REAL_REQUESTS", "1")
        found = await reached("https://api.example.invalid", proxy="http://ann:hush@127.0.0.1:9")

        assert found.check.state == "failed"
        assert "the proxy 127.0.0.1:9 can't be connected to" in found.check.detail

    async def test_one_for_plain_http(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("TGLLM_ALLOW_REAL_REQUESTS", "1")
        async with serving(answers) as port:
            found = await reached("http://api.example.invalid/v1", proxy=f"http://127.0.0.1:{port}")

        assert found.check.state == "ok"
        assert f"through the proxy http://127.0.0.1:{port}" in found.check.detail


@pytest.mark.parametrize(
    ("skew", "state", "told"),
    [
        (0.4, "ok", "agrees"), (-4.9, "ok", "agrees"), (7.0, "warning", "7 s ahead"), (-59.0, "warning", "59 s behind"),
        (3600.0, "failed", "3600 s ahead"), (None, "not configured", "not compared"),
    ],
)  # fmt: skip
def test_the_clock(skew: float | None, state: str, told: str) -> None:
    found = check_clock(skew, "https://api.telegram.org", TEXTS)

    assert found.state == state
    assert told in found.detail
