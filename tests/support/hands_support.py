"""A plugin whose commands, buttons and start do what a test says."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from tgllm import hookimpl
from tgllm.api import ChatCommand, CommandCall, PluginContext, PluginInfo, Press
from tgllm.testing.scripted import GivenPlugin

__all__ = ["Hands", "plain"]

OnCall = Callable[[CommandCall], Awaitable[Any]]
OnPress = Callable[[PluginContext, Press], Awaitable[Any]]
OnStart = Callable[[PluginContext], Awaitable[None]]


async def _nothing(*_: object) -> None:
    return None


class Hands:
    """The plugin: ``/do`` calls ``on_call``, a press ``on_press``, and the start ``on_start``."""

    def __init__(
        self,
        on_call: OnCall = _nothing,
        on_press: OnPress = _nothing,
        on_start: OnStart = _nothing,
        *,
        plugin_id: str = "hands",
        command: str = "do",
        api: str = "1.1",
    ) -> None:
        self.on_call, self.on_press, self.on_start = on_call, on_press, on_start
        self.calls: list[CommandCall] = []
        self.presses: list[Press] = []
        self.ctx: PluginContext | None = None
        self._id, self._command, self._api = plugin_id, command, api

    @property
    def context(self) -> PluginContext:
        """The context of the last start."""
        assert self.ctx is not None
        return self.ctx

    @property
    def found(self) -> GivenPlugin:
        """The plugin as an installed one."""
        return GivenPlugin.of(self._id, self)

    @hookimpl
    def tgllm_plugin_info(self) -> PluginInfo:
        return PluginInfo(self._id, "Hands", self._api)

    @hookimpl
    def tgllm_commands(self) -> Sequence[ChatCommand]:
        return (ChatCommand(self._command, "Do it", self._call),)

    @hookimpl
    async def tgllm_startup(self, ctx: PluginContext) -> None:
        self.ctx = ctx
        await self.on_start(ctx)

    @hookimpl
    async def tgllm_button(self, ctx: PluginContext, press: Press) -> Any:
        self.presses.append(press)
        return await self.on_press(ctx, press)

    async def _call(self, call: CommandCall) -> Any:
        self.calls.append(call)
        return await self.on_call(call)


def plain(plugin: object, plugin_id: str = "hands") -> GivenPlugin:
    """Any object with hooks as an installed plugin."""
    return GivenPlugin.of(plugin_id, plugin)
