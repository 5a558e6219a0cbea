"""Failed connections to the Bot API server, from real sockets: to whom, why and what to do; and lenient reading."""

import asyncio
import json
import socket
import ssl
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sentry_sdk
import trustme
from aiogram import Bot
from aiogram.client.telegram import TelegramAPIServer
from aiogram.exceptions import TelegramBadRequest, TelegramNotFound, TelegramRetryAfter, TelegramServerError
from aiogram.methods import DeleteMessage, EditMessageText, GetFile, GetMe, SendDocument
from aiogram.types import BufferedInputFile
from aiohttp import web
from aiohttp.test_utils import RawTestServer
from sentry_sdk.utils import event_from_exception

from sentry_support import sentry_server
from tgllm.bot.delivery.calls import message_id_of
from tgllm.bot.telegram.connection import ConnectionLost
from tgllm.bot.telegram.failures import CallFailure, classify, fatal_error
from tgllm.bot.telegram.get_updates import BadResponse, RawGetUpdates
from tgllm.bot.telegram.outage import REPEAT_SECONDS, Outage
from tgllm.bot.telegram.session import BotSession

TOKEN = "42:SECRET"


async def call(base: str, method: Any = None, *, seconds: float = 20) -> Any:
    """The result of a call, by default getMe."""
    session = BotSession(TelegramAPIServer.from_base(base), timeout=seconds)
    async with Bot(TOKEN, session=session) as bot:
        return await bot(method or GetMe())


async def failed(base: str, *, seconds: float = 20) -> CallFailure:
    with pytest.raises(ConnectionLost) as caught:
        await call(base, seconds=seconds)
    failure = classify(caught.value)
    assert failure.connection is not None
    assert "SECRET" not in failure.reason
    assert fatal_error(caught.value) is None
    return failure


async def answered(status: int, body: str, method: Any = None, **headers: str) -> Any:
    """The result of a call to a server that answers everything so."""

    async def handler(_: web.BaseRequest) -> web.Response:
        return web.Response(status=status, body=body.encode(), headers=headers)

    async with RawTestServer(handler, host="127.0.0.1") as server:
        return await call(str(server.make_url("")).rstrip("/"), method)


async def unreadable(status: int, body: str, **headers: str) -> CallFailure:
    with pytest.raises(ConnectionLost) as caught:
        await answered(status, body, **headers)
    assert "SECRET" not in str(caught.value)
    return classify(caught.value)


