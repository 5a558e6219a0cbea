"""The web server answers GET and HEAD, says nothing about itself, and outlives scanners and slow clients."""

import asyncio
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress

import pytest

from http_support import get, parsed, send
from tgllm.api import ConfigError
from tgllm.web import server
from tgllm.web.answers import Answer
from tgllm.web.server import serving


class Secret(Exception):
    pass


async def hello(_headers: Mapping[str, str]) -> Answer:
    return Answer("hello\n")


async def broken(_headers: Mapping[str, str]) -> Answer:
    raise Secret("the password is swordfish")


async def endless(_headers: Mapping[str, str]) -> Answer:
    await asyncio.Event().wait()
    raise AssertionError


@pytest.fixture
async def port() -> AsyncIterator[int]:
    async with serving("127.0.0.1", 0, {"/hello": hello, "/broken": broken, "/endless": endless}) as found:
        yield found


async def test_a_page_has_its_content_and_no_version(port: int) -> None:
    got = await get(port, "/hello?a=b")

    assert (got.status, got.body) == (200, "hello\n")
    assert got.headers["server"] == "tgllm"
    assert got.headers["cache-control"] == "no-store"
    assert got.headers["x-content-type-options"] == "nosniff"
    assert "aiohttp" not in str(got)
    assert "Python" not in str(got)


async def test_head_has_no_body(port: int) -> None:
    got = await get(port, "/hello", method="HEAD")

    assert (got.status, got.body, got.headers["content-length"]) == (200, "", "6")


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "TRACE", "PROPFIND"])
async def test_other_methods_are_refused(port: int, method: str) -> None:
    got = await get(port, "/hello", method=method)

    assert (got.status, got.headers["allow"]) == (405, "GET, HEAD")


@pytest.mark.parametrize("path", ["/", "/hello/", "/HELLO", "/../hello", "/.env", "/hello%00", "//hello", "/%ff%fe"])
async def test_other_paths_do_not_exist(port: int, path: str) -> None:
    assert (await get(port, path)).status in {400, 404}


async def test_an_error_says_nothing_of_the_program(port: int, capsys: pytest.CaptureFixture[str]) -> None:
    got = await get(port, "/broken", headers="Accept: text/html\r\n")

    assert (got.status, got.body) == (500, "500 Internal Server Error\n")
    assert "web.failed" in capsys.readouterr().out


@pytest.mark.parametrize(
    "data",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"\x00" * 100 + b"\r\n\r\n",
        b"GET\r\n\r\n",
        b"GET /hello HTTP/9.9\r\n\r\n",
        b"GET http://[::1/hello HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /hello HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 100_000 + b"\r\n\r\n",
        b"GET /hello HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        b"GET /hello HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    ],
    ids=["TLS", "zeros", "no path", "version", "address", "long path", "long header", "length", "chunk"],
)
async def test_what_is_no_request_is_refused_in_a_few_words(
    port: int, data: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    answer = await send(port, data)

    if answer:
        got = parsed(answer)
        assert got.status in {200, 400, 404, 505}
        assert len(got.body) < 40
        assert got.headers["server"] == "tgllm"
    assert "Traceback" not in capsys.readouterr().out
    assert (await get(port, "/hello")).status == 200


async def test_an_answer_that_takes_too_long_is_unavailable(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "ANSWER_SECONDS", 0.05)

    assert (await get(port, "/endless")).status == 503


async def test_a_body_is_not_read(port: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET /hello HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000000\r\n\r\nabc")

    assert parsed(await reader.read()).status == 200
    writer.close()


async def test_a_client_that_sends_nothing_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "CONNECTION_SECONDS", 0.2)
    async with serving("127.0.0.1", 0, {"/hello": hello}) as port:
        idle, slow = [await asyncio.open_connection("127.0.0.1", port) for _ in range(2)]
        slow[1].write(b"GET /hello HTTP/1.1\r\nX-")
        with suppress(ConnectionError):
            assert await idle[0].read() == b""
        with suppress(ConnectionError):
            assert await slow[0].read() == b""
        for _, writer in (idle, slow):
            writer.close()


async def test_many_idle_clients_do_not_shut_out_a_supervisor(port: int) -> None:
    idle = [await asyncio.open_connection("127.0.0.1", port) for _ in range(server.MOST_CONNECTIONS + 20)]

    assert (await get(port, "/hello")).status == 200
    for _, writer in idle:
        writer.close()


async def test_the_end_of_the_server_does_not_wait_for_idle_clients() -> None:
    async with serving("127.0.0.1", 0, {"/hello": hello}) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
    with suppress(ConnectionError):
        assert await reader.read() == b""
    writer.close()


async def test_a_taken_port_is_named_with_what_to_do() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = other.getsockname()[1]
        with pytest.raises(ConfigError, match=f"port {taken} on 127.0.0.1 is taken .* TGLLM_WEB__PORT"):
            async with serving("127.0.0.1", taken, {}):
                pass


@pytest.mark.parametrize("host", ["192.0.2.1", "no.such.host.invalid"])
async def test_a_foreign_address_is_named_with_what_to_do(host: str) -> None:
    with pytest.raises(ConfigError, match="TGLLM_WEB__HOST"):
        async with serving(host, 0, {}):
            pass
