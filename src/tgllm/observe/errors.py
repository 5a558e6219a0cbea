"""Facts of an exception for the log, the admins and Sentry: its kind, its place, and a code that groups it.

Nothing here raises, whatever the exception is: its ``__str__`` may raise, it may be a group in groups, and its message
may have any length.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import PurePath
from types import TracebackType
from typing import Final, cast

from tgllm.observe.content import chain, without_content
from tgllm.observe.redaction import redact

__all__ = [
    "CODE_LETTERS",
    "ErrorFacts",
    "Frame",
    "code_of",
    "facts_of",
    "is_logged",
    "mark_logged",
    "raw_text",
    "raw_texts",
    "read_code",
    "text_of",
    "with_kind",
]

CODE_LETTERS: Final = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
"""Letters of a code: without 0, 1, I and O, which look like others."""
_CODE_HALF: Final = 4
_MOST_MESSAGE: Final = 500
"""Maximum length of a message, in characters."""
_MOST_RAW: Final = 4_000
"""Maximum number of characters of a message that are looked at."""
_MARGIN: Final = 256
"""Characters at the end of a truncated message that are dropped: a part of a secret is not recognised."""
_MOST_FRAMES: Final = 30
_MOST_CAUSES: Final = 5
_MOST_MEMBERS: Final = 1_000
_VARIABLE: Final = re.compile(r"0x[0-9a-fA-F]+|\d+|'[^']*'|\"[^\"]*\"")
"""Parts of a message that differ between errors of one kind."""


@dataclass(frozen=True, slots=True)
class Frame:
    """A line of a traceback."""

    module: str
    """Dotted name; empty if unknown."""
    path: str
    """The file with the folders of its package: ``tgllm/bot/intake/dispatch.py``."""
    line: int
    function: str

    @property
    def place(self) -> str:
        """File and line: ``dispatch.py:12``."""
        return f"{PurePath(self.path).name}:{self.line}"

    def __str__(self) -> str:
        return f"{self.path}:{self.line} in {self.function}"


@dataclass(frozen=True, slots=True)
class ErrorFacts:
    """An exception without the exception: texts only, none of which holds a secret or what people wrote."""

    code: str
    """Groups errors of one kind, such as ``E7K2-9QXM``: short, and easy to read out."""
    event: str
    """Name of the log line."""
    kind: str
    """Type of the exception."""
    message: str
    """One line; may be empty."""
    place: str
    """File and line of the innermost frame of the program or of the plugin, or of a syntax error; may be empty."""
    frames: tuple[Frame, ...] = ()
    """The innermost one last."""
    causes: tuple[str, ...] = ()
    """Kinds and messages of the exceptions that caused it, the nearest first."""
    plugin: str | None = None
    """Id of the plugin whose code it is; None for the program itself."""


IsOwn = Callable[[str], bool]
"""Returns whether a module belongs to the component that a report names: the program or a plugin."""


def facts_of(
    error: BaseException, event: str, plugin: str | None = None, is_own: IsOwn | None = None, place: str = ""
) -> ErrorFacts:
    """Return the facts of an exception.

    Args:
        error: the exception; of a group, its first member counts.
        event: name of the log line.
        plugin: the plugin whose code failed.
        is_own: tells the modules of the plugin, or of the program, from libraries.
        place: where the exception was raised, if that is known without a traceback.
    """
    first, others = _first(error)
    kind = _kind(first)
    message = text_of(first)
    if others:
        message = f"{message} (and {others} more)".lstrip()
    frames = _frames(first)
    own = _own_frame(frames, is_own or _is_program)
    if own is None and not place and frames:
        own = frames[-1]
    place = _syntax_place(first) or (place if own is None else own.place)
    # Without a traceback, such as for a reason in words, only the message tells kinds apart.
    words = f"{place} {_VARIABLE.sub('', message)}"
    where = words if own is None else f"{own.module or own.path}:{own.function}:{own.line}"
    code = code_of(event, plugin or "", kind, where)
    return ErrorFacts(code, event, kind, message, place, tuple(frames[-_MOST_FRAMES:]), _causes(first), plugin)


def mark_logged(error: BaseException) -> None:
    """Note that an error has a log line, so that those who pass it on write no second one."""
    vars(error)["_tgllm_logged"] = True


def is_logged(error: BaseException) -> bool:
    """Return whether an error already has a log line."""
    return "_tgllm_logged" in vars(error)


def code_of(*parts: str) -> str:
    """Return the code of a kind of error; the same parts have the same code."""
    digest = sha256("\0".join(parts).encode(errors="replace")).digest()
    number = int.from_bytes(digest[:8], "big")
    letters = [CODE_LETTERS[number >> 5 * at & 31] for at in range(2 * _CODE_HALF)]
    return f"{''.join(letters[:_CODE_HALF])}-{''.join(letters[_CODE_HALF:])}"


def read_code(text: str) -> str | None:
    """Return the code that a person has typed, in any case and with any separator; None if it is none."""
    letters = "".join(letter for letter in text.upper() if letter.isascii() and letter.isalnum())
    if len(letters) != 2 * _CODE_HALF or not set(letters) <= set(CODE_LETTERS):
        return None
    return f"{letters[:_CODE_HALF]}-{letters[_CODE_HALF:]}"


def text_of(error: BaseException) -> str:
    """Return the message of an exception on one line: truncated, without secrets and without what people wrote."""
    raw = raw_text(error)
    text = redact(raw[:_MOST_RAW])
    if len(raw) > _MOST_RAW:
        text = text[:-_MARGIN]
    line = " ".join(without_content(text, error).split())
    return line if len(line) <= _MOST_MESSAGE else line[: _MOST_MESSAGE - 1] + "…"


def with_kind(kind: str, message: str) -> str:
    """Return the kind of an error with its message, which may be empty."""
    return f"{kind}: {message}" if message else kind


def raw_text(error: BaseException) -> str:
    """Return the message of an exception as it is: it may hold secrets and what people wrote."""
    try:
        text = str(error)
        # A lone surrogate could be neither printed nor stored.
        return text[: 2 * _MOST_RAW].encode(errors="replace").decode()
    except BaseException:  # noqa: BLE001  __str__ of an error class may raise anything, even SystemExit
        return ""


def raw_texts(error: BaseException | None) -> list[str]:
    """Return the messages and notes of an exception, its causes and its members as they are."""
    found = list[str]()
    for each in chain(error):
        found += map(str, getattr(each, "__notes__", ()))
        is_group = isinstance(each, BaseExceptionGroup)
        found.append(cast("BaseExceptionGroup[BaseException]", each).message if is_group else raw_text(each))
    return found


def _kind(error: BaseException) -> str:
    return type(error).__name__.encode(errors="replace").decode()[:100]


def _first(error: BaseException) -> tuple[BaseException, int]:
    """Return the first exception in nested groups that is none itself, and the number of the others."""
    waiting, found, count, seen = [error], None, 0, 0
    while waiting and seen < _MOST_MEMBERS:
        one, seen = waiting.pop(), seen + 1
        if isinstance(one, BaseExceptionGroup):
            waiting += reversed(cast("BaseExceptionGroup[BaseException]", one).exceptions)
        else:
            found = found or one
            count += 1
    return (error, 0) if found is None else (found, count - 1)


def _frames(error: BaseException) -> list[Frame]:
    return [frame for traceback in _walk(error.__traceback__) if (frame := _frame(traceback)) is not None]


def _walk(traceback: TracebackType | None) -> Iterator[TracebackType]:
    while traceback is not None:
        yield traceback
        traceback = traceback.tb_next


def _frame(traceback: TracebackType) -> Frame | None:
    code = traceback.tb_frame.f_code
    with suppress(Exception):
        module = str(traceback.tb_frame.f_globals.get("__name__") or "")
        return Frame(module, _path(code.co_filename, module), traceback.tb_lineno or 0, code.co_name)
    return None


def _path(filename: str, module: str) -> str:
    """Return the path from the package on: the folders above it say where the program is installed."""
    parts = PurePath(filename).parts
    depth = module.count(".") + (2 if parts and parts[-1] == "__init__.py" else 1)
    return redact("/".join(parts[-min(depth, 8) :]))


def _own_frame(frames: list[Frame], is_own: IsOwn) -> Frame | None:
    """Return the innermost frame of the code that is to be named."""
    return next((frame for frame in reversed(frames) if is_own(frame.module)), None)


def _syntax_place(error: BaseException) -> str:
    """Return the file and line that could not be compiled; no frame is there."""
    if not isinstance(error, SyntaxError) or not error.filename:
        return ""
    return redact(f"{PurePath(str(error.filename)).name}:{error.lineno or 0}")


def _is_program(module: str) -> bool:
    return module == "tgllm" or module.startswith(("tgllm.", "tgllm_"))


def _causes(error: BaseException) -> tuple[str, ...]:
    found, seen = list[str](), {id(error)}
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    while cause is not None and id(cause) not in seen and len(found) < _MOST_CAUSES:
        seen.add(id(cause))
        found.append(with_kind(_kind(cause), text_of(cause)))
        cause = cause.__cause__ or (None if cause.__suppress_context__ else cause.__context__)
    return tuple(found)
