"""Registration of one plugin's hook implementations with pluggy, and checks against the contract.

Each plugin is registered with its own manager, so that a plugin that is refused or hangs does not affect the others.
"""

import difflib
import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import cast

import pluggy

from tgllm import hookspecs
from tgllm.plugins.calls.outcome import Breach, blamed
from tgllm.plugins.checks.values import refuse_yield

__all__ = ["HOOKS", "Implementation", "nearest", "read_hooks"]

HOOKS: Mapping[str, tuple[str, ...]] = {
    name: tuple(inspect.signature(spec).parameters)
    for name, spec in vars(hookspecs).items()
    if name.startswith("tgllm_") and inspect.isfunction(spec)
}
"""All hooks with the names of their arguments."""
_AT_LOADING = tuple(HOOKS)[:8]
"""The hooks whose results are checked when a plugin is loaded or diagnosed."""


@dataclass(frozen=True, slots=True)
class Implementation:
    """Function of a plugin that implements a hook."""

    hook: str
    function: Callable[..., object]
    argnames: tuple[str, ...]
    """The hook's arguments that the function takes, in its own order."""
    rank: int
    """0 with ``tryfirst``, 2 with ``trylast``, 1 otherwise."""

    def arguments(self, values: Mapping[str, object]) -> tuple[object, ...]:
        """Return those of the hook's arguments that the function takes."""
        return tuple(values[name] for name in self.argnames)


def read_hooks(plugin: object) -> tuple[Implementation, ...]:
    """Return all hook implementations in a module or object.

    Raises:
        Breach: an unknown hook, an unknown argument, a wrapper, or a hook without the decorator.
        pluggy.PluginValidationError: another rule of pluggy is violated.
    """
    if inspect.isclass(plugin):
        raise Breach(f"its entry point names the class {plugin.__name__}: name a module, or an object of the class")
    manager = pluggy.PluginManager("tgllm")
    manager.register(plugin)
    impls = [impl for caller in manager.get_hookcallers(plugin) or () for impl in _checked(caller)]
    _refuse_unmarked(plugin, {impl.hook for impl in impls})
    # Last, because the checks above have clearer messages for common mistakes.
    manager.add_hookspecs(hookspecs)
    manager.check_pending()
    return tuple(impls)


def nearest(name: str, names: Iterable[str]) -> str:
    """Return a "did you mean" suffix with the closest name for the end of a sentence; empty if none is close."""
    close = difflib.get_close_matches(name, list(names), n=1)
    return f" (did you mean {close[0]}?)" if close else ""


def _checked(caller: pluggy.HookCaller) -> Iterable[Implementation]:
    for impl in caller.get_hookimpls():
        if caller.name not in HOOKS:
            if impl.optionalhook:
                continue
            with blamed(impl.function):
                raise Breach(f"{caller.name} is no hook of this tgllm{nearest(caller.name, HOOKS)}")
        with blamed(impl.function):
            if impl.wrapper or impl.hookwrapper:
                words = f"{caller.name} is a hook wrapper, and wrappers are refused: make it a plain implementation"
                raise Breach(words)
            _check_arguments(caller.name, impl.argnames)
            if caller.name not in _AT_LOADING:
                refuse_yield(caller.name, impl.function)
        rank = 0 if impl.tryfirst else 2 if impl.trylast else 1
        yield Implementation(caller.name, impl.function, impl.argnames, rank)


def _check_arguments(hook: str, argnames: Iterable[str]) -> None:
    for name in argnames:
        if name not in HOOKS[hook]:
            takes = ", ".join(HOOKS[hook]) or "no arguments"
            raise Breach(f"{hook} has no argument {name}{nearest(name, HOOKS[hook])}: it takes {takes}")


def _refuse_unmarked(plugin: object, implemented: set[str]) -> None:
    own = cast("Mapping[str, object]", getattr(plugin, "__dict__", {}))
    for hook in HOOKS:
        function = own.get(hook)
        if inspect.isfunction(function) and hook not in implemented and not hasattr(function, "tgllm_impl"):
            with blamed(function):
                raise Breach(f"{hook} lacks its mark: put @tgllm.hookimpl above it")
