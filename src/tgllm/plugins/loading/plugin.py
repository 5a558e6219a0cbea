"""State of a plugin in the host."""

from dataclasses import dataclass
from typing import Literal

from tgllm.api.context import PluginContext, PluginInfo
from tgllm.plugins.discovery import FoundPlugin
from tgllm.plugins.loading.offers import Offers
from tgllm.plugins.loading.registration import Implementation

__all__ = ["LoadedPlugin", "PluginState"]

PluginState = Literal["active", "quarantined", "disabled", "missing", "misconfigured"]


@dataclass(slots=True)
class LoadedPlugin:
    """A plugin and its state; changed only by the host and the loader."""

    found: FoundPlugin
    state: PluginState = "active"
    reason: str = ""
    """Why it is not active, as one sentence."""
    failure: BaseException | None = None
    """Why it was quarantined, if an exception is known."""
    at: str = ""
    """File and line of its code that is to blame, such as ``plugin.py:41``; empty if unknown."""
    notes: tuple[str, ...] = ()
    """Problems of an active plugin, one sentence each."""
    left_out: tuple[str, ...] = ()
    """Offers that are left out because their names are taken, one sentence each."""
    context: PluginContext | None = None
    """Present whenever the plugin is active."""
    implementations: tuple[Implementation, ...] = ()
    offers: Offers = Offers()  # noqa: RUF009  immutable
    hooks: tuple[str, ...] = ()
    """Sorted names of its hooks; from an earlier run if they can't be read."""
    api: str = ""
    """Version of the plugin API that it requires; empty if unknown."""
    title: str = ""
    """Empty if unknown."""
    info: PluginInfo | None = None
    """Its description; None if it can't be read."""

    @property
    def id(self) -> str:
        """The plugin's id."""
        return self.found.id

    @property
    def is_active(self) -> bool:
        """Whether the plugin is in use."""
        return self.state == "active"

    def stop(self, state: PluginState, reason: str, failure: BaseException | None = None) -> None:
        """Make the plugin inactive; a second call does not change the reason."""
        if self.is_active:
            self.state = state
            self.reason = reason
            self.failure = failure
            if failure is not None:
                from tgllm.plugins.calls.places import place_of_error  # noqa: PLC0415  only for a plugin that fails

                self.at = place_of_error(failure, self.found)
