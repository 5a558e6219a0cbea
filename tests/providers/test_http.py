"""What a provider sees of the network: bytes, JSON, and errors of the contract without a key."""

import asyncio
import gzip
import json
import logging
import subprocess
import sys
from contextlib import aclosing
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest
from aiohttp import web

from http_support import Handler, Serve
from tgllm.api import (
    AuthFailed,
    BadResponse,
    ConfigError,
    ModelNotFound,
    NotConfigured,
    ProviderError,
    QuotaExceeded,
    RateLimited,
    Unavailable,
    Unsupported,
)
from tgllm.providers import network
from tgllm.providers.failure import Failure
from tgllm.providers.http import ProviderHttp, open_client

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

KEY = "sk-s3cret-key-123"
HEADERS = {"Authorization": f"Bearer {KEY}"}
NOBODY = "http://127.0.0.1:9"


def answers(status: int = 200, body: bytes = b"{}", **headers: str) -> Handler:
    async def handler(request: web.BaseRequest) -> web.StreamResponse:
        return web.Response(status=status, body=body, headers={k.replace("_", "-"): v for k, v in headers.items()})

    return handler


async def fails(http: ProviderHttp) -> ProviderError:
    """The error of a call; the same whether an answer is streamed or read whole."""
    with pytest.raises(ProviderError) as whole:
        await http.post_json("/x", {})
    with pytest.raises(ProviderError) as streamed:
        _ = [chunk async for chunk in http.stream("/x", {})]
    assert type(whole.value) is type(streamed.value)
    assert str(whole.value) == str(streamed.value)
    return whole.value


def assert_without_key(error: ProviderError, key: str) -> None:
    """Neither the error nor what a traceback would show before it has the key."""
    assert key not in str(error)
    assert error.__cause__ is None
    assert error.__suppress_context__


def calls_of(module: str, name: str, called: list[str]) -> "Callable[[FrameType, str, object], None]":
    """The hook of ``sys.setprofile`` that notes the calls of a function of a module."""

    def hook(frame: "FrameType", event: str, _arg: object) -> None:
        if event == "call" and frame.f_code.co_name == name and frame.f_globals.get("__name__") == module:
            called.append(name)

    return hook


