"""Tools that plugins add while they run."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from tgllm.api.tools import ToolSpec
from tgllm.plugins.calls.outcome import Breach
from tgllm.plugins.checks.tools import check_tool
from tgllm.plugins.checks.values import check_list

__all__ = ["LiveTools", "PluginTools"]

_MOST = 500
"""Most tools of one group."""


@dataclass(slots=True)
class LiveTools:
    """The tools that plugins have added, by plugin and group."""

    taken: Callable[[], Iterable[tuple[str, str]]] = lambda: ()
    """Names of the tools of ``tgllm_tools``, each with the id of its plugin."""
    revision: int = 0
    """Number that increases with each change."""
    groups: dict[tuple[str, str], tuple[ToolSpec, ...]] = field(
        default_factory=dict[tuple[str, str], tuple[ToolSpec, ...]]
    )

    def of(self, plugin_id: str) -> Iterable[ToolSpec]:
        """Yield the tools of a plugin."""
        for (owner, _), tools in self.groups.items():
            if owner == plugin_id:
                yield from tools


class PluginTools:
    """The live tools of one plugin; see ``tgllm.api.Tools``."""

    def __init__(self, plugin_id: str, live: LiveTools) -> None:
        self._plugin_id = plugin_id
        self._live = live

    def replace(self, tools: Sequence[ToolSpec], group: str = "") -> Sequence[str]:
        """Replace the tools of a group; see ``Tools.replace``."""
        key = (self._plugin_id, group)
        owners = dict(self._live.taken())
        for (plugin, other), known in self._live.groups.items():
            if (plugin, other) != key:
                owners.update((tool.name, plugin) for tool in known)
        kept: dict[str, ToolSpec] = {}
        left_out: list[str] = []
        try:
            given = check_list("ctx.tools.replace", tools, ToolSpec)
        except Breach as error:
            return (str(error),)
        for tool in given:
            try:
                check_tool(tool)
            except (Breach, AttributeError, TypeError, ValueError) as error:
                left_out.append(str(error))
                continue
            if tool.name in owners or tool.name in kept:
                owner = owners.get(tool.name, self._plugin_id)
                left_out.append(f"tool {tool.name} is taken by the plugin {owner}, so it is left out")
            elif len(kept) >= _MOST:
                left_out.append(f"tool {tool.name} is left out: the limit of a group is {_MOST}")
            else:
                kept[tool.name] = tool
        self._live.groups.pop(key, None)
        if kept:
            self._live.groups[key] = tuple(kept.values())
        self._live.revision += 1
        return tuple(left_out)
