"""The transport over aiohttp behaves as httpx's own, which is asked the same in each test and is the judge."""

import asyncio
import gzip
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import suppress
from pathlib import Path

import httpx
import pytest
import trustme
from aiohttp import web

from http_support import Serve
from tgllm.providers.transport import DirectTransport

Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
Listen = Callable[..., Awaitable[str]]

OK = b"HTTP/1.1 200 OK\r\n"
SHORT = httpx.Timeout(0.2, connect=10)
NOBODY = "http://127.0.0.1:9"


@pytest.fixture
async def listen() -> AsyncIterator[Listen]:
    """Starts a server that does with its connections what a test says; gives its address."""
    servers: list[asyncio.Server] = []
    talks: set[asyncio.Task[None]] = set()

    async def start(talk: Talk, tls: ssl.SSLContext | None = None) -> str:
        async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            talks.add(asyncio.current_task())  # type: ignore[arg-type]  # a connection has a task of its own
            # A client that is gone, and the end of the test.
            with suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
                await talk(reader, writer)
            writer.close()

        server = await asyncio.start_server(connected, "127.0.0.1", 0, ssl=tls)
        servers.append(server)
        return f"{'https' if tls else 'http'}://127.0.0.1:{server.sockets[0].getsockname()[1]}"

    yield start
    for server in servers:
        server.close()
    for talk in talks:
        talk.cancel()
    await asyncio.gather(*talks, return_exceptions=True)


def ours() -> httpx.AsyncBaseTransport:
    return DirectTransport(keepalive_seconds=60)


def judge() -> httpx.AsyncBaseTransport:
    return httpx.AsyncHTTPTransport()


