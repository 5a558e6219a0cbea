"""Record of the blocks of the event loop in this run."""

from dataclasses import dataclass

from tgllm.plugins.holds.owners import Place

__all__ = ["Hold", "HoldLog"]


@dataclass(frozen=True, slots=True)
class Hold:
    """A block of the event loop."""

    place: Place
    began: float
    """UTC in seconds since 1970."""
    seconds: float
    """So far, or in the end."""


class HoldLog:
    """The last block of each plugin, and their number."""

    def __init__(self) -> None:
        """Create an empty log."""
        self._last: dict[str, Hold] = {}
        self._counts: dict[str, int] = {}

    def note(self, hold: Hold) -> None:
        """Record a block, or the present state of the last one of the same plugin."""
        plugin_id = hold.place.plugin_id
        before = self._last.get(plugin_id)
        if before is None or before.began != hold.began:
            self._counts[plugin_id] = self._counts.get(plugin_id, 0) + 1
        self._last[plugin_id] = hold

    def last(self, plugin_id: str) -> Hold | None:
        """Return the last block by a plugin, or by ``core``."""
        return self._last.get(plugin_id)

    def count(self, plugin_id: str) -> int:
        """Return the number of blocks by a plugin, or by ``core``."""
        return self._counts.get(plugin_id, 0)
