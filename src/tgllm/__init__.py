"""tgllm: a framework for private LLM bots on Telegram.

Plugins import ``hookimpl``, the decorator for hook implementations, and ``__version__`` from here. The plugin API is in
``tgllm.api`` and ``tgllm.hookspecs``.
"""

import sys


def _leave_current_folder() -> None:
    """Remove the current folder from the import path in a process started with ``python -m tgllm``.

    Python puts it first, so its modules would replace installed ones, and its packages would count as plugins. This
    runs before anything else is imported. Python: Command line and environment, option -m.
    """
    # While -m looks for its module, it is the first argument; the module's name is before the other arguments.
    if sys.argv[:1] != ["-m"] or sys.flags.safe_path or len(sys.orig_argv) < len(sys.argv):
        return
    name = sys.orig_argv[-len(sys.argv)]
    module = name.partition("m")[2] if name.startswith("-") else name
    if module.partition(".")[0] != "tgllm":
        return
    import os  # noqa: PLC0415  one of Python's own frozen modules, which no file replaces

    try:
        here = os.getcwd()  # noqa: PTH109  pathlib is not frozen
    except OSError:
        # Python has put nothing first then.
        return
    if sys.path and sys.path[0] in {"", here}:
        del sys.path[0]


_leave_current_folder()

TYPE_CHECKING = False
"""As in ``typing``, whose import would take longer than all else here. Type checkers know the name."""

if TYPE_CHECKING:
    import pluggy

__version__ = "1.2.0"

hookimpl: "pluggy.HookimplMarker"
"""Decorator that marks a plugin's function as the implementation of the hook with the same name."""

__all__ = ["__version__", "hookimpl"]


def __getattr__(name: str) -> object:
    """Create ``hookimpl`` on first use: shell commands that load no plugins don't import pluggy."""
    if name != "hookimpl":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import pluggy  # noqa: PLC0415  shell commands that load no plugins do without it

    marker = globals()[name] = pluggy.HookimplMarker("tgllm")
    return marker
