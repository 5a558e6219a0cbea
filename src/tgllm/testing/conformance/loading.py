"""Loading of a plugin and creation of its provider, as in the bot."""

import asyncio
import importlib
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from tgllm.api import Check, Clock, FileHandler, PluginInfo, Provider
from tgllm.i18n import Catalogue
from tgllm.plugins.host import PluginHost
from tgllm.plugins.loading.assemble import PluginChoice
from tgllm.plugins.loading.contexts import HostServices
from tgllm.plugins.loading.records import PluginRecord
from tgllm.plugins.owned import OwnedFileHandler, OwnedProvider
from tgllm.services.files.handlers import matching
from tgllm.services.files.types import true_type
from tgllm.testing.clock import HurriedClock
from tgllm.testing.conformance.checking import check
from tgllm.testing.conformance.recording import RecordedLog
from tgllm.testing.scripted import GivenPlugin

__all__ = ["create", "doctor", "file_handlers", "import_plugin", "loaded", "plugin_info", "reader_of", "record"]


class _Settings:
    def __init__(self, plugin_id: str, values: Mapping[str, object]) -> None:
        self._plugin_id = plugin_id
        self._values = values

    def for_plugin(self, plugin_id: str, env_names: Mapping[str, str], /) -> Mapping[str, object]:  # noqa: ARG002  nothing is read from the environment
        return self._values if plugin_id == self._plugin_id else {}


def import_plugin(plugin: str) -> object:
    """Import the object reference of an entry point: ``package.module`` or ``package.module:attribute``."""
    module, _, attribute = plugin.partition(":")
    loaded = importlib.import_module(module)
    return getattr(loaded, attribute) if attribute else loaded


def plugin_info(plugin: str) -> PluginInfo:
    """Return the plugin's ``PluginInfo``.

    Raises:
        AssertionError: the hook is missing, or returns something else.
    """
    say = getattr(import_plugin(plugin), "tgllm_plugin_info", None)
    check(callable(say), f"{plugin} has no tgllm_plugin_info, the one hook that every plugin must have")
    info = say() if callable(say) else None
    if not isinstance(info, PluginInfo):
        raise AssertionError(f"tgllm_plugin_info of {plugin} returns no PluginInfo")  # noqa: TRY004  a test failure, not a wrong argument
    return info


@asynccontextmanager
async def _hosted(
    plugin: str, settings: Mapping[str, object], data_dir: Path, log: RecordedLog, clock: Clock | None = None
) -> AsyncGenerator[PluginHost]:
    """Open a plugin host with this plugin, next to the built-in ones unless it is one of them."""
    info = plugin_info(plugin)
    host = await PluginHost.load(
        [GivenPlugin.of(info.id, import_plugin(plugin))],
        HostServices(None, data_dir, clock or HurriedClock(), Catalogue(), lambda _name: log),
        settings=_Settings(info.id, settings),
        choice=PluginChoice(builtin=not plugin.startswith("tgllm.plugins.builtin.")),
    )
    async with host:
        yield host


@asynccontextmanager
async def loaded(
    plugin: str, settings: Mapping[str, object], data_dir: Path, log: RecordedLog, clock: Clock | None = None
) -> AsyncGenerator[OwnedProvider]:
    """Load a plugin, and yield its first provider, not yet created.

    Raises:
        AssertionError: the plugin can't be loaded, or offers no provider.
    """
    plugin_id = plugin_info(plugin).id
    async with _hosted(plugin, settings, data_dir, log, clock) as host:
        found = _record(host, plugin_id)
        check(found.state == "active", f"the plugin is {found.state}: {found.reason}")
        check(not found.left_out, "; ".join(found.left_out))
        mine = [owned for owned in host.providers if owned.plugin_id == plugin_id]
        check(mine, f"{plugin} offers no provider")
        yield mine[0]


async def file_handlers(plugin: str, settings: Mapping[str, object], data_dir: Path) -> list[FileHandler]:
    """Load a plugin with these settings, and return its file handlers.

    Raises:
        AssertionError: the plugin can't be loaded, or has none.
    """
    plugin_id = plugin_info(plugin).id
    async with _hosted(plugin, settings, data_dir, RecordedLog()) as host:
        found = _record(host, plugin_id)
        check(found.state == "active", f"the plugin is {found.state}: {found.reason}")
        check(not found.left_out, "; ".join(found.left_out))
        mine = [owned.handler for owned in host.file_handlers if owned.plugin_id == plugin_id]
    check(mine, f"{plugin} offers no file handler")
    return mine


async def reader_of(
    plugin: str, settings: Mapping[str, object], data_dir: Path, path: Path, name: str
) -> tuple[str, OwnedFileHandler | None]:
    """Return the MIME type that the bot finds for a file, and the handler that it takes; None if there is none."""
    kind = await asyncio.to_thread(true_type, path, None, name)
    async with _hosted(plugin, settings, data_dir, RecordedLog()) as host:
        found = matching(host.file_handlers, kind, name)
    return kind.mime, found[0] if found else None


async def record(plugin: str, settings: Mapping[str, object], data_dir: Path) -> PluginRecord:
    """Load a plugin with these settings, and return its record."""
    async with _hosted(plugin, settings, data_dir, RecordedLog()) as host:
        return _record(host, plugin_info(plugin).id)


async def doctor(plugin: str, settings: Mapping[str, object], data_dir: Path) -> list[Check]:
    """Return the checks of the plugin's ``tgllm_doctor`` for these settings."""
    async with _hosted(plugin, settings, data_dir, RecordedLog()) as host:
        plugin_id = plugin_info(plugin).id
        return [made for owner, made in await host.doctor() if owner == plugin_id]


def _record(host: PluginHost, plugin_id: str) -> PluginRecord:
    (found,) = (one for one in host.records if one.id == plugin_id)
    return found


async def create(owned: OwnedProvider) -> Provider:
    """Create a provider as the bot does: in a thread without an event loop."""
    return await asyncio.to_thread(owned.spec.create, owned.context)
