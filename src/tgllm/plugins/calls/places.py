"""Places in the code of plugins: the file and the line of an error or of a function."""

import functools
import inspect
from pathlib import PurePath
from types import CodeType
from typing import cast

from tgllm.observe.errors import facts_of
from tgllm.plugins.discovery import FoundPlugin
from tgllm.plugins.holds.owners import Owners

__all__ = ["place_of_error", "place_of_function"]


def place_of_function(function: object) -> str:
    """Return where a function begins, such as ``plugin.py:41``; empty for one that is not written in Python."""
    try:
        code = _code_of(function)
    except Exception:  # noqa: BLE001  an object of a plugin's class may have attributes that raise, or wrap itself
        return ""
    return "" if code is None else f"{PurePath(code.co_filename).name}:{code.co_firstlineno}"


def _code_of(function: object) -> CodeType | None:
    while isinstance(function, functools.partial):
        function = cast("functools.partial[object]", function).func
    function = inspect.unwrap(function) if callable(function) else function
    function = getattr(function, "__func__", function)
    # An object with a method __call__ has none itself.
    code = getattr(function, "__code__", None) or getattr(vars(type(function)).get("__call__"), "__code__", None)
    return code if isinstance(code, CodeType) else None


def place_of_error(error: BaseException, found: FoundPlugin) -> str:
    """Return where an error was raised: in the code of a plugin, or in a library that it calls."""
    cause = error.__cause__ or error
    at = getattr(error, "at", None)
    if cause is error and isinstance(at, str):
        # A breach without a cause was raised by the check of what the plugin has returned.
        return at
    owners = Owners([found])
    return facts_of(cause, "", found.id, lambda module: owners.of_module(module) == found.id).place
