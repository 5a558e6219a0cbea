"""Hooks of the MCP plugin. The SDK is imported only if there is a server."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tgllm import hookimpl
from tgllm.api.commands import ChatCommand
from tgllm.api.context import Check, PluginContext, PluginInfo
from tgllm_mcp.settings import Settings

if TYPE_CHECKING:
    from tgllm_mcp.servers import Servers

__all__ = ["tgllm_commands", "tgllm_doctor", "tgllm_plugin_info", "tgllm_shutdown", "tgllm_startup"]

_open: "dict[int, Servers]" = {}
"""By the identity of the context, which the value keeps."""


@hookimpl
def tgllm_plugin_info() -> PluginInfo:
    """Return the description of the plugin."""
    return PluginInfo(id="mcp", title="MCP", api="1.2", settings=Settings, texts=Path(__file__).parent / "texts")


@hookimpl
def tgllm_commands(ctx: PluginContext) -> Sequence[ChatCommand]:
    """Return ``/mcp``, if there is a server."""
    if not _settings(ctx).used:
        return ()
    from tgllm_mcp.chat import command  # noqa: PLC0415  without servers there is no command

    return (command(ctx, lambda: _open.get(id(ctx))),)


@hookimpl
async def tgllm_startup(ctx: PluginContext) -> None:
    """Connect to the servers; the tools of those that are slow come later."""
    if not _settings(ctx).used:
        return
    from tgllm_mcp.servers import Servers  # noqa: PLC0415  most commands of the shell connect to no server

    servers = _open[id(ctx)] = Servers(ctx)
    await servers.start()


@hookimpl
async def tgllm_shutdown(ctx: PluginContext) -> None:
    """End the connections, and the programs."""
    if servers := _open.pop(id(ctx), None):
        await servers.aclose()


@hookimpl
def tgllm_doctor(ctx: PluginContext) -> Sequence[Check]:
    """Check the settings of each server, without connecting."""
    from tgllm_mcp.checks import checks  # noqa: PLC0415  needed by tgllm doctor only

    return checks(_settings(ctx))


def _settings(ctx: PluginContext) -> Settings:
    return ctx.settings if isinstance(ctx.settings, Settings) else Settings()
