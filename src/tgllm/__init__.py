"""tgllm: a framework for private LLM bots on Telegram.

A plugin imports two things from here: ``hookimpl``, which marks its hook implementations,
and ``__version__``. The contract itself is in ``tgllm.api`` and ``tgllm.hookspecs``.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pluggy

__version__ = "0.1.0"

hookimpl: "pluggy.HookimplMarker"
"""Marks a function of a plugin as the implementation of the hook of the same name."""

__all__ = ["__version__", "hookimpl"]


def __getattr__(name: str) -> object:
    """Make ``hookimpl`` when it is first asked for: short commands, which load no plugin, do without pluggy."""
    if name != "hookimpl":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import pluggy  # noqa: PLC0415  see above

    marker = globals()[name] = pluggy.HookimplMarker("tgllm")
    return marker
