"""What the host reads of the plugin before it calls anything else."""

from importlib.metadata import entry_points
from types import SimpleNamespace
from typing import Any

import pluggy
import pytest

from tgllm import hookspecs
from tgllm.api.clock import SystemClock
from tgllm.api.errors import NotConfigured
from tgllm.api.version import API_VERSION, ApiVersion
from tgllm_gemini import plugin
from tgllm_gemini.settings import Settings


def test_the_entry_point_loads_the_plugin() -> None:
    (found,) = entry_points(group="tgllm", name="gemini")

    assert found.load() is plugin


def test_every_hook_is_one_that_the_contract_knows() -> None:
    manager = pluggy.PluginManager("tgllm")
    manager.add_hookspecs(hookspecs)

    manager.register(plugin)

    manager.check_pending()


def test_info_is_served_by_this_version_of_the_contract() -> None:
    info = plugin.tgllm_plugin_info()

    assert info.id == "gemini"
    assert info.title
    assert API_VERSION.serves(ApiVersion.parse(info.api))
    assert info.settings is Settings


def test_the_key_has_the_name_that_people_know() -> None:
    assert plugin.tgllm_plugin_info().env == {"api_key": "GEMINI_API_KEY"}
    assert "api_key" in Settings.model_fields


def context(**settings: Any) -> Any:
    return SimpleNamespace(settings=Settings.model_validate(settings), clock=SystemClock())


def test_without_a_key_the_provider_is_not_configured() -> None:
    (spec,) = plugin.tgllm_providers()

    with pytest.raises(NotConfigured, match="GEMINI_API_KEY") as caught:
        spec.create(context())
    assert caught.value.params == {"variable": "GEMINI_API_KEY"}


@pytest.mark.parametrize(
    ("settings", "state"),
    [({}, "not configured"), ({"api_key": " "}, "not configured"), ({"api_key": "k"}, "ok"), ({"project": "p"}, "ok")],
)
def test_the_doctor_says_what_is_missing(settings: dict[str, Any], state: str) -> None:
    (check,) = plugin.tgllm_doctor(context(**settings))

    assert check.state == state
