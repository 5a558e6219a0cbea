"""The weight of a plugin's import: time, memory and modules."""

import resource
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tgllm.api.clock import Clock
from tgllm.plugins.discovery import FoundPlugin

__all__ = ["Weighed", "Weight"]

_MIB: Final = 1 << 20
_STATM: Final = Path("/proc/self/statm")


@dataclass(slots=True)
class Weight:
    """What the import of a plugin has cost."""

    clock: Clock
    seconds: float = 0.0
    mebibytes: float = 0.0
    modules: tuple[str, ...] = ()

    def measure(self, found: FoundPlugin) -> object:
        """Import a plugin, and note what that costs."""
        before, began, memory = set(sys.modules), self.clock.monotonic(), _mebibytes()
        try:
            return found.load()
        finally:
            self.seconds = self.clock.monotonic() - began
            self.mebibytes = max(0.0, _mebibytes() - memory)
            self.modules = tuple(sorted(set(sys.modules) - before))

    def libraries(self, own: str) -> list[str]:
        """Return the packages of others that the import has loaded, without the standard library and tgllm.

        Args:
            own: the module of the plugin.
        """
        tops = {name.partition(".")[0] for name in self.modules}
        return sorted(_foreign(tops, own.partition(".")[0]))


@dataclass(frozen=True, slots=True, order=True)
class Weighed(FoundPlugin):
    """A plugin whose import is measured."""

    weight: Weight = field(default_factory=lambda: Weight(_no_clock()), compare=False)

    @classmethod
    def of(cls, found: FoundPlugin, weight: Weight) -> "Weighed":
        """Return a plugin as one that is measured."""
        return cls(found.id, found.package, found.version, found.value, found.summary, found.builtin, weight)

    def load(self) -> object:
        """Import the plugin and return the object."""
        found = FoundPlugin(self.id, self.package, self.version, self.value, self.summary, self.builtin)
        return self.weight.measure(found)


def _no_clock() -> Clock:
    raise TypeError("a weight is needed")


def _foreign(tops: Iterable[str], own: str) -> Iterable[str]:
    known = {*sys.stdlib_module_names, own, "tgllm"}
    return (top for top in tops if top not in known and not top.startswith(("_", "sitecustomize")))


def _mebibytes() -> float:
    """Return the memory of this process; its maximum so far, where the system does not tell the present size."""
    try:
        return int(_STATM.read_text(encoding="ascii").split()[1]) * resource.getpagesize() / _MIB
    except (OSError, ValueError, IndexError):
        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return most / _MIB if sys.platform == "darwin" else most / 1024
