"""Validation of returned values: mistakes are reported by name at startup instead of failing later in a chat."""

import inspect
import re
from collections.abc import Callable, Iterable, Sequence
from typing import Final, TypeVar, cast

from tgllm.plugins.calls.outcome import Breach

__all__ = [
    "ID",
    "article",
    "called",
    "check_callable",
    "check_list",
    "check_match",
    "check_text",
    "check_value",
    "refuse_async",
    "texts_of",
]

T = TypeVar("T")

ID: Final = re.compile(r"[a-z][a-z0-9_]*")


def check_value(hook: str, value: object, kind: type[T]) -> T:
    """Return ``value`` if it is an instance of ``kind``.

    Raises:
        Breach: it is of another type.
    """
    if isinstance(value, kind):
        return value
    raise Breach(f"{hook} returned {called(value)} instead of {article(kind)}")


def check_list(hook: str, value: object, kind: type[T]) -> tuple[T, ...]:
    """Return the members of ``value`` if it is a list or tuple of ``kind``.

    Raises:
        Breach: it or one of its members is of another type.
    """
    if not isinstance(value, list | tuple):
        raise Breach(f"{hook} returned {called(value)} instead of a list of {kind.__name__}")
    members = cast("Sequence[object]", value)
    for member in members:
        if not isinstance(member, kind):
            raise Breach(f"{hook} returned a list with {called(member)} in it instead of {article(kind)}")
    return cast("tuple[T, ...]", tuple(members))


def check_match(what: str, value: object, pattern: re.Pattern[str]) -> None:
    """Check that ``value`` is a text that matches ``pattern``.

    Raises:
        Breach: it does not match.
    """
    if not (isinstance(value, str) and pattern.fullmatch(value)):
        raise Breach(f"{what} {value!r} must look like {pattern.pattern}")


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


def check_callable(what: str, value: object) -> None:
    """Check that ``value`` is callable.

    Raises:
        Breach: it is not.
    """
    if not callable(value):
        raise Breach(f"{what} is {called(value)} and can't be called")


def refuse_async(hook: str, function: Callable[..., object]) -> None:
    """Check that the implementation of a hook that runs in a thread is a plain function.

    Raises:
        Breach: the function is a coroutine function or an asynchronous generator function.
    """
    if inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function):
        raise Breach(f"{hook} is async, and this hook must be a plain function")


def called(value: object) -> str:
    """Return the type of a value for a message: ``a str``, or ``nothing`` for None."""
    return "nothing" if value is None else article(type(value))


def article(kind: type) -> str:
    """Return the name of a type with its article."""
    return f"{'an' if kind.__name__[0] in 'AEIOUaeio' else 'a'} {kind.__name__}"
