"""Plugins: found by their metadata, loaded one by one, and kept from disturbing each other or the bot."""

from tgllm.plugins.discovery import FoundPlugin, discover
from tgllm.plugins.host import PluginHost
from tgllm.plugins.limits import HostLimits
from tgllm.plugins.owned import OwnedCommand, OwnedFileHandler, OwnedJob, OwnedProvider
from tgllm.plugins.records import PluginRecord
from tgllm.plugins.settings import PluginSettingsSource

__all__ = [
    "FoundPlugin",
    "HostLimits",
    "OwnedCommand",
    "OwnedFileHandler",
    "OwnedJob",
    "OwnedProvider",
    "PluginHost",
    "PluginRecord",
    "PluginSettingsSource",
    "discover",
]
