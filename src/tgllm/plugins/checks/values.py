"""Validation of returned values: mistakes are reported by name at startup instead of failing later in a chat."""

import inspect
from collections.abc import Callable, Iterable, Sequence
from typing import Final, TypeVar, cast

from tgllm.plugins.calls.outcome import Breach

__all__ = [
    "article",
    "called",
    "check_callable",
    "check_list",
    "check_text",
    "check_value",
    "refuse_async",
    "refuse_yield",
    "texts_of",
]

T = TypeVar("T")

_HINTS: Final = {
    "Decision": ": return Decision.deny(reason), or None for no objection",
    "ChatRequest": ": return dataclasses.replace(request, ...), or None to leave it unchanged",
}


def check_value(hook: str, value: object, kind: type[T]) -> T:
    """Return ``value`` if it is an instance of ``kind``.

    Raises:
        Breach: it is of another type.
    """
    if isinstance(value, kind):
        return value
    raise Breach(f"{hook} returned {called(value)} instead of {article(kind)}{_HINTS.get(kind.__name__, '')}")


def check_list(hook: str, value: object, kind: type[T]) -> tuple[T, ...]:
    """Return the members of ``value`` if it is a list or tuple of ``kind``.

    Raises:
        Breach: it or one of its members is of another type.
    """
    if not isinstance(value, list | tuple):
        raise Breach(f"{hook} returned {called(value)} instead of a list of {kind.__name__}{_list_hint(value, kind)}")
    members = cast("Sequence[object]", value)
    for member in members:
        if not isinstance(member, kind):
            raise Breach(f"{hook} returned a list with {called(member)} in it instead of {article(kind)}")
    return cast("tuple[T, ...]", tuple(members))


def check_text(what: str, value: object, longest: int | None = None) -> None:
    """Check a text for display: not blank, at most ``longest`` characters, no lone surrogate.

    Raises:
        Breach: names the violated rule.
    """
    if not isinstance(value, str):
        raise Breach(f"{what} is {called(value)} instead of a text")
    if longest is not None and not 1 <= len(value) <= longest:
        raise Breach(f"{what} is not 1 to {longest} characters long")
    if not value.strip():
        raise Breach(f"{what} is empty")
    if any("\ud800" <= sign <= "\udfff" for sign in value):
        raise Breach(f"{what} holds half of a surrogate pair, which can't be sent")


def texts_of(what: str, values: object) -> Iterable[str]:
    """Return ``values`` if it is a tuple, list or set; iterators are refused, since they can be read only once.

    Raises:
        Breach: it is of another type, such as a single text.
    """
    if isinstance(values, str):
        raise Breach(f"{what} are the text {values!r} instead of a tuple of texts")
    if not isinstance(values, tuple | list | set | frozenset):
        raise Breach(f"{what} are {called(values)} instead of a tuple of texts")
    return cast("Iterable[str]", values)


def check_callable(what: str, value: object, *takes: str) -> None:
    """Check that ``value`` is callable with the arguments ``takes``, named by their types.

    Raises:
        Breach: it is not.
    """
    if not callable(value):
        raise Breach(f"{what} is {called(value)} and can't be called: give it the function itself")
    try:
        signature = inspect.signature(value)
    except (TypeError, ValueError):
        # Functions of C need not have one.
        return
    try:
        signature.bind(*takes)
    except TypeError as error:
        # One of an object without its instance has the argument self.
        raise Breach(f"{what} can't be called with ({', '.join(takes)}): {error}") from None


def refuse_async(hook: str, function: Callable[..., object]) -> None:
    """Check that the implementation of a hook that runs in a thread is a plain function.

    Raises:
        Breach: the function is a coroutine function or an asynchronous generator function.
    """
    if inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function):
        raise Breach(f"{hook} is async, and this hook must be a plain function: write def instead of async def")


def refuse_yield(hook: str, function: Callable[..., object]) -> None:
    """Check that a hook is no generator, whose code would never run.

    Raises:
        Breach: it is one.
    """
    if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
        raise Breach(f"{hook} has a yield in it, so its code would never run: use return")


def called(value: object) -> str:
    """Return the type of a value for a message: ``a str``, or ``nothing`` for None."""
    return "nothing" if value is None else article(type(value))


def _list_hint(value: object, kind: type[object]) -> str:
    if value is None:
        return ": return an empty list for none"
    return ": put it into a list" if isinstance(value, kind) else ""


def article(kind: type) -> str:
    """Return the name of a type with its article."""
    return f"{'an' if kind.__name__[0] in 'AEIOUaeio' else 'a'} {kind.__name__}"
