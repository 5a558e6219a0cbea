"""Outcomes of calls of plugin code, and one-sentence descriptions of failures."""

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Generic, TypeAlias, TypeVar, cast

from tgllm.api.errors import DatabaseError, PluginError, TgllmError
from tgllm.observe.redaction import redact

__all__ = [
    "Breach",
    "Outcome",
    "Raised",
    "Returned",
    "TimedOut",
    "blamed",
    "contract_error",
    "explain",
    "value_of",
    "words_of",
]

T = TypeVar("T")

_LONGEST = 200


class Breach(PluginError):
    """Violation of the plugin contract; the message is shown to the operator."""

    at = ""
    """File and line of the function that is to blame, if no exception of the plugin says where."""


@dataclass(frozen=True, slots=True)
class Returned(Generic[T]):
    """Outcome of a call that returned."""

    value: T


@dataclass(frozen=True, slots=True)
class Raised:
    """Outcome of a call that raised, including ``SystemExit``."""

    error: BaseException


@dataclass(frozen=True, slots=True)
class TimedOut:
    """Outcome of a call that did not finish within ``seconds``."""

    seconds: float
    has_blocked: bool = False
    """Whether it has kept the event loop from everything else meanwhile."""


Outcome: TypeAlias = Returned[T] | Raised | TimedOut


@contextmanager
def blamed(function: object) -> Generator[None]:
    """Have a breach in the block name the place of a function, unless an exception of the plugin says where it is."""
    try:
        yield
    except Breach as breach:
        from tgllm.plugins.calls.places import place_of_function  # noqa: PLC0415  a plugin that does not fail needs none

        breach.at = breach.at or place_of_function(function)
        raise


def value_of(outcome: Outcome[T], what: str) -> T:
    """Return the value of a successful call.

    Args:
        outcome: the outcome of the call.
        what: what was called, as the start of a sentence, such as ``tgllm_providers``.

    Raises:
        Breach: the call raised or timed out.
    """
    match outcome:
        case Returned(value):
            return value
        case Raised(Breach() as breach):
            raise breach
        case Raised(error):
            raise Breach(f"{what} raised {explain(error)}") from error
        case TimedOut(seconds, has_blocked=True):
            cure = "run what takes long by asyncio.to_thread, or await it"
            raise Breach(f"{what} did not end within {seconds:g} s, and blocked the bot meanwhile: {cure}")
        case TimedOut(seconds):
            raise Breach(f"{what} did not end within {seconds:g} s")


def explain(error: BaseException) -> str:
    """Return the type of an error and the first line of its message: truncated, without secrets and people's texts."""
    from tgllm.observe.content import without_content  # noqa: PLC0415  a plugin that does not fail needs none

    lines = words_of(error).strip().splitlines()
    text = f"{type(error).__name__}: {without_content(redact(lines[0]))}" if lines else type(error).__name__
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def contract_error(error: BaseException) -> TgllmError | None:
    """Return the error of the plugin contract that a plugin raised, alone or as the only one of a group.

    Returns:
        None if it raised something else, or an error whose text, code or parameters can't be used. A plugin's
        ``DatabaseError`` is something else, too: only the bot's own may end the program.
    """
    while isinstance(error, BaseExceptionGroup):
        group = cast("BaseExceptionGroup[BaseException]", error)
        if len(group.exceptions) != 1:
            return None
        error = group.exceptions[0]
    if not isinstance(error, TgllmError) or isinstance(error, DatabaseError):
        return None
    return error if _is_sound(error) else None


def _is_sound(error: TgllmError) -> bool:
    try:
        params = dict(error.params)
        # Everything is from a plugin, whose subclasses may set attributes of any type.
        sound = isinstance(str(error), str) and isinstance(error.code, str)  # pyright: ignore[reportUnnecessaryIsInstance]  from a plugin
        return sound and all(
            isinstance(name, str) and isinstance(value, str | int | float | None)  # pyright: ignore[reportUnnecessaryIsInstance]  from a plugin
            for name, value in params.items()
        )
    except BaseException:  # noqa: BLE001  properties of a plugin's class may raise anything
        return False


def words_of(value: object) -> str:
    """Return the message of an error, or another value of a plugin, as text that can be stored; empty without one."""
    try:
        # A lone surrogate could be neither printed nor stored.
        return str(value).encode(errors="replace").decode()
    except BaseException:  # noqa: BLE001  __str__ of a plugin's class may raise anything, even SystemExit
        return ""
