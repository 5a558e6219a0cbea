"""What the host reads of the plugin before it calls anything else."""

from importlib.metadata import entry_points

import pluggy

from tgllm import hookspecs
from tgllm.api.version import API_VERSION, ApiVersion
from tgllm_mistral import plugin
from tgllm_mistral.settings import Settings


def test_the_entry_point_loads_the_plugin() -> None:
    (found,) = entry_points(group="tgllm", name="mistral")

    assert found.load() is plugin


def test_every_hook_is_one_that_the_contract_knows() -> None:
    manager = pluggy.PluginManager("tgllm")
    manager.add_hookspecs(hookspecs)

    manager.register(plugin)

    manager.check_pending()


def test_info_is_served_by_this_version_of_the_contract() -> None:
    info = plugin.tgllm_plugin_info()

    assert info.id == "mistral"
    assert info.title
    assert API_VERSION.serves(ApiVersion.parse(info.api))
    assert info.settings is Settings


def test_the_key_has_the_name_that_people_know() -> None:
    assert plugin.tgllm_plugin_info().env == {"api_key": "MISTRAL_API_KEY"}
    assert "api_key" in Settings.model_fields