def says(*parts: bytes, then: str = "close") -> Talk:
    """Reads the head of a request and writes; then closes, resets, or says nothing more."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        for part in parts:
            writer.write(part)
            await writer.drain()
        if then == "silence":
            await asyncio.Event().wait()
        if then == "reset":
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    return talk


async def outcome(transport: httpx.AsyncBaseTransport, url: str, timeout: httpx.Timeout) -> Sequence[object]:
    """What a client sees of an answer, or the class of its error."""
    async with httpx.AsyncClient(transport=transport, timeout=timeout) as client:
        try:
            async with client.stream("POST", url, content=b"{}") as response:
                body = b"".join([chunk async for chunk in response.aiter_bytes()])
                return response.status_code, response.reason_phrase, response.headers.multi_items(), body
        except httpx.HTTPError as error:
            return (type(error),)


async def agreed(url: str, timeout: httpx.Timeout | None = None) -> Sequence[object]:
    """What both transports see, which has to be the same."""
    timeout = timeout or httpx.Timeout(30)
    theirs, mine = await outcome(judge(), url, timeout), await outcome(ours(), url, timeout)
    assert mine == theirs
    return mine


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param((OK, b"Content-Length: 3\r\nX: 1\r\nX: 2\r\n\r\n", b"abc"), id="length"),
        pytest.param((OK, b"Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n", b"1\r\nc\r\n0\r\n\r\n"), id="chunks"),
        pytest.param((b"HTTP/1.0 200 OK\r\n\r\nabc",), id="until-it-is-closed"),
        pytest.param((b"HTTP/1.1 204 No Content\r\n\r\n",), id="no-content"),
        pytest.param((b"HTTP/1.1 302 Found\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n",), id="redirect"),
        pytest.param((b"HTTP/1.1 500 Oh no\r\nContent-Length: 2\r\n\r\n{}",), id="failure"),
        pytest.param((b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n", OK, b"Content-Length: 1\r\n\r\na"), id="hints"),
        pytest.param((OK, b"X: " + b"a" * 30_000 + b"\r\nContent-Length: 1\r\n\r\na"), id="long-header"),
        pytest.param((OK, b"Set-Cookie: a=b\r\nContent-Length: 1\r\n\r\na"), id="cookie"),
        pytest.param(
            (OK, b"Content-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n")
            + ((packed := gzip.compress(b"abc")) and (b"%x\r\n%s\r\n0\r\n\r\n" % (len(packed), packed),)),
            id="packed",
        ),
    ],
)
async def test_answers_are_read(listen: Listen, answer: Sequence[bytes]) -> None:
    seen = await agreed(await listen(says(*answer)) + "/a%2Fb?c=%7E+d")

    assert isinstance(seen[0], int)


@pytest.mark.parametrize(
    ("talk", "error"),
    [
        pytest.param(says(), httpx.RemoteProtocolError, id="no-answer"),
        pytest.param(says(b"hello\r\n\r\n"), httpx.RemoteProtocolError, id="no-http"),
        pytest.param(says(b"HTTP/1.1 abc OK\r\n\r\n"), httpx.RemoteProtocolError, id="no-status"),
        pytest.param(says(OK, b"Content-Length: 9\r\n\r\nabc"), httpx.RemoteProtocolError, id="cut"),
        pytest.param(
            says(OK, b"Transfer-Encoding: chunked\r\n\r\n5\r\nab"), httpx.RemoteProtocolError, id="cut-in-a-chunk"
        ),
        pytest.param(says(OK, b"Transfer-Encoding: chunked\r\n\r\nzz\r\n"), httpx.RemoteProtocolError, id="no-chunk"),
        pytest.param(
            says(OK, b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nab"), httpx.RemoteProtocolError, id="two"
        ),
        pytest.param(says(then="reset"), httpx.ReadError, id="reset"),
        pytest.param(says(then="silence"), httpx.ReadTimeout, id="silence"),
        pytest.param(says(OK, b"Content-Length: 9\r\n\r\nabc", then="silence"), httpx.ReadTimeout, id="silence-inside"),
        pytest.param(
            says(OK, b"Content-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc"), httpx.DecodingError, id="badly-packed"
        ),
    ],
)
async def test_a_broken_answer_is_the_same_error(listen: Listen, talk: Talk, error: type[Exception]) -> None:
    assert await agreed(await listen(talk), SHORT if error is httpx.ReadTimeout else None) == (error,)


async def test_nobody_there_is_the_same_error() -> None:
    assert await agreed(NOBODY) == (httpx.ConnectError,)
    assert await agreed("http://nobody.invalid") == (httpx.ConnectError,)
    assert await agreed("ftp://127.0.0.1") == (httpx.UnsupportedProtocol,)


@pytest.fixture
def tls_authority() -> trustme.CA:
    """Vouches for the server; clients do not know it, unless they are told."""
    return trustme.CA()


@pytest.fixture
def tls(tls_authority: trustme.CA) -> ssl.SSLContext:
    """A server's, with a certificate of that authority."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls_authority.issue_cert("127.0.0.1").configure_cert(context)
    return context


async def test_tls_that_cannot_be_trusted_is_the_same_error(listen: Listen, tls: ssl.SSLContext) -> None:
    url = await listen(says(OK, b"Content-Length: 0\r\n\r\n"), tls)

    assert await agreed(url) == (httpx.ConnectError,)
    async with httpx.AsyncClient(transport=ours()) as client:
        with pytest.raises(httpx.ConnectError, match="certificate verify failed") as caught:
            await client.get(url)
    assert "object at" not in str(caught.value)


async def test_tls_names_the_protocol(
    listen: Listen, tmp_path: Path, tls_authority: trustme.CA, tls: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        protocol = writer.get_extra_info("ssl_object").selected_alpn_protocol() or "none"
        writer.write(OK + b"Content-Length: %d\r\n\r\n" % len(protocol) + protocol.encode())

    tls.set_alpn_protocols(["h2", "http/1.1"])
    tls_authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))

    assert (await agreed(await listen(talk, tls)))[-1] == b"http/1.1"


async def test_a_handshake_that_stalls_is_the_same_error(listen: Listen) -> None:
    url = await listen(says(then="silence"))

    assert await agreed(url.replace("http:", "https:"), httpx.Timeout(30, connect=0.2)) == (httpx.ConnectTimeout,)


