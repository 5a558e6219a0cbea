"""What plugins bring, each with the plugin that it is from."""

from dataclasses import dataclass

from tgllm.api.commands import ChatCommand
from tgllm.api.context import PluginContext
from tgllm.api.files import FileHandler
from tgllm.api.jobs import JobSpec
from tgllm.api.provider import ProviderSpec

__all__ = ["OwnedCommand", "OwnedFileHandler", "OwnedJob", "OwnedProvider"]


@dataclass(frozen=True, slots=True)
class OwnedProvider:
    """A provider and the context to create it with."""

    spec: ProviderSpec
    plugin_id: str
    context: PluginContext


@dataclass(frozen=True, slots=True)
class OwnedCommand:
    """A chat command and the context to call it with."""

    command: ChatCommand
    plugin_id: str
    context: PluginContext


@dataclass(frozen=True, slots=True)
class OwnedFileHandler:
    """A reader of files."""

    handler: FileHandler
    plugin_id: str
    context: PluginContext


@dataclass(frozen=True, slots=True)
class OwnedJob:
    """A job and the context to run it with."""

    job: JobSpec
    plugin_id: str
    context: PluginContext
