"""Plugin system: discovery by package metadata, loading, and isolation of failures."""

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
