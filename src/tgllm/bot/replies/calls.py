"""The command or press that is being handled, for messages that a plugin sends meanwhile."""

from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

__all__ = ["PluginCall", "current_call", "handling_call"]


@dataclass(slots=True)
class PluginCall:
    """A call of a plugin for an update."""

    turn_id: str
    """The same for each attempt to handle the update."""
    lane: str
    user_id: int
    plugin_id: str
    sent: int = 0
    """Messages without a key that were sent so far."""
    is_over: bool = False
    """Whether the plugin has ended it; tasks that it has started may still run."""

    def next_key(self) -> str:
        """Return a key for the next message without one, so that a repetition after a crash does not send it again."""
        self.sent += 1
        # No key of a plugin has a control character.
        return f"\x01{self.turn_id}:{self.sent}"


_CURRENT: ContextVar[PluginCall | None] = ContextVar("tgllm_plugin_call", default=None)


def current_call(plugin_id: str) -> PluginCall | None:
    """Return the call of that plugin that is being handled; None outside of one."""
    call = _CURRENT.get()
    return call if call is not None and call.plugin_id == plugin_id else None


@contextmanager
def handling_call(call: PluginCall) -> Generator[None]:
    """Note that a call is being handled, for the code that runs within, and for the tasks that it starts."""
    token = _CURRENT.set(call)
    try:
        yield
    finally:
        call.is_over = True
        _CURRENT.reset(token)
