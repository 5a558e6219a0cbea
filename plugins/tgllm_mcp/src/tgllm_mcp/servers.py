"""All servers of the settings, from the start of the bot to its end."""

import asyncio
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING

from tgllm.api.context import PluginContext
from tgllm_mcp.owner import Owner
from tgllm_mcp.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

__all__ = ["Servers"]

_START_SECONDS = 4.0
"""Seconds for which the start of the bot waits for servers, so that the first question has their tools; less than the
host gives a plugin at the start. Slower ones come later."""


class Servers:
    """The owners of all connections."""

    def __init__(self, ctx: PluginContext, only: "Collection[str] | None" = None) -> None:
        """Create an owner for each server that is not switched off; ``start`` connects.

        Args:
            ctx: context of the plugin.
            only: names of the servers to use; None: all.
        """
        settings = ctx.settings if isinstance(ctx.settings, Settings) else Settings()
        self._loading: asyncio.Task[ModuleType] | None = None
        self.owners: Mapping[str, Owner] = {
            name: Owner(name, server, ctx, self._load)
            for name, server in settings.used.items()
            if only is None or name in only
        }

    async def start(self) -> None:
        """Connect to all servers, and wait a while for them."""
        for owner in self.owners.values():
            owner.start()
        await self.wait(_START_SECONDS)

    async def wait(self, seconds: float) -> None:
        """Wait until each server is ready or has failed once, but not longer."""
        waits = [asyncio.ensure_future(owner.tried.wait()) for owner in self.owners.values()]
        if not waits:
            return
        try:
            await asyncio.wait(waits, timeout=seconds)
        finally:
            for wait in waits:
                wait.cancel()

    async def aclose(self) -> None:
        """End all connections, side by side."""
        await asyncio.gather(*(owner.aclose() for owner in self.owners.values()))

    async def _load(self) -> ModuleType:
        """Import the SDK once, in a thread: it takes a second, in which the bot goes on."""
        if self._loading is None:
            self._loading = asyncio.create_task(asyncio.to_thread(import_module, "tgllm_mcp.session"))
        return await asyncio.shield(self._loading)
