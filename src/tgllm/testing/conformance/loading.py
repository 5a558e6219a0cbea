"""Loads a plugin and creates its provider as the bot does."""

import asyncio
import importlib
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from tgllm.api import PluginInfo, Provider
from tgllm.i18n import Catalogue
from tgllm.plugins.host import PluginHost
from tgllm.plugins.owned import OwnedProvider
from tgllm.testing.clock import HurriedClock
from tgllm.testing.conformance.checking import check
from tgllm.testing.conformance.recording import RecordedLog
from tgllm.testing.scripted import GivenPlugin

__all__ = ["create", "loaded", "plugin_info"]


class _Settings:
    def __init__(self, plugin_id: str, values: Mapping[str, object]) -> None:
        self._plugin_id = plugin_id
        self._values = values

    def for_plugin(self, plugin_id: str, env_names: Mapping[str, str], /) -> Mapping[str, object]:  # noqa: ARG002  nothing is read from the environment
        return self._values if plugin_id == self._plugin_id else {}


def _import(plugin: str) -> object:
    """Import ``package.module`` or ``package.module:attribute``, as an entry point names it."""
    module, _, attribute = plugin.partition(":")
    loaded = importlib.import_module(module)
    return getattr(loaded, attribute) if attribute else loaded


def plugin_info(plugin: str) -> PluginInfo:
    """What a plugin says of itself.

    Raises:
        AssertionError: it says nothing.
    """
    say = getattr(_import(plugin), "tgllm_plugin_info", None)
    check(callable(say), f"{plugin} has no tgllm_plugin_info, the one hook that every plugin must have")
    info = say() if callable(say) else None
    if not isinstance(info, PluginInfo):
        raise AssertionError(f"tgllm_plugin_info of {plugin} returns no PluginInfo")  # noqa: TRY004  a finding, not a misuse
    return info


@asynccontextmanager
async def _hosted(
    plugin: str, settings: Mapping[str, object], data_dir: Path, log: RecordedLog
) -> AsyncGenerator[PluginHost]:
    """A host with that plugin in it, beside the built-in ones unless it is one of them."""
    info = plugin_info(plugin)
    host = await PluginHost.load(
        [GivenPlugin.of(info.id, _import(plugin))],
        data_dir=data_dir,
        clock=HurriedClock(),
        texts=Catalogue(),
        logs=lambda _name: log,
        settings=_Settings(info.id, settings),
        builtin=not plugin.startswith("tgllm.plugins.builtin."),
    )
    async with host:
        yield host


@asynccontextmanager
async def loaded(
    plugin: str, settings: Mapping[str, object], data_dir: Path, log: RecordedLog
) -> AsyncGenerator[OwnedProvider]:
    """The first provider of a plugin, not yet created.

    Raises:
        AssertionError: the plugin can't be loaded, or brings none.
    """
    plugin_id = plugin_info(plugin).id
    async with _hosted(plugin, settings, data_dir, log) as host:
        (record,) = (record for record in host.records if record.id == plugin_id)
        check(record.state == "active", f"the plugin is {record.state}: {record.reason}")
        mine = [owned for owned in host.providers if owned.plugin_id == plugin_id]
        check(mine, f"{plugin} offers no provider")
        yield mine[0]


async def create(owned: OwnedProvider) -> Provider:
    """Create a provider as the bot does: in a thread, where no event loop runs."""
    return await asyncio.to_thread(owned.spec.create, owned.context)
