"""Attribution of running code to plugins."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import PurePath
from types import FrameType

from tgllm.observe.redaction import redact
from tgllm.plugins.discovery import FoundPlugin

__all__ = ["CORE", "Owners", "Place", "place_of"]

CORE = "core"
"""Stands in place of a plugin's id for the program itself and its libraries."""

_MOST_FRAMES = 30


@dataclass(frozen=True, slots=True)
class Place:
    """Code that blocks the event loop."""

    plugin_id: str
    """Id of the plugin, or ``core``."""
    function: str = ""
    """Name of the function; empty if unknown."""
    at: str = ""
    """File with its folder, and line: ``tgllm_weather/plugin.py:41``."""
    stack: tuple[str, ...] = ()
    """Innermost frames, the innermost last."""


class Owners:
    """The plugins by their modules."""

    def __init__(self, found: Iterable[FoundPlugin] = ()) -> None:
        """Use the modules of the plugins' entry points."""
        self._modules = {plugin.module: plugin.id for plugin in found if plugin.module}

    def of(self, frame: FrameType | None) -> tuple[str, FrameType] | None:
        """Return the plugin whose code runs in a frame or has called it, with the innermost frame of that code."""
        while frame is not None:
            plugin_id = self.of_module(str(frame.f_globals.get("__name__")))
            if plugin_id is not None:
                return plugin_id, frame
            frame = frame.f_back
        return None

    def of_module(self, name: str) -> str | None:
        """Return the plugin that a module belongs to; None for the program and for libraries."""
        exact = self._modules.get(name)
        # Built-in plugins share the package of the program.
        if exact is not None or name == "tgllm" or name.startswith("tgllm."):
            return exact
        # Of several plugins in one namespace package, the one whose module is nearest.
        near = [(_common(name, module), plugin_id) for module, plugin_id in self._modules.items()]
        most, plugin_id = max(near, default=(0, ""))
        return plugin_id if most else None


def place_of(frame: FrameType | None, owners: Owners) -> Place:
    """Return whose code runs in a frame of the loop's thread."""
    if frame is None:
        return Place(CORE)
    plugin_id, own = owners.of(frame) or (CORE, frame)
    code = own.f_code
    at = f"{'/'.join(PurePath(code.co_filename).parts[-2:])}:{own.f_lineno}"
    return Place(plugin_id, code.co_name, at, tuple(reversed([redact(line) for line in _lines(frame)])))


def _lines(frame: FrameType | None) -> Iterator[str]:
    """Yield the places of the innermost frames; ``traceback`` would change a cache that is not thread-safe."""
    for _ in range(_MOST_FRAMES):
        if frame is None:
            return
        yield f"{frame.f_code.co_filename}:{frame.f_lineno} {frame.f_code.co_name}"
        frame = frame.f_back


def _common(name: str, module: str) -> int:
    """Return the number of leading parts that two dotted names share."""
    count = 0
    for one, other in zip(name.split("."), module.split("."), strict=False):
        if one != other:
            break
        count += 1
    return count
