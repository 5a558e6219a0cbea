"""Types of the plugin fixtures, and plugins made by tests."""

import zipfile
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from tgllm import hookimpl
from tgllm.api import ChatCommand, CommandCall, PluginContext, PluginInfo, Press, ProviderSpec
from tgllm.plugins.discovery import FoundPlugin
from tgllm.plugins.host import PluginHost
from tgllm.plugins.loading.records import PluginRecord
from tgllm.testing.scripted import GivenPlugin

LoadHost = Callable[..., Awaitable[PluginHost]]
"""Loads plugins; the arguments depend on the folder of the tests."""
FindRecord = Callable[[PluginHost, str], PluginRecord]
"""The record of a plugin by its id."""
Offer = Callable[..., FoundPlugin]
"""A plugin with these providers."""


class Offering:
    """A plugin that offers given providers and does nothing else."""

    def __init__(self, *specs: ProviderSpec, plugin_id: str = "given") -> None:
        self._id = plugin_id
        self._specs = specs

    @hookimpl
    def tgllm_plugin_info(self) -> PluginInfo:
        return PluginInfo(id=self._id, title=self._id, api="1.0")

    @hookimpl
    def tgllm_providers(self) -> Sequence[ProviderSpec]:
        return self._specs


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


def write_distribution(
    folder: Path,
    name: str,
    groups: Mapping[str, Mapping[str, str]],
    modules: Mapping[str, str],
    *,
    version: str = "1.0",
    summary: str = "For tests.",
) -> None:
    """Put a distribution into a folder as pip would: its metadata, its entry points by group, and its modules."""
    info = folder / f"{name.replace('-', '_')}-{version}.dist-info"
    info.mkdir(parents=True)
    header = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\nSummary: {summary}\n"
    (info / "METADATA").write_text(header, encoding="utf-8")
    sections = (
        f"[{group}]\n" + "".join(f"{key} = {value}\n" for key, value in points.items())
        for group, points in groups.items()
    )
    (info / "entry_points.txt").write_text("\n".join(sections), encoding="utf-8")
    for module, source in modules.items():
        (folder / f"{module}.py").write_text(source, encoding="utf-8")


def write_wheel(
    folder: Path,
    name: str,
    version: str,
    *,
    requires: Sequence[str] = (),
    groups: Mapping[str, Mapping[str, str]] | None = None,
    modules: Mapping[str, str] | None = None,
    headers: Sequence[str] = (),
) -> Path:
    """Write a wheel: its requirements, its entry points by group, and its files."""
    folder.mkdir(parents=True, exist_ok=True)
    stem = f"{name.replace('-', '_')}-{version}"
    lines = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}", "Summary: For tests.", *headers]
    metadata = "\n".join([*lines, *(f"Requires-Dist: {each}" for each in requires)]) + "\n"
    points = (
        f"[{group}]\n" + "".join(f"{key} = {value}\n" for key, value in entries.items())
        for group, entries in (groups or {}).items()
    )
    files = {
        **(modules or {}),
        f"{stem}.dist-info/METADATA": metadata,
        f"{stem}.dist-info/WHEEL": "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{stem}.dist-info/entry_points.txt": "\n".join(points),
    }
    record = "".join(f"{file},,\n" for file in (*files, f"{stem}.dist-info/RECORD"))
    path = folder / f"{stem}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as wheel:
        for file, text in {**files, f"{stem}.dist-info/RECORD": record}.items():
            wheel.writestr(file, text)
    return path