class TestAnswers:
    async def test_the_address_of_a_path_is_parsed_once(self, serve: Serve) -> None:
        """httpx has a parser of its own in Python, and would use it four times for each request."""
        paths: list[str] = []

        async def handler(request: web.BaseRequest) -> web.Response:
            paths.append(request.path)
            return web.json_response({})

        http = ProviderHttp(await serve(handler) + "/v1/", headers=HEADERS)
        counts: list[int] = []
        for path in ("/a", "/a", "/b", "/a"):
            called, before = list[str](), sys.getprofile()
            sys.setprofile(calls_of("httpx._urlparse", "urlparse", called))
            await http.post_json(path, {})
            sys.setprofile(before)
            counts.append(len(called))
        await http.aclose()
        assert paths == ["/v1/a", "/v1/a", "/v1/b", "/v1/a"]
        assert min(counts[0], counts[2]) > 0
        assert (counts[1], counts[3]) == (0, 0)

    async def test_json_is_sent_and_read(self, serve: Serve) -> None:
        async def handler(request: web.BaseRequest) -> web.Response:
            heard = [request.method, request.path_qs, request.headers["Authorization"], await request.text()]
            return web.json_response(heard)

        http = ProviderHttp(await serve(handler) + "/v1/", headers=HEADERS)

        assert await http.get_json("/models", {"a": "b c"}) == ["GET", "/v1/models?a=b+c", f"Bearer {KEY}", ""]
        assert await http.post_json("/chat", {"x": ["Ж", None]}) == [
            "POST",
            "/v1/chat",
            f"Bearer {KEY}",
            '{"x":["Ж",null]}',
        ]
        await http.aclose()

    async def test_half_a_letter_from_a_chat_can_be_sent(self, serve: Serve) -> None:
        async def handler(request: web.BaseRequest) -> web.Response:
            return web.json_response(await request.json())

        http = ProviderHttp(await serve(handler))

        assert await http.post_json("/", "a\ud83d") == "a?"
        await http.aclose()

    @pytest.mark.parametrize("kind", ["application/octet-stream", "text/plain; charset=latin-1"])
    async def test_json_is_json_whatever_its_type_and_after_blank_lines(self, serve: Serve, kind: str) -> None:
        http = ProviderHttp(await serve(answers(body=b"\n\n \n" + '{"a": "Ж"}'.encode(), Content_Type=kind)))

        assert await http.get_json("/") == {"a": "Ж"}
        await http.aclose()

    async def test_what_is_no_json_is_a_bad_response(self, serve: Serve) -> None:
        http = ProviderHttp(await serve(answers(body=b"<html>hello</html>")))

        with pytest.raises(BadResponse):
            await http.get_json("/")
        await http.aclose()

    async def test_bytes_come_as_they_are_written(self, serve: Serve) -> None:
        heard = asyncio.Event()

        async def handler(request: web.BaseRequest) -> web.StreamResponse:
            response = web.StreamResponse()
            await response.prepare(request)
            await response.write(b": wait\n")
            await heard.wait()
            await response.write(b"done")
            return response

        http = ProviderHttp(await serve(handler))
        async with aclosing(http.stream("/", {})) as chunks:
            assert await anext(chunks) == b": wait\n"
            heard.set()
            assert b"".join([chunk async for chunk in chunks]) == b"done"
        await http.aclose()

    async def test_packed_answers_are_unpacked(self, serve: Serve) -> None:
        http = ProviderHttp(await serve(answers(body=gzip.compress(b'{"a": 1}'), Content_Encoding="gzip")))

        assert await http.get_json("/") == {"a": 1}
        await http.aclose()

    async def test_a_connection_is_used_again_and_closing_a_stream_closes_it(self, serve: Serve) -> None:
        gone = asyncio.Event()
        ports: list[int] = []

        async def handler(request: web.BaseRequest) -> web.StreamResponse:
            assert request.transport is not None
            ports.append(request.transport.get_extra_info("peername")[1])
            if request.path == "/whole":
                return web.Response(body=b"{}")
            response = web.StreamResponse()
            await response.prepare(request)
            try:
                while True:
                    await response.write(b"x")
                    await asyncio.sleep(0.001)
            finally:
                gone.set()

        http = ProviderHttp(await serve(handler))
        await http.get_json("/whole")
        async with aclosing(http.stream("/endless", {})) as chunks:
            await anext(chunks)
        await gone.wait()

        assert ports[0] == ports[1]
        await http.aclose()


