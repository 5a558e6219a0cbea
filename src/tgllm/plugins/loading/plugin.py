"""One plugin as the host holds it."""

from dataclasses import dataclass
from typing import Literal

from tgllm.api.context import PluginContext
from tgllm.plugins.discovery import FoundPlugin
from tgllm.plugins.loading.offers import Offers
from tgllm.plugins.loading.registration import Implementation

__all__ = ["LoadedPlugin", "PluginState"]

PluginState = Literal["active", "quarantined", "disabled", "missing", "misconfigured"]


@dataclass(slots=True)
class LoadedPlugin:
    """A plugin and what is known of it; only the host and the loader change it."""

    found: FoundPlugin
    state: PluginState = "active"
    reason: str = ""
    """Why it is not active, in one sentence."""
    notes: tuple[str, ...] = ()
    """What is wrong with it although it is active, in sentences."""
    context: PluginContext | None = None
    """Present whenever the plugin is active."""
    implementations: tuple[Implementation, ...] = ()
    offers: Offers = Offers()  # noqa: RUF009  immutable
    hooks: tuple[str, ...] = ()
    """The hooks that it has, or had when it was last seen in order; sorted."""
    api: str = ""
    """The version of the contract that it asks for; empty where it is not known."""

    @property
    def id(self) -> str:
        """The plugin's id."""
        return self.found.id

    @property
    def is_active(self) -> bool:
        """Whether the plugin takes part."""
        return self.state == "active"

    def stop(self, state: PluginState, reason: str) -> None:
        """Take the plugin out; the first reason stands."""
        if self.is_active:
            self.state = state
            self.reason = reason
