"""The plugin with the good provider or one of the others: ``faults.plugin:Good``. It loads them when one is created."""

import functools
from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict, SecretStr

from tgllm import hookimpl
from tgllm.api import PluginContext, PluginInfo, Provider, ProviderSpec


class Settings(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
    api_key: SecretStr | None = None
    base_url: str = "https://api.example.org"
    timeout_seconds: float = 120.0
    proxy: str | None = None


class Plugin:
    def __init__(self, name: str) -> None:
        self.name = name

    @hookimpl
    def tgllm_plugin_info(self) -> PluginInfo:
        return PluginInfo("faults", "Faults", "1.2", Settings, {"api_key": "FAULTS_KEY"})

    @hookimpl
    def tgllm_providers(self) -> Sequence[ProviderSpec]:
        return [ProviderSpec("faults", "Faults", self.create)]

    def create(self, ctx: PluginContext) -> Provider:
        from faults import answers, network, requests, tools  # noqa: F401, PLC0415  a plugin loads its provider here
        from faults.good import PROVIDERS  # noqa: PLC0415  a plugin loads its provider here

        make: type = PROVIDERS[self.name]
        return make(ctx)


@functools.cache
def __getattr__(name: str) -> Plugin:
    if name.startswith("_"):
        raise AttributeError(name)
    return Plugin(name)
