"""Names that people know, and what the plugin says without a key."""

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
    (check,) = checks(**settings)

    assert check.state == state
