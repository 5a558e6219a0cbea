"""tgllm: a framework for private LLM bots on Telegram.

Plugins import ``hookimpl``, the decorator for hook implementations, and ``__version__`` from here. The plugin API is in
``tgllm.api`` and ``tgllm.hookspecs``.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pluggy

__version__ = "0.1.0"

hookimpl: "pluggy.HookimplMarker"
"""Decorator that marks a plugin's function as the implementation of the hook with the same name."""

__all__ = ["__version__", "hookimpl"]


def __getattr__(name: str) -> object:
    """Create ``hookimpl`` on first use: shell commands that load no plugins don't import pluggy."""
    if name != "hookimpl":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import pluggy  # noqa: PLC0415  see above

    marker = globals()[name] = pluggy.HookimplMarker("tgllm")
    return marker
