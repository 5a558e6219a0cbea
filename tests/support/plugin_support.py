"""Types of the plugin fixtures, and plugins made by tests."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path

from tgllm import hookimpl
from tgllm.api import PluginInfo, ProviderSpec
from tgllm.plugins.discovery import FoundPlugin
from tgllm.plugins.host import PluginHost
from tgllm.plugins.loading.records import PluginRecord

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
