"""Failed connections in words, from real sockets."""

import asyncio
import errno
import socket
import ssl
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import httpx
import pytest
import trustme

from tgllm.api.errors import Unavailable
from tgllm.providers.connections.causes import find_cause
from tgllm.providers.connections.explain import explain_connection
from tgllm.providers.connections.failure import ConnectionFailure, target_of
from tgllm.providers.http import ProviderHttp
from tgllm.providers.proxies import Proxy

SECRET = "bot42:SECRET-of-the-bot"

Ask = Callable[..., Awaitable[None]]


async def by_aiohttp(url: str, *, proxy: str | None = None, context: Any = True, seconds: float = 20) -> None:
    limit = aiohttp.ClientTimeout(total=None, sock_connect=20, sock_read=seconds)
    async with aiohttp.ClientSession(timeout=limit) as session, session.get(url, proxy=proxy, ssl=context) as answer:
        await answer.read()


async def by_httpx(url: str, *, proxy: str | None = None, context: Any = True, seconds: float = 20) -> None:
    limit = httpx.Timeout(20, read=seconds)
    async with httpx.AsyncClient(proxy=proxy, verify=context, timeout=limit, trust_env=False) as client:
        await client.get(url)


@pytest.fixture(params=[by_aiohttp, by_httpx], ids=["aiohttp", "httpx"])
def ask(request: pytest.FixtureRequest) -> Ask:
    return request.param  # type: ignore[no-any-return]  one of the parameters


async def failed(ask: Ask, url: str, *, proxy: str | None = None, **options: Any) -> ConnectionFailure:
    """The failure of a request to a URL, whose path has a secret."""
    with pytest.raises((aiohttp.ClientError, httpx.HTTPError, OSError)) as caught:
        await ask(f"{url}/{SECRET}/getMe", proxy=proxy, **options)
    known = None if proxy is None else Proxy(proxy, "https_proxy")
    found = explain_connection(caught.value, f"{url}/{SECRET}/getMe", proxy=known, seconds=5, setting="telegram_api")
    assert found is not None
    assert "SECRET" not in str(found)
    assert "pass" not in str(found).replace("user name and password", "").replace("user:password@", "")
    return found


@pytest.fixture
def free_port() -> int:
    """A port at which nothing listens."""
    with socket.socket() as place:
        place.bind(("127.0.0.1", 0))
        return int(place.getsockname()[1])


@asynccontextmanager
async def listening(
    answer: bytes | None, context: ssl.SSLContext | None = None, *, reads: bool = True
) -> AsyncGenerator[int]:
    """A server that answers each connection with these bytes and closes it; None: never."""
    held: list[asyncio.StreamWriter] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        held.append(writer)
        if answer is None:
            return
        if reads:
            await reader.read(1)
        writer.write(answer)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        for writer in held:
            writer.close()
        server.close()


async def test_a_refused_port(ask: Ask, free_port: int) -> None:
    found = await failed(ask, f"http://127.0.0.1:{free_port}")

    assert found == ConnectionFailure(
        f"127.0.0.1:{free_port}",
        "refused",
        "the connection is refused (nothing listens there)",
        "start the server, or correct host and port in telegram_api",
    )
    assert found.is_unsent
    assert str(found) == f"{found.target}: {found.detail}; {found.advice}"


async def test_ipv6(ask: Ask) -> None:
    found = await failed(ask, "http://[::1]:9")

    assert found.target == "[::1]:9"
    assert found.kind in {"refused", "unreachable"}


async def test_an_unknown_name(ask: Ask) -> None:
    found = await failed(ask, "https://telegram.invalid")

    assert (found.target, found.kind) == ("telegram.invalid:443", "dns")
    assert "DNS" in found.detail
    assert "DNS" in found.advice


def test_a_name_server_that_gives_no_answer() -> None:
    error = socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")

    assert str(explain_connection(error, "https://x.example")) == (
        "x.example:443: its name can't be looked up now (DNS gives no answer); check the network and its DNS"
    )


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


