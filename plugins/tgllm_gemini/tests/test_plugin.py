"""Names that people know, and what the plugin says without a key."""

import sys
from types import SimpleNamespace
from typing import Any

import pytest

from tgllm.api import NotConfigured
from tgllm.testing.making import Make
from tgllm_gemini import plugin
from tgllm_gemini.settings import Settings


def test_its_names_are_those_that_people_know() -> None:
    info, (spec,) = plugin.tgllm_plugin_info(), plugin.tgllm_providers()

    assert (info.id, info.env) == ("gemini", {"api_key": "GEMINI_API_KEY"})
    assert (spec.id, spec.aliases) == ("gemini", ("google",))


def test_without_settings_it_asks_the_api() -> None:
    assert (Settings().base_url, Settings().project) == (None, None)


def checks(**settings: Any) -> Any:
    return plugin.tgllm_doctor(SimpleNamespace(settings=Settings.model_validate(settings)))  # type: ignore[arg-type]  what it reads


async def test_without_a_key_the_provider_is_not_configured(make: Make) -> None:
    with pytest.raises(NotConfigured, match="GEMINI_API_KEY") as caught:
        await make(api_key=None)
    assert caught.value.params == {"variable": "GEMINI_API_KEY"}


@pytest.mark.parametrize(
    ("settings", "state"),
    [({}, "not configured"), ({"api_key": " "}, "not configured"), ({"api_key": "k"}, "ok"), ({"project": "p"}, "ok")],
)
def test_the_doctor_says_what_is_missing(settings: dict[str, Any], state: str) -> None:
    check, *_ = checks(**settings)

    assert check.state == state


@pytest.mark.parametrize("chosen", [{"api_key": "k"}, {"project": "p"}])
def test_the_doctor_shows_the_proxy(monkeypatch: pytest.MonkeyPatch, chosen: dict[str, Any]) -> None:
    monkeypatch.setenv("https_proxy", "http://user:hush@p:3128")
    monkeypatch.setenv("no_proxy", "::1")

    _, proxy = checks(**chosen)

    assert (proxy.name, proxy.state, proxy.detail) == ("Gemini: proxy", "ok", "http://p:3128 (https_proxy)")


@pytest.mark.parametrize("exceptions", ["::1", "[::1]:8080", "fd00::/8", "fe80::1%eth0"])
async def test_no_proxy_may_have_addresses_of_ipv6(
    monkeypatch: pytest.MonkeyPatch, make: Make, exceptions: str
) -> None:
    monkeypatch.setenv("https_proxy", "http://p:3128")
    monkeypatch.setenv("no_proxy", exceptions)

    await make(base_url=None)


@pytest.mark.parametrize("value", ["socks://p:1", "http://user:hush@p:port"])
async def test_a_proxy_that_can_not_be_used_is_named(monkeypatch: pytest.MonkeyPatch, make: Make, value: str) -> None:
    monkeypatch.setitem(sys.modules, "socksio", None)
    monkeypatch.setenv("https_proxy", value)

    with pytest.raises(NotConfigured, match=r"^https_proxy is ") as caught:
        await make(base_url=None)
    assert "hush" not in f"{caught.value} {caught.value.params}"
