"""Providers, commands, file handlers, transcribers, jobs and tools, each with its plugin."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tgllm.api.commands import ChatCommand
from tgllm.api.context import PluginContext
from tgllm.api.files import FileHandler, Transcriber
from tgllm.api.jobs import JobSpec
from tgllm.api.provider import ProviderSpec

if TYPE_CHECKING:
    from tgllm.api.tools import ToolSpec

__all__ = ["OwnedCommand", "OwnedFileHandler", "OwnedJob", "OwnedProvider", "OwnedTool", "OwnedTranscriber"]


@dataclass(frozen=True, slots=True)
class OwnedProvider:
    """A provider, with the plugin context to create it."""

    spec: ProviderSpec
    plugin_id: str
    context: PluginContext


@dataclass(frozen=True, slots=True)
class OwnedCommand:
    """A chat command, with the plugin context to call it."""

    command: ChatCommand
    plugin_id: str
    context: PluginContext


@dataclass(frozen=True, slots=True)
class OwnedFileHandler:
    """A file handler, with its plugin context."""

    handler: FileHandler
    plugin_id: str
    context: PluginContext


@dataclass(frozen=True, slots=True)
class OwnedJob:
    """A job, with the plugin context to run it."""

    job: JobSpec
    plugin_id: str
    context: PluginContext


@dataclass(frozen=True, slots=True)
class OwnedTranscriber:
    """A transcriber, with its plugin context."""

    transcriber: Transcriber
    plugin_id: str
    context: PluginContext


@dataclass(frozen=True, slots=True)
class OwnedTool:
    """A tool, with its plugin context."""

    tool: "ToolSpec"
    plugin_id: str
    context: PluginContext
