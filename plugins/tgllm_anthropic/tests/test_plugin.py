"""Names that people know, and what the plugin says without a key."""

from types import SimpleNamespace
from typing import Any

import pytest

from tgllm.api import NotConfigured
from tgllm.testing.making import Make
from tgllm_anthropic import plugin
from tgllm_anthropic.settings import Settings


def test_its_names_are_those_that_people_know() -> None:
    info, (spec,) = plugin.tgllm_plugin_info(), plugin.tgllm_providers()

    assert (info.id, info.env) == ("anthropic", {"api_key": "ANTHROPIC_API_KEY"})
    assert (spec.id, spec.aliases) == ("anthropic", ("claude",))


async def test_without_a_key_the_provider_is_not_configured(make: Make) -> None:
    with pytest.raises(NotConfigured, match="ANTHROPIC_API_KEY") as caught:
        await make(api_key=None)
    assert caught.value.params == {"variable": "ANTHROPIC_API_KEY"}


def checks(**settings: Any) -> Any:
    return plugin.tgllm_doctor(SimpleNamespace(settings=Settings.model_validate(settings)))  # type: ignore[arg-type]  what it reads


@pytest.mark.parametrize(
    ("settings", "state"), [({}, "not configured"), ({"api_key": " "}, "not configured"), ({"api_key": "k"}, "ok")]
)
def test_the_doctor_says_what_is_missing(settings: dict[str, Any], state: str) -> None:
    check, *_ = checks(**settings)

    assert check.state == state


def test_the_doctor_shows_the_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", "http://user:hush@p:3128")
    monkeypatch.delenv("no_proxy", raising=False)

    _, proxy = checks(api_key="k")

    assert (proxy.name, proxy.state, proxy.detail) == ("Anthropic: proxy", "ok", "http://p:3128 (https_proxy)")