class TestErrors:
    @pytest.mark.parametrize(
        ("status", "body", "kind"),
        [
            (400, {"error": {"message": "bad field"}}, ProviderError),
            (400, {"error": {"message": "This model's maximum context length is 10 tokens."}}, "ContextTooLong"),
            (400, {"error": {"message": "The model `x` does not exist"}}, ModelNotFound),
            (400, {"error": {"message": "Content Exists Risk"}}, "Refused"),
            (400, {"error": {"message": "Image input is not enabled for this model"}}, Unsupported),
            (401, {"error": {"message": "no"}}, AuthFailed),
            (402, {"error": {"message": "pay"}}, QuotaExceeded),
            (403, {"message": "no"}, AuthFailed),
            (404, {"error": {"message": "nothing here"}}, ModelNotFound),
            (404, None, BadResponse),
            (408, None, Unavailable),
            (413, None, Unsupported),
            (422, {"detail": [{"loc": ["body", "x"], "msg": "extra"}]}, ProviderError),
            (429, {"message": "slow down"}, RateLimited),
            (429, {"error": {"message": "no", "code": "insufficient_quota"}}, QuotaExceeded),
            (307, None, BadResponse),
            (500, None, Unavailable),
            (503, {"error": {"message": "overloaded"}}, Unavailable),
        ],
    )
    async def test_a_status_is_an_error_of_its_kind(
        self, serve: Serve, status: int, body: object, kind: object
    ) -> None:
        data = b"<html></html>" if body is None else json.dumps(body).encode()
        http = ProviderHttp(await serve(answers(status, data, Content_Type="application/octet-stream")))

        error = await fails(http)

        name = kind if isinstance(kind, str) else kind.__name__
        assert type(error).__name__ == name
        assert "127.0.0.1" in str(error)
        assert str(status) in str(error)
        await http.aclose()

    @pytest.mark.parametrize(
        ("body", "words"),
        [
            ({"error": {"message": "one\ntwo"}}, ": one two"),
            ({"error": "plain"}, ": plain"),
            ({"object": "error", "message": "top"}, ": top"),
            ({"message": {"detail": [{"loc": ["body", "n"], "msg": "extra", "input": "private"}]}}, ": body.n: extra"),
            ({"detail": "alone"}, ": alone"),
            ({"detail": [{"msg": "x"}]}, ""),
            ([1, 2], ""),
            ({"error": {"message": "x" * 999}}, ": " + "x" * 300),
        ],
    )
    def test_the_words_of_a_service_are_found(self, body: object, words: str) -> None:
        assert str(Failure("h", 500, {}, json.dumps(body).encode())) == f"h answered 500{words}"

    @pytest.mark.parametrize(
        ("headers", "wait"),
        [
            ({"Retry_After": "3"}, 3),
            ({"Retry_After": "1.5"}, 1.5),
            ({"retry_after_ms": "250", "Retry_After": "3"}, 0.25),
            (
                {"Retry_After": "Wed, 21 Oct 2026 07:28:10 GMT", "Date": "Wed, 21 Oct 2026 07:28:00 GMT"},
                10,
            ),
            ({"Retry_After": "Wed, 21 Oct 2020 07:28:10 GMT"}, 0),
            ({"Retry_After": "soon"}, None),
            ({"Retry_After": "-1"}, None),
            ({"Retry_After": "inf"}, None),
            ({}, None),
        ],
    )
    @pytest.mark.parametrize("status", [429, 503])
    async def test_the_wait_that_is_asked_for_is_told(
        self, serve: Serve, headers: dict[str, str], wait: float | None, status: int
    ) -> None:
        http = ProviderHttp(await serve(answers(status, **headers)))

        assert (await fails(http)).params["retry_after"] == wait
        await http.aclose()

    async def test_nobody_there_is_unavailable(self) -> None:
        http = ProviderHttp(NOBODY)

        assert type(await fails(http)) is Unavailable
        await http.aclose()

    async def test_silence_ends_the_wait(self, serve: Serve) -> None:
        silent = asyncio.Event()

        async def handler(request: web.BaseRequest) -> web.StreamResponse:
            response = web.StreamResponse()
            await response.prepare(request)
            await response.write(b"a")
            await silent.wait()
            return response

        http = ProviderHttp(await serve(handler), idle_seconds=0.05)

        error = await fails(http)
        silent.set()
        assert type(error) is Unavailable
        assert "sent nothing for 0.05 seconds" in str(error)
        await http.aclose()

    async def test_an_answer_that_breaks_off_is_unavailable(self, serve: Serve) -> None:
        async def handler(request: web.BaseRequest) -> web.StreamResponse:
            response = web.StreamResponse()
            await response.prepare(request)
            await response.write(b"a")
            assert request.transport is not None
            request.transport.abort()
            return response

        http = ProviderHttp(await serve(handler))

        assert type(await fails(http)) is Unavailable
        await http.aclose()

    async def test_a_failure_whose_words_break_off_is_told_by_its_status(self, serve: Serve) -> None:
        async def handler(request: web.BaseRequest) -> web.StreamResponse:
            response = web.StreamResponse(status=402)
            await response.prepare(request)
            await response.write(b'{"error"')
            assert request.transport is not None
            request.transport.abort()
            return response

        http = ProviderHttp(await serve(handler))

        assert type(await fails(http)) is QuotaExceeded
        await http.aclose()

    async def test_a_large_answer_is_refused(self, serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("tgllm.providers.http._MAX_JSON", 10)
        http = ProviderHttp(await serve(answers(body=b"1" * 11)))

        with pytest.raises(BadResponse):
            await http.get_json("/")
        await http.aclose()

    async def test_a_broken_package_is_a_bad_response(self, serve: Serve) -> None:
        http = ProviderHttp(await serve(answers(body=b"{}", Content_Encoding="gzip")))

        assert type(await fails(http)) is BadResponse
        await http.aclose()

    async def test_a_plugin_may_name_errors_itself(self, serve: Serve) -> None:
        def explain(failure: Failure) -> ProviderError:
            return Unsupported(f"{failure.status} {failure.words} {failure.kind} {failure.headers['x-trace']}")

        body = b'{"error": {"message": "m", "type": "t", "code": 7}}'
        http = ProviderHttp(await serve(answers(418, body, X_Trace="abc")), explain=explain)

        assert str(await fails(http)) == "418 m t 7 abc"
        await http.aclose()


class TestSecrets:
    @pytest.mark.parametrize("status", [400, 401, 429, 500])
    async def test_a_key_that_the_service_repeats_is_hidden(
        self, serve: Serve, status: int, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.DEBUG)
        body = json.dumps({"error": {"message": f"wrong key {KEY}", "type": KEY}}).encode()
        http = ProviderHttp(await serve(answers(status, body)), headers=HEADERS)

        error = await fails(http)

        assert KEY not in f"{error} {error!r} {error.params}"
        assert KEY not in caplog.text
        await http.aclose()

    @pytest.mark.parametrize("escape", ["\\/", "\\u002f", "\\u002F"])
    async def test_a_key_that_the_service_repeats_in_escaped_form_is_hidden(self, serve: Serve, escape: str) -> None:
        key = "bce-v3/ALTAK-s3cret/123"
        body = json.dumps({"error": {"message": f"wrong key {key}"}}).replace("/", escape).encode()
        http = ProviderHttp(await serve(answers(500, body)), headers={"Authorization": f"Bearer {key}"})

        assert str(await fails(http)).endswith("wrong key [hidden]")
        await http.aclose()

    @pytest.mark.parametrize("key", ["sk-é", "sk-\U0001f511"])
    def test_a_key_with_foreign_letters_is_told_without_it(self, key: str) -> None:
        with pytest.raises(NotConfigured) as caught:
            ProviderHttp(NOBODY, headers={"Authorization": f"Bearer {key}"})

        assert_without_key(caught.value, key)

    async def test_a_key_of_two_lines_is_told_without_it(self, serve: Serve) -> None:
        http = ProviderHttp(await serve(answers()), headers={"Authorization": "Bearer sk\nX: y"})

        error = await fails(http)

        assert type(error) is NotConfigured
        assert_without_key(error, "X: y")
        await http.aclose()

    @pytest.mark.parametrize("proxy", ["nonsense", "ftp://user:hush-hush@host", "http://user:hush-hush@host:port"])
    def test_a_wrong_proxy_is_told_without_its_password(self, proxy: str) -> None:
        with pytest.raises(NotConfigured) as caught:
            ProviderHttp("https://api.example.org", proxy=proxy)

        assert "hush" not in str(caught.value)

    @pytest.mark.parametrize("content", [None, "no certificate"])
    def test_certificates_that_cannot_be_read_are_told(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: str | None
    ) -> None:
        file = tmp_path / "ca.pem"
        if content is not None:
            file.write_text(content)
        monkeypatch.setenv("SSL_CERT_FILE", str(file))
        with pytest.raises(NotConfigured, match="SSL_CERT_FILE"):
            open_client("https://api.example.com")

    def test_a_proxy_that_needs_one_more_package_is_told(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(sys.modules, "socksio", None)

        with pytest.raises(NotConfigured, match=r"httpx\[socks\]"):
            ProviderHttp("https://api.example.org", proxy="socks5://127.0.0.1:1080")


class TestRealRequests:
    async def test_they_are_forbidden_in_tests(self) -> None:
        assert not network.real_requests_allowed()
        http = ProviderHttp("https://api.example.org")

        with pytest.raises(ConfigError, match=r"api\.example\.org is forbidden"):
            await http.get_json("/")
        await http.aclose()

    async def test_a_client_for_another_library_obeys_too(self) -> None:
        async with open_client() as client:
            with pytest.raises(ConfigError):
                await client.get("https://api.example.org")

    @pytest.mark.parametrize(
        ("value", "allowed"), [(None, True), ("", True), ("1", True), ("0", False), ("no", False), (" False ", False)]
    )
    def test_the_variable_decides(self, monkeypatch: pytest.MonkeyPatch, value: str | None, allowed: bool) -> None:
        if value is None:
            monkeypatch.delenv(network.VARIABLE)
        else:
            monkeypatch.setenv(network.VARIABLE, value)

        assert network.real_requests_allowed() is allowed

    @pytest.mark.parametrize(
        ("host", "expected"),
        [
            ("127.0.0.1", True),
            ("127.9.9.9", True),
            ("::1", True),
            ("[::1]", True),
            ("localhost", True),
            ("a.localhost", True),
            ("localhost.example.org", False),
            ("10.0.0.1", False),
            ("example.org", False),
            ("", False),
        ],
    )
    def test_which_hosts_are_this_machine(self, host: str, expected: bool) -> None:
        assert network.is_loopback(host) is expected


class TestClients:
    async def test_waits_are_limited_but_whole_answers_are_not(self) -> None:
        async with open_client(connect_seconds=7, idle_seconds=90) as client:
            assert client.timeout == httpx.Timeout(connect=7, pool=7, read=90, write=90)

    async def test_a_proxy_gets_the_requests(self, serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv(network.VARIABLE, "1")

        async def handler(request: web.BaseRequest) -> web.Response:
            return web.json_response(request.host)

        http = ProviderHttp("http://api.example.invalid", proxy=await serve(handler))

        assert await http.get_json("/models") == "api.example.invalid"
        await http.aclose()

    @pytest.mark.parametrize("variable", ["http_proxy", "ALL_PROXY"])
    async def test_the_usual_variables_name_a_proxy(
        self, serve: Serve, monkeypatch: pytest.MonkeyPatch, variable: str
    ) -> None:
        async def handler(request: web.BaseRequest) -> web.Response:
            return web.json_response(request.host)

        monkeypatch.setenv(network.VARIABLE, "1")
        monkeypatch.setenv(variable, await serve(handler))
        monkeypatch.setenv("NO_PROXY", "other.invalid")
        http = ProviderHttp("http://api.example.invalid")

        assert await http.get_json("/models") == "api.example.invalid"
        await http.aclose()

    async def test_a_server_on_this_machine_is_asked_directly(
        self, serve: Serve, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("HTTP_PROXY", NOBODY)
        http = ProviderHttp(await serve(answers()), proxy=NOBODY)

        assert await http.get_json("/") == {}
        await http.aclose()

    def test_the_package_loads_without_httpx(self) -> None:
        code = "import sys, tgllm.providers, tgllm.providers.retry, tgllm.providers.sse; print('httpx' in sys.modules)"
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

        assert done.stdout.strip() == "False"