async def test_a_request_that_nobody_reads_is_given_up(listen: Listen) -> None:
    async def deaf(_reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        await asyncio.Event().wait()

    async with httpx.AsyncClient(transport=ours(), timeout=httpx.Timeout(0.2, connect=2)) as client:
        with pytest.raises(httpx.WriteTimeout):
            await client.post(await listen(deaf), content=b"x" * 30_000_000)


@pytest.mark.parametrize("header", ["a\nb", "a\r\nb: c", "a\0b"])
async def test_a_header_that_cannot_be_sent_is_the_same_error(listen: Listen, header: str) -> None:
    for transport in (judge(), ours()):
        async with httpx.AsyncClient(transport=transport, headers={"X": header}) as client:
            with pytest.raises(httpx.LocalProtocolError):
                await client.get(await listen(says(OK, b"Content-Length: 0\r\n\r\n")))


async def _pieces() -> AsyncIterator[bytes]:
    yield b"a" * 70_000
    yield b"b"


@pytest.mark.parametrize(
    "request_",
    [
        pytest.param({"method": "GET"}, id="get"),
        pytest.param({"method": "POST"}, id="empty"),
        pytest.param({"method": "POST", "json": {"a": "Ж"}}, id="json"),
        pytest.param({"method": "POST", "data": {"a": "b c"}}, id="form"),
        pytest.param({"method": "POST", "content": b"x" * 3_000_000}, id="large"),
        pytest.param({"method": "PUT", "files": {"f": ("n.txt", b"abc", "text/plain")}}, id="file"),
        pytest.param({"method": "POST", "content": _pieces}, id="pieces"),
        pytest.param({"method": "GET", "headers": [("X", "1"), ("X", "2"), ("y", "Ж".encode())]}, id="headers"),
    ],
)
async def test_requests_arrive_the_same(serve: Serve, request_: dict[str, object]) -> None:
    async def handler(request: web.BaseRequest) -> web.Response:
        heard.append((request.method, request.raw_path, sorted(request.raw_headers), await request.content.read()))
        return web.Response()

    heard: list[tuple[str, str, list[tuple[bytes, bytes]], bytes]] = []
    url = await serve(handler) + "/a%2Fb%20c/%D0%96?x=%7E&y=a+b&z=%2B"
    for transport in (judge(), ours()):
        async with httpx.AsyncClient(transport=transport) as client:
            content = request_.get("content")
            given = {**request_, **({"content": content()} if callable(content) else {})}
            if "files" in given:
                given["headers"] = {"Content-Type": "multipart/form-data; boundary=here"}
            assert (await client.request(url=url, **given)).status_code == 200  # type: ignore[arg-type]  # of several types

    theirs, mine = heard
    lower = [[(name.lower(), value) for name, value in headers] for _, _, headers, _ in heard]
    assert sorted(lower[1]) == sorted(lower[0])
    assert (mine[0], mine[1], mine[3]) == (theirs[0], theirs[1], theirs[3])


async def test_a_password_in_the_address_arrives_once(serve: Serve) -> None:
    async def handler(request: web.BaseRequest) -> web.Response:
        return web.Response(text=f"{request.headers.getall('Authorization')} {request.headers['Host']} {request.path}")

    url = httpx.URL(await serve(handler))
    address = str(url.copy_with(username="a@b", password="c d", path="/x"))
    said = [(await outcome(transport, address, httpx.Timeout(30)))[-1] for transport in (judge(), ours())]

    assert said[1] == said[0] == f"['Basic YUBiOmMgZA=='] {url.netloc.decode()} /x".encode()


@pytest.mark.parametrize(
    ("scheme", "talk"),
    [
        pytest.param("http", says(), id="lost-while-sending"),
        pytest.param("http", says(then="silence"), id="not-sent-in-time"),
        pytest.param("https", says(then="silence"), id="not-connected-in-time"),
        pytest.param("ftp", says(), id="not-http"),
    ],
)
async def test_no_error_shows_the_address(listen: Listen, scheme: str, talk: Talk) -> None:
    """It may hold a key."""
    url = (await listen(talk)).replace("http", scheme) + "/?key=sk-12345"
    async with httpx.AsyncClient(transport=ours(), timeout=0.3) as client:
        with pytest.raises(httpx.TransportError) as caught:
            await client.post(url, content=b"x" * 30_000_000)

    assert "127.0.0.1" not in str(caught.value)


@pytest.mark.parametrize("make", [judge, ours])
async def test_closing_a_client_ends_its_answers(listen: Listen, make: Callable[[], httpx.AsyncBaseTransport]) -> None:
    async def read() -> None:
        async with client.stream("GET", url) as response:
            async for _ in response.aiter_bytes():
                await client.aclose()

    url = await listen(says(OK, b"Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n", then="silence"))
    client = httpx.AsyncClient(transport=make(), timeout=30)

    with pytest.raises(httpx.ReadError):
        await read()


async def test_a_connection_is_kept_unless_an_answer_is_left(serve: Serve) -> None:
    async def handler(request: web.BaseRequest) -> web.StreamResponse:
        assert request.transport is not None
        peers.append(request.transport.get_extra_info("peername"))
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b"x" * 20_000_000)
        await response.write_eof()
        return response

    peers: list[object] = []
    url = await serve(handler)
    async with httpx.AsyncClient(transport=ours()) as client:
        await client.get(url)
        await client.get(url)
        async with client.stream("GET", url):
            pass
        await client.get(url)

    assert peers[0] == peers[1] == peers[2] != peers[3]