class TestTls:
    """Certificates of a server on this machine."""

    async def answered(
        self, ask: Ask, issuer: trustme.CA, trusted: trustme.CA | None, name: str = "127.0.0.1", **dates: datetime
    ) -> ConnectionFailure:
        server, client = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context()
        issuer.issue_cert(name, **dates).configure_cert(server)
        if trusted is not None:
            trusted.configure_trust(client)
        async with listening(b"", server) as port:
            return await failed(ask, f"https://127.0.0.1:{port}", context=client)

    async def test_unknown_authority(self, ask: Ask, authority: trustme.CA) -> None:
        found = await self.answered(ask, authority, None)
        assert (found.kind, found.detail) == ("tls", "the server's certificate is from an unknown authority")
        assert "SSL_CERT_FILE" in found.advice
        assert found.is_unsent

    async def test_another_name(self, ask: Ask, authority: trustme.CA) -> None:
        found = await self.answered(ask, authority, authority, "other.example")
        assert (found.kind, found.detail) == ("tls", "the server's certificate is for another name")
        assert "telegram_api" in found.advice

    @pytest.mark.parametrize(
        ("begins", "ends", "detail"),
        [(-20, -10, "has expired"), (10, 20, "is not valid yet")],
    )
    async def test_clock(self, ask: Ask, authority: trustme.CA, begins: int, ends: int, detail: str) -> None:
        today = datetime.now(UTC)
        dates = {"not_before": today + timedelta(days=begins), "not_after": today + timedelta(days=ends)}
        found = await self.answered(ask, authority, authority, **dates)
        assert (found.kind, found.detail) == ("tls", f"the server's certificate {detail}")
        assert "check the clock of this machine" in found.advice

    @pytest.mark.parametrize("code", [18, 19])
    def test_self_signed(self, code: int) -> None:
        error = ssl.SSLCertVerificationError(1, "x")
        error.verify_code, error.verify_message = code, "self-signed certificate"
        found = find_cause(error)
        assert found is not None
        assert "self-signed" in found.detail

    async def test_no_tls_at_a_plain_port(self, ask: Ask) -> None:
        async with listening(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n") as port:
            found = await failed(ask, f"https://127.0.0.1:{port}")
        assert (found.kind, found.detail) == ("tls", "the server does not speak TLS")
        assert found.advice == "write http:// in place of https:// in telegram_api"

    async def test_plain_http_to_a_port_for_tls(self, ask: Ask, authority: trustme.CA) -> None:
        server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("127.0.0.1").configure_cert(server)
        async with listening(b"", server) as port:
            found = await failed(ask, f"http://127.0.0.1:{port}")
        assert found.kind in {"closed", "unreadable"}
        assert "a port for TLS needs https://" in found.advice


class TestProxy:
    async def test_that_is_not_there(self, ask: Ask, free_port: int) -> None:
        found = await failed(ask, "http://x.invalid", proxy=f"http://user:pass@127.0.0.1:{free_port}")
        assert found.kind == "proxy"
        assert str(found) == (
            f"x.invalid:80 through the proxy http://127.0.0.1:{free_port} (https_proxy): the proxy can't be reached: "
            "the connection is refused (nothing listens there); start the server, or correct host and port in "
            "https_proxy"
        )

    @pytest.mark.parametrize(
        ("status", "detail"),
        [
            (407, "the proxy answers 407 (it asks for a user name and password)"),
            (403, "the proxy answers 403 (it forbids this address)"),
            (502, "the proxy answers 502 (it can't reach the server)"),
        ],
    )
    async def test_that_refuses(self, ask: Ask, status: int, detail: str) -> None:
        async with listening(f"HTTP/1.1 {status} No\r\nContent-Length: 0\r\n\r\n".encode()) as port:
            found = await failed(ask, "https://x.invalid", proxy=f"http://127.0.0.1:{port}")
        assert (found.kind, found.detail) == ("proxy", detail)
        assert found.is_unsent
        assert f"http://127.0.0.1:{port} (https_proxy)" in str(found)


class TestAfterTheConnection:
    async def test_no_answer(self, ask: Ask) -> None:
        async with listening(None) as port:
            found = await failed(ask, f"http://127.0.0.1:{port}", seconds=0.05)
        assert (found.kind, found.detail) == ("timeout", "no answer within 5 s")
        assert not found.is_unsent

    async def test_closed(self, ask: Ask) -> None:
        async with listening(b"") as port:
            found = await failed(ask, f"http://127.0.0.1:{port}")
        assert found.kind == "closed"
        assert not found.is_unsent

    async def test_closed_within_the_answer(self, ask: Ask) -> None:
        async with listening(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx") as port:
            found = await failed(ask, f"http://127.0.0.1:{port}")
        assert found.kind == "closed"

    async def test_no_http(self) -> None:
        async with listening(b"SSH-2.0-OpenSSH_9.2\r\n\r\n") as port:
            found = await failed(by_aiohttp, f"http://127.0.0.1:{port}")
        assert (found.kind, found.detail) == ("unreadable", "the answer is not HTTP")


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        (errno.ENETUNREACH, "unreachable"),
        (errno.EHOSTUNREACH, "unreachable"),
        (errno.EPERM, "unreachable"),
        (errno.EMFILE, "unreachable"),
        (errno.ETIMEDOUT, "connect_timeout"),
        (errno.ECONNRESET, "closed"),
        (errno.ECONNREFUSED, "refused"),
    ],
)
def test_numbers_of_the_system(number: int, kind: str) -> None:
    found = find_cause(OSError(number, "words of the system"))
    assert found is not None
    assert found.kind == kind


