"""What the host reads of the plugin before it calls anything else."""

from importlib.metadata import entry_points
from types import SimpleNamespace
from typing import Any

import pluggy
import pytest

from tgllm import hookspecs
from tgllm.api import NotConfigured
from tgllm.api.version import API_VERSION, ApiVersion
from tgllm_dipseek import plugin
from tgllm_dipseek.settings import Settings


def test_the_entry_point_loads_the_plugin() -> None:
    (found,) = entry_points(group="tgllm", name="dipseek")

    assert found.load() is plugin


def test_every_hook_is_one_that_the_contract_knows() -> None:
    manager = pluggy.PluginManager("tgllm")
    manager.add_hookspecs(hookspecs)

    manager.register(plugin)

    manager.check_pending()


def test_info_is_served_by_this_version_of_the_contract() -> None:
    info = plugin.tgllm_plugin_info()

    assert info.id == "dipseek"
    assert info.title
    assert API_VERSION.serves(ApiVersion.parse(info.api))
    assert info.settings is Settings


def test_the_key_has_the_name_that_people_know() -> None:
    assert plugin.tgllm_plugin_info().env == {"api_key": "DEEPSEEK_API_KEY"}
    assert "api_key" in Settings.model_fields


def context(**settings: object) -> Any:
    return SimpleNamespace(settings=Settings.model_validate(settings))


def test_the_provider_goes_by_two_names() -> None:
    (spec,) = plugin.tgllm_providers()

    assert (spec.id, spec.aliases) == ("dipseek", ("deepseek",))


@pytest.mark.parametrize("settings", [{}, {"api_key": ""}, {"api_key": " \n"}])
def test_without_a_key_it_is_not_configured(settings: dict[str, object]) -> None:
    (spec,) = plugin.tgllm_providers()

    with pytest.raises(NotConfigured, match="DEEPSEEK_API_KEY"):
        spec.create(context(**settings))


def test_doctor_says_whether_there_is_a_key() -> None:
    (missing,) = plugin.tgllm_doctor(context())
    (present,) = plugin.tgllm_doctor(context(api_key="s3cret"))

    assert missing.state == "not configured"
    assert "DEEPSEEK_API_KEY" in missing.detail
    assert present.state == "ok"
    assert "s3cret" not in repr(present)