class TestConnections:
    async def test_a_refused_port(self) -> None:
        with socket.socket() as place:
            place.bind(("127.0.0.1", 0))
            port = place.getsockname()[1]
        assert await failed(f"http://127.0.0.1:{port}") == CallFailure(
            "retry",
            f"127.0.0.1:{port}: the connection is refused (nothing listens there); "
            "start the server, or correct host and port in telegram_api",
            connection=(await failed(f"http://127.0.0.1:{port}")).connection,
        )

    async def test_an_unknown_name(self) -> None:
        failure = await failed("http://telegram.invalid")
        assert failure.reason.startswith("telegram.invalid:80: there is no such name (DNS); check its spelling in")

    async def test_a_proxy_that_asks_for_a_password(self, monkeypatch: pytest.MonkeyPatch) -> None:
        async def handler(_: web.BaseRequest) -> web.Response:
            return web.Response(status=407, text="<html>sign in</html>")

        async with RawTestServer(handler, host="127.0.0.1") as server:
            monkeypatch.setenv("http_proxy", str(server.make_url("/")))
            failure = await failed("http://telegram.invalid")
        assert failure.meaning == "retry"
        assert "(http_proxy): the proxy answers 407" in failure.reason
        assert "write both into http_proxy" in failure.reason

    async def test_no_answer(self) -> None:
        with socket.socket() as place:
            place.bind(("127.0.0.1", 0))
            place.listen()
            failure = await failed(f"http://127.0.0.1:{place.getsockname()[1]}", seconds=0.1)
        assert failure.meaning == "unknown"
        assert "no answer within 0.1 s" in failure.reason

    async def test_the_authority_of_a_variable_is_trusted(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        authority, context = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("127.0.0.1").configure_cert(context)

        async def handler(_: web.BaseRequest) -> web.Response:
            return web.json_response({"ok": True, "result": {"id": 5}})

        async with RawTestServer(handler, host="127.0.0.1") as server:
            await server.close()
            secure = RawTestServer(handler, host="127.0.0.1", scheme="https")
            await secure.start_server(ssl=context)
            base = str(secure.make_url("")).rstrip("/")
            assert "unknown authority" in (await failed(base)).reason
            authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
            monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
            assert (await call(base)).id == 5
            await secure.close()


class TestUnreadableAnswers:
    @pytest.mark.parametrize(
        ("status", "body", "words"),
        [
            (200, "<html><title>Hotel Wifi</title></html>", "HTTP 200 with a web page (Hotel Wifi) in place of JSON"),
            (502, "<html><h1>Bad Gateway</h1></html>", "HTTP 502 with a web page (Bad Gateway) in place of JSON"),
            (404, "<html>Not Found</html>", "HTTP 404 with a web page (Not Found) in place of JSON"),
            (200, "", "HTTP 200 with an empty answer in place of JSON"),
            (200, "hello", "HTTP 200 with a text (hello) in place of JSON"),
            (200, "[1]", "the answer to getMe is no JSON object (HTTP 200)"),
            (200, '{"a": 1}', "the answer to getMe has no field ok (HTTP 200)"),
            (200, '{"ok": "yes", "result": {}}', "ok in the answer to getMe has the wrong type (str)"),
            (200, '{"ok": null, "result": {}}', "ok in the answer to getMe is missing"),
            (200, '{"ok": 1, "result": {}}', "ok in the answer to getMe has the wrong type (int)"),
            (200, '{"ok": true}', "result in the answer to getMe is missing"),
            (200, '{"ok": true, "result": [1]}', "result in the answer to getMe has the wrong type (list)"),
            (200, '{"ok": true, "result": {}}', "result.id in the answer to getMe is missing"),
            (200, '{"ok": true, "result": {"id": "x"}}', "result.id in the answer to getMe has the wrong type (str)"),
            (400, "Client sent an HTTP request to an HTTPS server.", "the server expects TLS"),
        ],
    )
    async def test_say_what_came(self, status: int, body: str, words: str) -> None:
        failure = await unreadable(status, body)
        assert failure.meaning == ("retry" if status == 502 else "unknown")
        assert words in failure.reason
        assert "telegram_api" in failure.reason

    async def test_an_answer_that_can_t_be_decompressed(self) -> None:
        failure = await unreadable(200, "hello", **{"Content-Encoding": "gzip"})
        assert "the answer can't be decompressed; " in failure.reason
        assert failure.connection is not None
        assert (failure.connection.kind, failure.meaning) == ("unreadable", "unknown")

    async def test_an_answer_that_ends_too_early(self) -> None:
        async def half(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(b'HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{"ok":')
            writer.close()

        server = await asyncio.start_server(half, "127.0.0.1", 0)
        async with server:
            failure = await failed(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
        assert "the connection was closed in the middle of the answer; " in failure.reason
        assert "https" not in failure.reason

    async def test_a_redirect_is_not_followed(self) -> None:
        place = f"https://user:pw@other.example/bot{TOKEN}/getMe"
        failure = await unreadable(301, "", Location=place)
        assert "HTTP 301, a redirect to https://other.example; write the address behind it into" in failure.reason
        assert "pw" not in failure.reason
        assert failure.connection is not None
        assert (failure.connection.kind, failure.meaning) == ("redirect", "retry")

    async def test_a_page_in_place_of_updates(self) -> None:
        with pytest.raises(BadResponse) as caught:
            await answered(200, "<html><title>Hotel Wifi</title></html>", RawGetUpdates())
        assert "127.0.0.1:" in caught.value.reason
        assert "web page (Hotel Wifi)" in caught.value.reason


class TestErrors:
    @pytest.mark.parametrize(
        ("status", "body", "kind"),
        [
            (400, {"ok": False}, TelegramBadRequest),
            (404, {"ok": False, "description": 5}, TelegramNotFound),
            (500, {"ok": False, "description": None}, TelegramServerError),
            (429, {"ok": False}, TelegramRetryAfter),
            (200, {"ok": False, "error_code": 400, "description": "x"}, TelegramBadRequest),
            (429, {"ok": False, "parameters": {"retry_after": "7", "new": 1}}, TelegramRetryAfter),
        ],
    )
    async def test_of_any_form(self, status: int, body: dict[str, Any], kind: type[Exception]) -> None:
        with pytest.raises(kind):
            await answered(status, json.dumps(body))

    def test_an_unknown_path_is_not_called_a_wrong_token(self) -> None:
        fatal = fatal_error(TelegramNotFound(GetMe(), "Not Found"))
        assert "such as /bot, which the bot adds itself" in str(fatal)


class TestLenience:
    @pytest.mark.parametrize(
        "result",
        [
            {"id": 666, "first_name": "Test", "username": "TestNameBot"},
            {"id": "666", "username": "TestNameBot", "is_bot": "perhaps", "first_name": None, "new": {"a": 1}},
        ],
    )
    async def test_of_the_account_only_the_id_is_needed(self, result: dict[str, Any]) -> None:
        me = await answered(200, json.dumps({"ok": True, "result": result}))
        assert (me.id, me.username) == (666, "TestNameBot")

    async def test_of_a_file_only_the_path_is_needed(self) -> None:
        file = await answered(200, '{"ok": true, "result": {"file_path": "a/b"}}', GetFile(file_id="x"))
        assert (file.file_path, file.file_size) == ("a/b", None)

    async def test_of_a_sent_message_only_the_id_is_needed(self) -> None:
        method = SendDocument(chat_id=1, document=BufferedInputFile(b"x", "x"))
        body = {"ok": True, "result": {"message_id": 9, "date": 1e15, "chat": {"id": 1, "type": 5}}}
        assert message_id_of(await answered(200, json.dumps(body), method)) == 9

    @pytest.mark.parametrize("result", [None, True, "True", {"message_id": 3}, 5])
    async def test_of_an_edit_and_a_deletion_nothing_is_needed(self, result: object) -> None:
        for method in (EditMessageText(chat_id=1, message_id=3, text="x"), DeleteMessage(chat_id=1, message_id=3)):
            await answered(200, json.dumps({"ok": True, "result": result}), method)


class _Log:
    def __init__(self) -> None:
        self.lines: list[tuple[str, str, dict[str, object]]] = []

    def __getattr__(self, level: str) -> Any:
        return lambda event, **fields: self.lines.append((level, event, fields))

    def shown(self) -> list[str]:
        return [event for level, event, _ in self.lines if level != "debug"]


class _Clock:
    def __init__(self) -> None:
        self.seconds = 0.0

    def monotonic(self) -> float:
        return self.seconds


def test_an_outage_is_logged_at_once_at_each_change_and_then_rarely() -> None:
    log, clock = _Log(), _Clock()
    outage = Outage(log, clock, "x.failed")  # type: ignore[arg-type]  stand-ins

    def fails(reason: str, times: int) -> None:
        for _ in range(times):
            outage.failed(CallFailure("retry", reason))
            clock.seconds += 1

    fails("refused", 50)
    assert log.shown() == ["x.failed"]
    fails("no name", 2)
    assert log.shown() == ["x.failed"] * 2
    clock.seconds += REPEAT_SECONDS
    fails("no name", 3)
    assert log.shown() == ["x.failed"] * 3
    outage.over()
    outage.over()
    assert log.shown() == ["x.failed"] * 3 + ["telegram.reached_again"]
    fails("no name", 1)
    assert log.shown()[-1] == "x.failed"


def chain(error: BaseException) -> Iterator[BaseException]:
    """Yield an error with every cause and context, also hidden ones."""
    left, seen = [error], set[int]()
    while left:
        one = left.pop()
        if id(one) not in seen:
            seen.add(id(one))
            yield one
            left += [each for each in (one.__cause__, one.__context__) if each is not None]


async def hang_up(_: web.BaseRequest) -> web.Response:
    raise ConnectionResetError


async def never(_: web.BaseRequest) -> web.Response:
    await asyncio.Event().wait()
    raise AssertionError


async def page(_: web.BaseRequest) -> web.Response:
    return web.Response(text="<html>Welcome</html>", content_type="text/html")


async def redirect(request: web.BaseRequest) -> web.Response:
    return web.Response(status=302, headers={"Location": f"https://other.example{request.path}"})


async def refuse(_: web.BaseRequest) -> web.Response:
    return web.json_response({"ok": False, "error_code": 400, "description": "Bad Request: no"}, status=400)


@pytest.mark.parametrize("handler", [None, hang_up, never, page, redirect, refuse])
@pytest.mark.parametrize("method", [GetMe(), RawGetUpdates()])
async def test_nothing_that_walks_a_failed_connection_finds_the_token(handler: Any, method: Any) -> None:
    async def failed_call(base: str) -> BaseException:
        with pytest.raises((ConnectionLost, BadResponse, TelegramBadRequest)) as caught:
            await call(base, method, seconds=0.2 if handler is never else 20)
        return caught.value

    if handler is None:
        with socket.socket() as unused:
            unused.bind(("127.0.0.1", 0))
            error = await failed_call(f"http://127.0.0.1:{unused.getsockname()[1]}")
    else:
        async with RawTestServer(handler, host="127.0.0.1") as server:
            error = await failed_call(str(server.make_url("")).rstrip("/"))

    texts = [f"{one!r} {one} {vars(one)}" for one in chain(error)]
    assert [text for text in texts if "SECRET" in text] == []
    walked = traceback.TracebackException.from_exception(error, capture_locals=True)
    assert walked.__context__ is None
    assert "SECRET" not in "".join(walked.format())
    body = await asyncio.to_thread(as_sentry_sends_it, error)
    assert type(error).__name__.encode() in body
    assert b"SECRET" not in body


def as_sentry_sends_it(error: BaseException) -> bytes:
    """Return the event of sentry-sdk with its own transport, as an integration of it would report the error."""
    with sentry_server() as server:
        client = sentry_sdk.Client(dsn=server.dsn, default_integrations=False, max_request_body_size="always")
        event, hint = event_from_exception(error, client_options=client.options)
        client.capture_event(event, hint=hint)
        client.close(timeout=5)
        return b"".join(server.bodies)
