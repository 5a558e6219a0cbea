"""The server of the webhook takes what has the secret, and refuses the rest without reading, keeping or logging it."""

import asyncio
import gc
import json
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import pytest
from aiohttp import StreamReader
from aiohttp.http_exceptions import HttpProcessingError

from http_support import Got, parsed, send
from tgllm.api import ConfigError
from tgllm.bot.intake.pushed import Verdict
from tgllm.bot.telegram.webhook import secret_of
from tgllm.config.load import load_config
from tgllm.config.model import Config
from tgllm.observe.logs import configure_logging, flush_logging
from tgllm.observe.metrics.instruments import collecting
from tgllm.observe.metrics.table import WEBHOOK_REQUESTS
from tgllm.testing.clock import ManualClock
from tgllm.web import connections, webhook
from tgllm.web.webhook import open_webhook

pytestmark = pytest.mark.usefixtures("restored_logging")

SECRET = "a_secret-of-this-test"
UPDATE = b'{"update_id":1,"message":{}}'
HEADER = b"X-Telegram-Bot-Api-Secret-Token: "


class Bot:
    """Takes updates, as the bot would."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []
        self.verdicts: list[Verdict] = []
        self.held: asyncio.Event | None = None
        self.begun = asyncio.Event()

    async def put(self, body: bytes, *, is_whole: bool = True) -> Verdict:
        self.bodies.append(body)
        self.begun.set()
        if self.held is not None:
            await self.held.wait()
        if not is_whole:
            return "too_large"
        return self.verdicts.pop(0) if self.verdicts else "stored"


def config_for(**changes: object) -> Config:
    flags = {
        "telegram_api": "http://127.0.0.1:8081",
        "webhook.url": "http://127.0.0.1/hook",
        "webhook.port": 0,
        "webhook.secret": SECRET,
    }
    config = load_config(flags, environ={}, with_file=False).config
    # Not validated: a server on a loopback address alone would want the header of a proxy.
    return config.model_copy(update={"webhook": config.webhook.model_copy(update=changes)})


@pytest.fixture
def bot() -> Bot:
    return Bot()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


Serving = Callable[..., AbstractAsyncContextManager[int]]


@pytest.fixture
def serving(bot: Bot, clock: ManualClock) -> Serving:
    @asynccontextmanager
    async def serving(**changes: object) -> AsyncIterator[int]:
        async with open_webhook(config_for(**changes), clock) as hook:
            hook.pass_to(bot.put)
            yield hook.port

    return serving


@pytest.fixture
async def port(serving: Serving) -> AsyncIterator[int]:
    async with serving() as found:
        yield found


def request(
    body: bytes = UPDATE,
    *,
    secret: bytes | None = SECRET.encode(),
    method: str = "POST",
    path: str = "/hook",
    headers: bytes = b"",
    length: int | None = None,
    closing: bool = True,
) -> bytes:
    lines = [f"{method} {path} HTTP/1.1".encode(), b"Host: x", b"Content-Type: application/json"]
    lines += [] if secret is None else [HEADER + secret]
    lines += [b"Connection: close"] if closing else []
    lines += [f"Content-Length: {len(body) if length is None else length}".encode(), headers]
    return b"\r\n".join(line for line in lines if line) + b"\r\n\r\n" + body


async def post(port: int, *args: Any, **values: Any) -> Got:
    return parsed(await send(port, request(*args, **values)))


async def test_an_update_with_the_secret_is_passed_on(port: int, bot: Bot) -> None:
    got = await post(port)

    assert (got.status, got.body) == (200, "")
    assert bot.bodies == [UPDATE]
    assert "aiohttp" not in str(got)


async def test_a_connection_stays_open_for_the_next_update(port: int, bot: Bot) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for _ in range(3):
        writer.write(request(closing=False))
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200")
    writer.close()

    assert len(bot.bodies) == 3


@pytest.mark.parametrize(
    "secret",
    [
        None,
        b"",
        b"wrong",
        SECRET.encode()[:-1],
        SECRET.encode() + b"x",
        SECRET.upper().encode(),
        "ключ".encode(),
        b"\xff\xfe\x80",
        "é".encode("latin-1"),
        SECRET.encode() + b"\r\n" + HEADER + SECRET.encode(),
        b"x" * 4000,
    ],
    ids=range(11),
)
async def test_without_the_secret_nothing_is_passed_on(port: int, bot: Bot, secret: bytes | None) -> None:
    got = await post(port, secret=secret)

    assert got.status == 401
    assert bot.bodies == []


async def test_the_default_secret_is_one_that_telegram_takes_and_depends_on_the_token() -> None:
    secrets = {
        secret_of(load_config({"bot_token": f"{number}:{'a' * 35}"}, environ={}, with_file=False).config)
        for number in (1, 2, 1)
    }

    assert len(secrets) == 2
    assert all(16 <= len(each) <= 256 and each.isalnum() and each.isascii() for each in secrets)
    assert not any("aaa" in each for each in secrets)


@pytest.mark.parametrize(
    "path", ["/", "/hook/", "/HOOK", "/hook2", "//hook", "/hook%2f", "/.env", "/healthz", "/metrics"]
)
async def test_other_paths_do_not_exist(port: int, bot: Bot, path: str) -> None:
    assert (await post(port, path=path)).status in {400, 404}
    assert bot.bodies == []


async def test_a_question_mark_changes_nothing(port: int, bot: Bot) -> None:
    assert (await post(port, path="/hook?x=1")).status == 200


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "OPTIONS"])
async def test_other_methods_are_refused(port: int, bot: Bot, method: str) -> None:
    got = await post(port, method=method)

    assert (got.status, got.headers["allow"]) == (405, "POST")
    assert bot.bodies == []


@pytest.mark.parametrize(
    ("verdict", "status"), [("later", 503), ("unreadable", 400), ("too_large", 413), ("stored", 200)]
)
async def test_the_answer_is_what_the_bot_says(port: int, bot: Bot, verdict: Verdict, status: int) -> None:
    bot.verdicts = [verdict]
    got = await post(port)

    assert got.status == status
    assert ("retry-after" in got.headers) is (status == 503)


async def test_before_there_is_a_bot_telegram_is_asked_to_send_later(clock: ManualClock) -> None:
    async with open_webhook(config_for(), clock) as hook:
        assert (await post(hook.port)).status == 503


async def test_a_body_that_is_too_large_is_not_read(port: int, bot: Bot) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request(b"x" * 5000, length=10**12))
    head = await reader.readuntil(b"\r\n\r\n")
    writer.close()

    assert head.startswith(b"HTTP/1.1 413")
    assert [len(body) for body in bot.bodies] == [4096]


async def test_a_body_without_a_length_is_read_up_to_the_cap(serving: Serving, bot: Bot) -> None:
    async with serving(max_kb=64) as port:
        chunk = b"8000\r\n" + b"x" * 0x8000 + b"\r\n"
        data = request(b"", headers=b"Transfer-Encoding: chunked").replace(b"Content-Length: 0\r\n", b"")
        got = parsed(await send(port, data + chunk * 4 + b"0\r\n\r\n"))
        whole = parsed(await send(port, data + b"1c\r\n" + UPDATE + b"\r\n0\r\n\r\n"))

    assert (got.status, whole.status) == (413, 200)
    assert [len(body) for body in bot.bodies] == [4096, len(UPDATE)]


async def test_a_body_of_exactly_the_cap_is_taken(serving: Serving, bot: Bot) -> None:
    async with serving(max_kb=64) as port:
        assert (await post(port, b"x" * 64 * 1024)).status == 200
        assert (await post(port, b"x" * (64 * 1024 + 1))).status == 413


async def test_a_compressed_body_is_not_unpacked(port: int, bot: Bot) -> None:
    got = await post(port, b"\x1f\x8b" + b"x" * 50, headers=b"Content-Encoding: gzip")

    assert got.status == 415
    assert bot.bodies == []


async def test_a_slow_body_ends(port: int, bot: Bot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhook, "BODY_SECONDS", 0.05)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request(UPDATE[:5], length=len(UPDATE)))
    head = await reader.readuntil(b"\r\n\r\n")
    writer.close()

    assert head.startswith(b"HTTP/1.1 408")
    assert bot.bodies == []


async def test_a_body_that_is_cut_off_is_not_passed_on(port: int, bot: Bot) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request(UPDATE[:5], length=len(UPDATE)))
    writer.write_eof()
    await reader.read()
    writer.close()

    assert (await post(port)).status == 200
    assert bot.bodies == [UPDATE]


async def test_an_answer_that_takes_too_long_is_later(port: int, bot: Bot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhook, "STORE_SECONDS", 0.05)
    bot.held = asyncio.Event()

    assert (await post(port)).status == 503


async def test_a_head_without_an_end_ends(serving: Serving, bot: Bot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "REQUEST_SECONDS", 0.05)
    async with serving() as port:
        for data in (b"", b"POST /hook HTTP/1.1\r\nHost: x\r\n", b"\x16\x03\x01"):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(data)
            await reader.read()
            writer.close()
        monkeypatch.setattr(connections, "REQUEST_SECONDS", 15.0)
        assert (await post(port)).status == 200


async def test_more_at_once_than_telegram_sends_are_refused(
    port: int, bot: Bot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhook, "MOST_AT_ONCE", 2)
    bot.held = asyncio.Event()
    first = [asyncio.create_task(post(port)) for _ in range(2)]
    while len(bot.bodies) < 2:
        await bot.begun.wait()
        await asyncio.sleep(0)
    third = await post(port)
    bot.held.set()

    assert third.status == 503
    assert [(await each).status for each in first] == [200, 200]


async def test_a_flood_without_the_secret_takes_no_connection_of_telegram_and_little_of_the_log(
    port: int, bot: Bot, clock: ManualClock, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(connections, "MOST_CONNECTIONS", 20)
    configure_logging("json", "info", sys.stdout)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request(closing=False))
    await reader.readuntil(b"\r\n\r\n")
    idle = [await asyncio.open_connection("127.0.0.1", port) for _ in range(60)]
    for _ in range(5):
        got = await asyncio.gather(*(post(port, secret=b"x", body=b"y" * 10_000) for _ in range(10)))
        assert {each.status for each in got} == {401}
    writer.write(request(closing=False))
    head = await reader.readuntil(b"\r\n\r\n")
    for _, each in idle:
        each.close()
    writer.close()
    await clock.advance(100)
    await post(port, secret=b"x")
    flush_logging()
    lines = [line for line in capsys.readouterr().out.splitlines() if "webhook.refused" in line]

    assert head.startswith(b"HTTP/1.1 200")
    assert len(bot.bodies) == 2
    assert len(lines) == 2
    assert json.loads(lines[1])["requests"] == {"unauthorized": 50}


def chunked(secret: bytes, chunks: bytes) -> bytes:
    head = request(b"", secret=secret, headers=b"Transfer-Encoding: chunked")
    return head.replace(b"Content-Length: 0\r\n", b"") + chunks


@pytest.mark.parametrize("method", ["POST", "GET"])
async def test_chunks_are_not_parsed_without_the_secret(
    port: int, bot: Bot, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    monkeypatch.setattr(connections, "LINGER_SECONDS", 0.05)
    begun: list[object] = []
    real = StreamReader.begin_http_chunk_receiving
    monkeypatch.setattr(StreamReader, "begin_http_chunk_receiving", lambda self: begun.append(self) or real(self))
    data = chunked(b"wrong", b"1\r\nx\r\n" * 20_000).replace(b"POST", method.encode(), 1)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for start in range(0, len(data), 50_000):
        writer.write(data[start : start + 50_000])
    head = await reader.readuntil(b"\r\n\r\n")
    writer.close()
    refused = len(begun)
    await send(port, chunked(SECRET.encode(), b"1c\r\n" + UPDATE + b"\r\n0\r\n\r\n"))

    assert head.startswith((b"HTTP/1.1 401", b"HTTP/1.1 405"))
    assert refused == 0
    assert begun
    assert bot.bodies == [UPDATE]


@pytest.mark.parametrize("size", [1, 7, 1000])
async def test_requests_may_come_in_pieces_and_together(port: int, bot: Bot, size: int) -> None:
    bodies = [b"%d\r\n\r\n" % number for number in range(10)]
    data = b"".join(request(body, closing=body == bodies[-1]) for body in bodies)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for start in range(0, len(data), size):
        writer.write(data[start : start + size])
        await writer.drain()
    answers = await reader.read()
    writer.close()

    assert answers.count(b"HTTP/1.1 200") == 10
    assert bot.bodies == bodies


@pytest.mark.parametrize(
    "head",
    [b"POST /hook HTTP/1.1\r\nA: " + b"x" * 3_000_000, b"POST /" + b"x" * 3_000_000, b"\xff" * 3_000_000],
    ids=["field", "path", "bytes"],
)
async def test_a_head_without_an_end_leaves_nothing_in_memory(port: int, head: bytes) -> None:
    gc.collect()
    gc.disable()
    try:
        for _ in range(5):
            await send(port, head + b"\r\n\r\n")
        left = [each for each in gc.get_objects() if isinstance(each, HttpProcessingError)]
    finally:
        gc.enable()

    assert left == []


async def test_the_ends_of_requests_are_counted(port: int, bot: Bot) -> None:
    with collecting([WEBHOOK_REQUESTS]):
        await post(port)
        await post(port, secret=None)
        await post(port, path="/x")
        found = {sample.labels[0]: sample.value for sample in WEBHOOK_REQUESTS.read() if sample.value}

    assert found == {"stored": 1, "unauthorized": 1, "path": 1}


class TestAddresses:
    @pytest.mark.parametrize(
        ("headers", "status"),
        [
            (b"X-Forwarded-For: 149.154.167.220", 200),
            (b"X-Forwarded-For: 91.108.5.1", 200),
            (b"X-Forwarded-For: 10.0.0.1, 149.154.167.220", 200),
            (b"X-Forwarded-For: 1.2.3.4\r\nX-Forwarded-For: 149.154.167.220", 200),
            (b"X-Forwarded-For: ::ffff:149.154.167.220", 200),
            (b"X-Forwarded-For: 149.154.167.220:443", 200),
            (b"X-Forwarded-For: [::ffff:149.154.167.220]:443", 200),
            (b"X-Forwarded-For: 149.154.167.220, 10.0.0.1", 403),
            (b"X-Forwarded-For: 149.154.167.220\r\nX-Forwarded-For: 1.2.3.4", 403),
            (b"X-Forwarded-For: 149.154.176.1", 403),
            (b"X-Forwarded-For: nonsense", 403),
            (b"X-Forwarded-For: \xff\xfe", 403),
            (b"X-Forwarded-For:", 403),
            (b"X-Real-IP: 149.154.167.220", 403),
            (b"", 403),
        ],
    )
    async def test_the_last_address_of_the_header_counts(
        self, serving: Serving, bot: Bot, headers: bytes, status: int
    ) -> None:
        async with serving(addresses=("telegram",), proxy_header="X-Forwarded-For") as port:
            assert (await post(port, headers=headers)).status == status
        assert len(bot.bodies) == (status == 200)

    async def test_without_a_proxy_no_header_is_believed(self, serving: Serving, bot: Bot) -> None:
        headers = b"X-Forwarded-For: 149.154.167.220\r\nX-Real-IP: 149.154.167.220"
        async with serving(addresses=("telegram",)) as port:
            assert (await post(port, headers=headers)).status == 403
        async with serving(addresses=("127.0.0.0/8",)) as port:
            assert (await post(port, headers=b"X-Forwarded-For: 1.2.3.4")).status == 200

    async def test_the_secret_is_needed_too(self, serving: Serving, bot: Bot) -> None:
        async with serving(addresses=("127.0.0.1",)) as port:
            assert (await post(port, secret=None)).status == 401


async def test_a_port_that_is_taken_is_named(port: int, clock: ManualClock) -> None:
    with pytest.raises(ConfigError, match=rf"webhook\.port: port {port} .* TGLLM_WEBHOOK__PORT"):
        async with open_webhook(config_for(port=port), clock):
            pass


@pytest.mark.parametrize(
    "data",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"POST\r\n\r\n",
        b"POST /hook HTTP/9.9\r\n\r\n",
        b"POST /hook HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        b"POST /hook HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef",
        b"POST /hook HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\nabcde",
        b"POST /hook HTTP/1.1\r\n" + b"X: y\r\n" * 40_000 + b"\r\n",
        b"POST /" + b"a" * 100_000 + b" HTTP/1.1\r\n\r\n",
    ],
    ids=range(8),
)
async def test_nonsense_does_no_harm(port: int, bot: Bot, data: bytes) -> None:
    answer = await send(port, data)

    assert answer == b"" or answer.startswith((b"HTTP/1.1 4", b"HTTP/1.0 4"))
    assert (await post(port)).status == 200
    assert bot.bodies == [UPDATE]


async def test_updates_are_json_of_any_kind(port: int, bot: Bot) -> None:
    body = json.dumps({"update_id": 1, "message": {"text": "é" * 1000}}, ensure_ascii=False).encode()
    await post(port, body)

    assert bot.bodies == [body]