def test_several_addresses() -> None:
    text = "Multiple exceptions: [Errno 111] Connect call failed ('::1', 9, 0, 0), [Errno 101] Network is unreachable"
    found = find_cause(OSError(text))
    assert found is not None
    assert found.kind == "refused"


@pytest.mark.parametrize("error", [ValueError("x"), KeyError("x"), RuntimeError(), OSError("no number")])
def test_what_is_no_connection(error: Exception) -> None:
    assert explain_connection(error, "http://x") is None


def test_a_chain_without_end() -> None:
    first, second = ValueError("a"), ValueError("b")
    first.__cause__, second.__cause__ = second, first
    assert find_cause(first) is None


@pytest.mark.parametrize(
    ("url", "target"),
    [
        ("https://api.telegram.org", "api.telegram.org:443"),
        (f"http://user:pass@127.0.0.1:8081/file/{SECRET}/x", "127.0.0.1:8081"),
        ("http://[::1]:8081/x", "[::1]:8081"),
        ("http://x", "x:80"),
        ("http://x:99999", "an invalid address"),
    ],
)
def test_the_target_of_a_url(url: str, target: str) -> None:
    assert target_of(url) == target


async def test_a_provider_says_to_whom_why_and_what_to_do(free_port: int) -> None:
    http = ProviderHttp(f"http://127.0.0.1:{free_port}/v1", headers={"Authorization": "Bearer SECRET-key"})
    with pytest.raises(Unavailable) as caught:
        await http.get_json("models")
    await http.aclose()
    assert f"127.0.0.1:{free_port}: the connection is refused (nothing listens there)" in str(caught.value)
    assert "start the server, or correct host and port in base_url" in str(caught.value)


async def test_a_provider_names_the_proxy(free_port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    # To the proxy on this machine, which does not exist.
    monkeypatch.setenv("TGLLM_ALLOW_REAL_REQUESTS", "1")
    http = ProviderHttp("https://x.invalid/v1", proxy=f"http://user:pass@127.0.0.1:{free_port}")
    with pytest.raises(Unavailable) as caught:
        await http.get_json("models")
    await http.aclose()
    assert f"x.invalid:443 through the proxy http://127.0.0.1:{free_port} (the setting proxy)" in str(caught.value)
    assert "pass" not in str(caught.value)
