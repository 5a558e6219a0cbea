"""Plugin system: discovery by package metadata, loading, and isolation of failures."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tgllm.plugins.calls.time_limits import HostLimits
    from tgllm.plugins.discovery import FoundPlugin, discover
    from tgllm.plugins.host import PluginHost
    from tgllm.plugins.loading.assemble import PluginChoice
    from tgllm.plugins.loading.contexts import HostServices
    from tgllm.plugins.loading.records import PluginRecord
    from tgllm.plugins.loading.settings import PluginSettingsSource
    from tgllm.plugins.owned import OwnedCommand, OwnedFileHandler, OwnedJob, OwnedProvider, OwnedTranscriber

__all__ = [
    "FoundPlugin",
    "HostLimits",
    "HostServices",
    "OwnedCommand",
    "OwnedFileHandler",
    "OwnedJob",
    "OwnedProvider",
    "OwnedTranscriber",
    "PluginChoice",
    "PluginHost",
    "PluginRecord",
    "PluginSettingsSource",
    "discover",
]

_MODULES = (
    "calls.time_limits",
    "discovery",
    "owned",
    "loading.settings",
    "loading.contexts",
    "loading.records",
    "loading.assemble",
    "host",
)
"""Modules that are searched for a name, in this order; the last ones import most."""


def __getattr__(name: str) -> object:
    """Load a name on first access: a process that reads a file imports a built-in handler, and not the host."""
    for part in _MODULES if name in __all__ else ():
        module = import_module(f"{__name__}.{part}")
        if name in module.__all__:
            found = globals()[name] = getattr(module, name)
            return found
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
