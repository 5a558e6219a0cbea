"""Downloads, and attacks on them."""

import asyncio
import gzip
import zlib
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from aiohttp import web

from tgllm.api import ToolFailed
from tgllm_web.fetching import _Body  # pyright: ignore[reportPrivateUsage]  the pieces of a network are not of one byte
from tgllm_web.guard import Guard

Fetch = Callable[..., Awaitable[Any]]


async def refusal(fetch: Fetch, url: str, **options: Any) -> str:
    with pytest.raises(ToolFailed) as caught:
        await fetch(url, **options)
    return str(caught.value)


async def test_a_page_and_what_is_sent_for_it(site: Any, fetch: Fetch) -> None:
    url = site.page("/a", "<p>Hello", "text/html; charset=utf-8", **{"Set-Cookie": "a=b"})

    await fetch(url + "?b=1#part")
    document = await fetch(url)

    first, second = site.requests
    assert (document.media_type, document.charset, document.body, document.is_whole) == (
        "text/html",
        "utf-8",
        b"<p>Hello",
        True,
    )
    assert (first.path_qs, first.headers["Host"], "Cookie" in second.headers) == ("/a?b=1", site.name, False)


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "bare deflate"])
async def test_a_compressed_page(site: Any, fetch: Fetch, encoding: str) -> None:
    text = b"Hello. " * 10_000
    body = gzip.compress(text) if encoding == "gzip" else zlib.compress(text)
    if encoding == "bare deflate":
        body = body[2:-4]
    url = site.page("/a", body, **{"Content-Encoding": encoding.removeprefix("bare ")})

    assert (await fetch(url)).body == text


async def test_redirects_are_followed_and_each_is_requested_without_cookies(site: Any, fetch: Fetch) -> None:
    site.redirect("/a", "/b")
    site.redirect("/b", f"{site.url}/c#x")
    site.page("/c", "end")

    document = await fetch(f"{site.url}/a")

    assert (document.url, document.body) == (f"{site.url}/c", b"end")


