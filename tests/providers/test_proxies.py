"""Which proxy a request takes, and what is said about one that can't be used."""

import os
import sys

import httpx
import pytest
from aiohttp import web

from http_support import Serve
from tgllm.api import NotConfigured, Unavailable
from tgllm.providers.http import ProviderHttp, open_client
from tgllm.providers.network import VARIABLE
from tgllm.providers.proxies import find_proxy, proxy_check

API = "https://api.example.org"
SECRET = "hush-hush"


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    # The requests below go to names that don't exist, through servers of this machine.
    monkeypatch.setenv(VARIABLE, "1")
    for name in list(os.environ):
        if name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)


def shown(url: str = API) -> str:
    return str(find_proxy(url) or "none")


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({}, "none"),
        ({"HTTPS_PROXY": "http://p:3128"}, "http://p:3128 (HTTPS_PROXY)"),
        ({"https_proxy": "http://p:3128"}, "http://p:3128 (https_proxy)"),
        ({"https_proxy": "http://low:1", "HTTPS_PROXY": "http://up:2"}, "http://low:1 (https_proxy)"),
        ({"HTTP_PROXY": "http://p:3128"}, "none"),
        ({"ALL_PROXY": "http://p:3128"}, "http://p:3128 (ALL_PROXY)"),
        ({"all_proxy": "p:3128"}, "http://p:3128 (all_proxy)"),
        ({"HTTPS_PROXY": "p.corp:3128"}, "http://p.corp:3128 (HTTPS_PROXY)"),
        ({"HTTPS_PROXY": "  http://p:3128  "}, "http://p:3128 (HTTPS_PROXY)"),
        ({"HTTPS_PROXY": " "}, "none"),
        ({"HTTPS_PROXY": "HTTPS://P:443"}, "https://p:443 (HTTPS_PROXY)"),
        ({"HTTPS_PROXY": f"http://user:{SECRET}@p:3128"}, "http://p:3128 (HTTPS_PROXY)"),
        ({"HTTPS_PROXY": f"http://user:{SECRET}@x@p:3128/"}, "http://p:3128 (HTTPS_PROXY)"),
        ({"HTTPS_PROXY": "http://[::1]:3128"}, "http://[::1]:3128 (HTTPS_PROXY)"),
        ({"HTTPS_PROXY": "http://p", "ALL_PROXY": "socks://p:port"}, "http://p (HTTPS_PROXY)"),
        ({"HTTPS_PROXY": "broken://", "NO_PROXY": "example.org"}, "none"),
    ],
)
def test_a_variable_names_the_proxy(monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], expected: str) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)

    assert shown() == expected


@pytest.mark.parametrize("name", ["NO_PROXY", "no_proxy"])
@pytest.mark.parametrize(
    ("entries", "url", "is_direct"),
    [
        ("*", API, True),
        ("example.org", API, True),
        (".example.org", API, True),
        ("*.example.org", API, True),
        ("EXAMPLE.ORG.", API, True),
        ("a.b, api.example.org", API, True),
        ("a.b api.example.org", API, True),
        ("ample.org", API, False),
        ("api.example.org:443", API, True),
        ("api.example.org:8443", API, False),
        ("https://api.example.org", API, True),
        ("::1", API, False),
        ("::1", "https://[2001:db8::5]", False),
        ("[::1]:8080", API, False),
        ("[2001:db8::5]:443", "https://[2001:db8::5]", True),
        ("[2001:db8::5]:8080", "https://[2001:db8::5]", False),
        ("[2001:db8::5]", "https://[2001:db8::5]", True),
        ("2001:db8::/32", "https://[2001:db8::5]", True),
        ("fd00::/8,::1", "https://[2001:db8::5]", False),
        ("192.0.2.0/24", "https://192.0.2.7", True),
        ("192.0.2.7", "https://192.0.2.7", True),
        ("192.0.2.7:443", "https://192.0.2.7", True),
        ("192.0.2.0/24", "https://198.51.100.1", False),
        ("fe80::1%eth0,[,],:,/,%,::1/999", API, False),
    ],
)
def test_exceptions(monkeypatch: pytest.MonkeyPatch, name: str, entries: str, url: str, is_direct: bool) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://p:3128")
    monkeypatch.setenv(name, entries)

    assert (shown(url) == "none") is is_direct