async def test_cancelling_closes_the_connection(listen: Listen) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(OK + b"Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n")
        if await reader.read() == b"":
            left.set()

    left, begun = asyncio.Event(), asyncio.Event()

    async def ask() -> None:
        async with client.stream("GET", url) as response:
            async for _ in response.aiter_bytes():
                begun.set()

    url = await listen(talk)
    async with httpx.AsyncClient(transport=ours()) as client:
        asking = asyncio.create_task(ask())
        await begun.wait()
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        async with asyncio.timeout(30):
            await left.wait()


async def test_many_answers_come_side_by_side(serve: Serve) -> None:
    async def handler(request: web.BaseRequest) -> web.Response:
        await together.wait()
        return web.Response()

    together = asyncio.Barrier(150)
    url = await serve(handler)
    async with httpx.AsyncClient(transport=ours()) as client:
        done = await asyncio.gather(*(client.get(url, timeout=30) for _ in range(150)))

    assert {response.status_code for response in done} == {200}


async def test_cookies_are_not_kept_by_the_transport(serve: Serve) -> None:
    async def handler(request: web.BaseRequest) -> web.Response:
        heard.append(request.headers.get("Cookie", ""))
        return web.Response(headers={"Set-Cookie": "session=1; Path=/"})

    heard: list[str] = []
    transport, url = ours(), await serve(handler)
    for _ in range(2):
        # A client each, since a client keeps cookies of its own.
        request = httpx.Request("GET", url)
        await (await transport.handle_async_request(request)).aclose()
    await transport.aclose()

    assert heard == ["", ""]


async def test_what_came_before_a_cut_is_read(listen: Listen) -> None:
    async def read() -> None:
        async with client.stream("GET", url) as response:
            async for chunk in response.aiter_bytes():
                got.extend(chunk)

    got = bytearray()
    url = await listen(says(OK, b"Transfer-Encoding: chunked\r\n\r\n", b"3\r\nabc\r\n3\r\ndef\r\n2"))
    async with httpx.AsyncClient(transport=ours()) as client:
        with pytest.raises(httpx.RemoteProtocolError):
            await read()

    assert got == b"abcdef"


async def test_it_can_be_closed_without_having_been_used() -> None:
    transport = ours()
    await transport.aclose()
    await transport.aclose()