@pytest.fixture
def same_port(site: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The port of the site counts as a usual one, so that the address alone decides."""
    monkeypatch.setattr("tgllm_web.allowed._PORTS", frozenset({80, 443, site.port}))


@pytest.mark.usefixtures("same_port")
@pytest.mark.parametrize(
    "host",
    [
        *("127.0.0.1", "localhost", "2130706433", "127.1", "0x7f000001", "0177.0.0.1", "[::1]", "0", "[::]"),
        *("[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "127。0。0。1", "①②⑦.0.0.1", "169.254.169.254", "10.0.0.1"),
        *("[fe80::1]", "[64:ff9b::7f00:1]", "[2002:7f00:1::]", "evil.test", "224.0.0.1", "0.0.0.0"),
    ],
)
async def test_no_spelling_reaches_this_machine_or_its_network(
    site: Any, fetch: Fetch, host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = watch_sockets(monkeypatch)
    site.names.answers["evil.test"] = [["127.0.0.1", "10.0.0.1", "::1", "::ffff:127.0.0.1"]]
    site.page("/", "secret")
    target = f"http://{host}:{site.port}/"

    said = [await refusal(fetch, target), await refusal(fetch, site.redirect("/go", target))]

    for each in said:
        assert "private network" in each or "no such host" in each or "no URL" in each
    # The only connection is that to the redirect.
    assert made == ["127.0.0.1"]
    assert [request.path for request in site.requests] == ["/go"]


def watch_sockets(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The addresses for which sockets are made."""
    made: list[str] = []
    original = Guard.socket

    def watched(self: Guard, info: Any) -> Any:
        socket = original(self, info)
        made.append(info[4][0])
        return socket

    monkeypatch.setattr(Guard, "socket", watched)
    return made


@pytest.mark.usefixtures("same_port")
async def test_a_name_that_changes_its_address_reaches_nothing(site: Any, fetch: Fetch) -> None:
    # Only the first answer is allowed, as a name server does that lets a check pass.
    site.names.answers["rebind.test"] = [["127.0.0.1"], ["127.0.0.2"]]
    site.redirect("/a", f"http://rebind.test:{site.port}/b")
    site.page("/b", "secret")

    said = await refusal(fetch, f"http://rebind.test:{site.port}/a", allow=["127.0.0.1/32"])

    assert "private network" in said
    assert [request.path for request in site.requests] == ["/a"]


@pytest.mark.usefixtures("same_port")
async def test_of_several_addresses_only_the_allowed_ones_are_used(site: Any, fetch: Fetch) -> None:
    site.names.answers["both.test"] = [["127.0.0.2", "::1", "127.0.0.1"]]
    url = f"http://both.test:{site.port}/a"
    site.page("/a", "allowed")

    assert (await fetch(url, allow=["127.0.0.1/32"])).body == b"allowed"


async def test_in_tests_no_public_address_is_connected_to(site: Any, fetch: Fetch) -> None:
    site.names.answers["public.test"] = [["93.184.216.34"]]

    assert "private network" in await refusal(fetch, "http://public.test/")


@pytest.mark.parametrize(
    "url",
    [
        *("ftp://site.test/", "file:///etc/passwd", "site.test", "", "http://", "http:///a", "javascript:alert(1)"),
        *("http://[::1", "http://site.test:99999/", "https://" + "a" * 3000, "gopher://site.test:80/", "data:,x"),
    ],
)
async def test_what_is_no_url_of_a_page(fetch: Fetch, url: str) -> None:
    assert "no URL" in await refusal(fetch, url)


@pytest.mark.parametrize("login", ["ann@", "ann:secret@", ":@", "site.test@"])
async def test_a_url_with_a_login(site: Any, fetch: Fetch, login: str) -> None:
    target = f"http://{login}{site.name}/"

    assert "user name" in await refusal(fetch, target) or login == ":@"
    assert "user name" in await refusal(fetch, site.redirect("/go", f"http://ann:secret@{site.name}/"))


@pytest.mark.parametrize("port", [22, 25, 6379, 8080])
async def test_other_ports(fetch: Fetch, port: int) -> None:
    assert "ports 80 and 443" in await refusal(fetch, f"http://site.test:{port}/")


async def test_redirects_without_an_end(site: Any, fetch: Fetch) -> None:
    url = site.redirect("/a", "/a")

    assert "more than 5 times" in await refusal(fetch, url)
    assert len(site.requests) == 6


async def test_a_redirect_to_another_scheme(site: Any, fetch: Fetch) -> None:
    assert "no URL" in await refusal(fetch, site.redirect("/a", "file:///etc/passwd"))


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
async def test_a_bomb_is_decompressed_up_to_the_limit(site: Any, fetch: Fetch, encoding: str) -> None:
    squeeze = gzip.compress if encoding == "gzip" else zlib.compress
    url = site.page("/a", squeeze(b"0" * 200_000_000), **{"Content-Encoding": encoding})

    document = await fetch(url)

    assert (len(document.body), document.is_whole) == (1_000_000, False)


async def test_a_large_page_is_cut(site: Any, fetch: Fetch) -> None:
    url = site.page("/a", "x" * 200_000)

    cut, whole = await fetch(url, most=50_000), await fetch(url, most=200_000)

    assert (len(cut.body), cut.is_whole, len(whole.body), whole.is_whole) == (50_000, False, 200_000, True)


async def test_an_encoding_that_was_not_asked_for(site: Any, fetch: Fetch) -> None:
    assert "encoding" in await refusal(fetch, site.page("/a", b"xx", **{"Content-Encoding": "br"}))


async def test_what_is_not_compressed_as_it_says(site: Any, fetch: Fetch) -> None:
    assert "does not speak HTTP" in await refusal(fetch, site.page("/a", b"plain", **{"Content-Encoding": "gzip"}))


async def test_a_site_that_sends_a_byte_now_and_then(site: Any, fetch: Fetch, stuck: asyncio.Event) -> None:
    async def drip(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/html"})
        await response.prepare(request)
        await response.write(b"<p>")
        await stuck.wait()
        return response

    site.pages["/a"] = drip

    assert "longer than 0.3 seconds" in await refusal(fetch, f"{site.url}/a", seconds=0.3)
    stuck.set()


async def test_headers_without_an_end(site: Any, fetch: Fetch) -> None:
    url = site.page("/a", "x", **{"X-Long": "y" * 100_000})

    assert "does not speak HTTP" in await refusal(fetch, url)


@pytest.mark.parametrize(("status", "words"), [(403, "refuses programs"), (404, "no such page"), (503, "status 503")])
async def test_statuses_in_words(site: Any, fetch: Fetch, status: int, words: str) -> None:
    async def answer(request: web.Request) -> web.Response:
        return web.Response(status=status, text="secret words of the site")

    site.pages["/a"] = answer

    said = await refusal(fetch, f"{site.url}/a")
    assert words in said
    assert "secret" not in said


async def test_a_site_without_a_valid_certificate(site: Any, fetch: Fetch) -> None:
    said = await refusal(fetch, f"https://{site.name}/")

    assert "certificate" in said or "HTTP" in said


async def test_a_host_that_does_not_exist(site: Any, fetch: Fetch, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fail(*args: Any, **kwargs: Any) -> Any:
        raise OSError("no address")

    monkeypatch.setattr(site.names, "resolve", fail)

    assert "no such host" in await refusal(fetch, "http://nowhere.test/")


async def test_a_proxy_of_the_environment_is_not_used(site: Any, fetch: Fetch, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")

    assert (await fetch(site.page("/a", "direct"))).body == b"direct"


async def test_what_follows_the_end_of_a_compressed_page_is_not_read(
    site: Any, fetch: Fetch, stuck: asyncio.Event
) -> None:
    async def endless(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/html", "Content-Encoding": "gzip"})
        await response.prepare(request)
        await response.write(gzip.compress(b"short") + b"x" * 70_000)
        await stuck.wait()
        return response

    site.pages["/a"] = endless

    document = await fetch(site.url + "/a")
    stuck.set()

    assert (document.body, document.is_whole) == (b"short", True)


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "bare deflate"])
def test_a_compressed_page_in_single_bytes(encoding: str) -> None:
    text = b"Hello. " * 20
    squeezed = gzip.compress(text) if encoding == "gzip" else zlib.compress(text)
    if encoding == "bare deflate":
        squeezed = squeezed[2:-4]
    body = _Body(encoding.removeprefix("bare "), 1_000)

    more = [body.add(squeezed[at : at + 1]) for at in range(len(squeezed))]

    assert (bytes(body.data), body.is_whole, more[0]) == (text, True, True)