@pytest.mark.parametrize("url", ["http://127.0.0.1:1", "http://localhost:1", "http://[::1]:1"])
def test_this_machine_needs_none(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("ALL_PROXY", "broken://")

    assert find_proxy(url, "broken://") is None


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (f"http://user:{SECRET}@p:port", "valid address"),
        (f"http://user:{SECRET}@p:99999", "valid address"),
        (f"http://user:{SECRET}@p:0", "valid address"),
        (f"http://user:{SECRET}@a b:80", "valid address"),
        (f"http://user:{SECRET}@", "valid address"),
        (f"http://user:{SECRET}@[::1", "valid address"),
        (f"http:://user:{SECRET}@p", "valid address"),
        ("http://", "valid address"),
        (f"ftp://user:{SECRET}@p", "unknown kind"),
        (f"socks4://user:{SECRET}@p", "unknown kind"),
        (f"socks://user:{SECRET}@p:1080", r"SOCKS proxy, which needs one more package: pip install 'httpx\[socks\]'"),
        (f"socks5h://user:{SECRET}@p:1080", "SOCKS proxy"),
        (f"SOCKS5://user:{SECRET}@p:1080", "SOCKS proxy"),
    ],
)
@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "all_proxy"])
def test_one_that_can_not_be_used_is_named_without_its_value(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, words: str
) -> None:
    monkeypatch.setitem(sys.modules, "socksio", None)
    monkeypatch.setenv(variable, value)

    with pytest.raises(NotConfigured, match=words) as caught:
        ProviderHttp(API, headers={"Authorization": "Bearer k-12345"})
    assert str(caught.value).startswith(f"{variable} is ")
    assert "key" not in str(caught.value)
    assert SECRET not in f"{caught.value!r} {caught.value.params}"
    assert (caught.value.code, caught.value.params["setting"]) == ("wrong_setting", variable)
    check = proxy_check("Example", API)
    assert (check.state, SECRET in check.detail, variable in check.detail) == ("failed", False, True)


@pytest.mark.parametrize("value", ["socks://p", "socks5h://p:1080", "socks5h://p"])
def test_a_socks_proxy_of_a_desktop(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: object())
    monkeypatch.setenv("ALL_PROXY", value)

    assert shown() == "socks5h://p:1080 (ALL_PROXY)"


async def test_a_login_is_sent_to_the_proxy_only(monkeypatch: pytest.MonkeyPatch, serve: Serve) -> None:
    seen: list[tuple[str, str | None]] = []

    async def handler(request: web.BaseRequest) -> web.Response:
        seen.append((str(request.raw_path), request.headers.get("Proxy-Authorization")))
        return web.json_response([])

    address = (await serve(handler)).removeprefix("http://")
    monkeypatch.setenv("http_proxy", f"http://user:p%40ss@{address}")
    monkeypatch.setenv("NO_PROXY", "::1,[::1]:8080,fd00::/8")
    http = ProviderHttp("http://api.invalid")

    assert await http.get_json("/x") == []
    assert seen == [("http://api.invalid/x", "Basic dXNlcjpwQHNz")]
    await http.aclose()


async def test_a_proxy_out_of_reach_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", f"http://user:{SECRET}@127.0.0.1:9")
    http = ProviderHttp("http://api.invalid")

    with pytest.raises(Unavailable, match=r"through the proxy http://127.0.0.1:9 \(HTTP_PROXY\)") as caught:
        await http.get_json("/")
    assert SECRET not in str(caught.value)
    await http.aclose()


async def test_a_request_to_another_host_names_the_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", f"http://user:{SECRET}@p:port")
    client = open_client(API)

    with pytest.raises(httpx.ProxyError, match="HTTP_PROXY is not a valid address"):
        await client.get("http://other.invalid/")
    await client.aclose()


@pytest.mark.parametrize(
    ("setting", "detail"),
    [(None, "none"), (f"http://user:{SECRET}@p:3128", "http://p:3128 (the setting proxy)")],
)
def test_the_doctor_shows_it(setting: str | None, detail: str) -> None:
    check = proxy_check("Example", API, setting)

    assert (check.name, check.state, check.detail) == ("Example: proxy", "ok", detail)
