"""Names that people know, and what the plugin says without a key."""

from types import SimpleNamespace
from typing import Any

import pytest

from tgllm.api import NotConfigured
from tgllm.testing.making import Make
from tgllm_mistral import plugin
from tgllm_mistral.settings import Settings


def test_its_names_are_those_that_people_know() -> None:
    info, (spec,) = plugin.tgllm_plugin_info(), plugin.tgllm_providers()

    assert (info.id, info.env) == ("mistral", {"api_key": "MISTRAL_API_KEY"})
    assert (spec.id, spec.aliases) == ("mistral", ())


def test_without_settings_it_asks_the_api() -> None:
    assert Settings().base_url.startswith("https://")


def checks(**settings: Any) -> Any:
    return plugin.tgllm_doctor(SimpleNamespace(settings=Settings.model_validate(settings)))  # type: ignore[arg-type]  what it reads


@pytest.mark.parametrize("key", ["", " \n"])
async def test_a_blank_key_is_none(make: Make, key: str) -> None:
    with pytest.raises(NotConfigured, match="MISTRAL_API_KEY"):
        await make(api_key=key)


def test_doctor_says_whether_there_is_a_key() -> None:
    (missing,) = checks()
    present, proxy = checks(api_key="s3cret", proxy="http://user:hush@p:3128")

    assert missing.state == "not configured"
    assert "MISTRAL_API_KEY" in missing.detail
    assert present.state == "ok"
    assert (proxy.state, proxy.detail) == ("ok", "http://p:3128 (the setting proxy)")
