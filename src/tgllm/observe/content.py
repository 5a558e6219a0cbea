"""Removes what people have written from the texts of errors.

The message of an exception may quote the update or the request that it comes from. Whatever of it also occurs in the
texts that are being handled is replaced; the rest is what an operator needs.
"""

import json
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from typing import Final, cast

__all__ = ["CONTENT", "chain", "handling", "is_handling", "texts_of", "without_content"]

CONTENT: Final = "[text]"

_PIECE: Final = 8
"""Length of the pieces that are compared, in characters; shorter texts are compared as a whole."""
_LEAST: Final = 4
"""Minimum length of a text that is replaced, in characters: shorter ones occur in every message."""
_MOST_ERRORS: Final = 1_000
_MOST: Final = 400_000
"""Maximum number of characters that are compared, which bounds the memory."""
_KEYS: Final = frozenset(
    {"address", "caption", "emoji", "file_name", "first_name", "last_name", "name", "performer", "phone_number",
     "query", "question", "reason", "text", "title", "username", "vcard"}
)  # fmt: skip
"""Keys of an update whose values people choose."""

_MARK: Final = "_tgllm_content"
"""Attribute of an exception that has left such a block."""

_Read = Callable[[], Iterable[str]]

_current: ContextVar[tuple[_Read, ...]] = ContextVar("tgllm_content", default=())


@contextmanager
def handling(read: _Read) -> Generator[None]:
    """Note the texts that are handled in this block, and by the tasks started in it.

    Args:
        read: returns them; called only if something fails.
    """
    token = _current.set((*_current.get(), read))
    try:
        yield
    except Exception as error:
        # Reported outside of the block, it may still quote them.
        for each in chain(error):
            with suppress(Exception):
                each.__dict__[_MARK] = (*each.__dict__.get(_MARK, ()), read)
        raise
    finally:
        _current.reset(token)


def chain(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an exception, its causes, and the members of groups."""
    waiting, seen = [error], set[int]()
    while waiting and len(seen) < _MOST_ERRORS:
        one = waiting.pop()
        if one is None or id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        waiting += [one.__cause__, one.__context__]
        if isinstance(one, BaseExceptionGroup):
            waiting += cast("BaseExceptionGroup[BaseException]", one).exceptions


def texts_of(payload: str) -> list[str]:
    """Return the texts in the JSON of an update that people have chosen."""
    found = list[str]()
    waiting: list[object] = [json.loads(payload)]
    while waiting:
        value = waiting.pop()
        if isinstance(value, Mapping):
            for key, item in cast("Mapping[str, object]", value).items():
                if isinstance(item, str):
                    found += [item] if key in _KEYS else []
                else:
                    waiting.append(item)
        elif isinstance(value, list):
            waiting += cast("list[object]", value)
    return found


def is_handling(error: BaseException | None = None) -> bool:
    """Return whether texts are handled here, or were where an exception came from."""
    return bool(_current.get()) or bool(_marks(error))


def without_content(text: str, error: BaseException | None = None) -> str:
    """Return a text with every part replaced that occurs in the texts being handled.

    Args:
        text: the text.
        error: the exception that it is about; its texts count too, also outside of the block that it came from.
    """
    reads = (*_current.get(), *_marks(error))
    if not reads or not text:
        return text
    pieces, short = _pieces(reads)
    hidden = bytearray(len(text))
    for start in range(len(text) - _PIECE + 1):
        if text[start : start + _PIECE] in pieces:
            hidden[start : start + _PIECE] = b"\1" * _PIECE
    for word in short:
        at = text.find(word)
        while at >= 0:
            if _stands_alone(text, at, len(word)):
                hidden[at : at + len(word)] = b"\1" * len(word)
            at = text.find(word, at + 1)
    return _replaced(text, hidden)


def _marks(error: BaseException | None) -> list[_Read]:
    # A dict, since each exception of a chain may have the same ones.
    found = dict[_Read, None]()
    for each in chain(error):
        with suppress(Exception):
            found |= dict.fromkeys(each.__dict__.get(_MARK, ()))
    return list(found)


def _pieces(reads: Iterable[_Read]) -> tuple[set[str], set[str]]:
    pieces, short, left = set[str](), set[str](), _MOST
    for read in reads:
        for text in read():
            known, left = text[:left], left - len(text)
            if _LEAST <= len(known) < _PIECE:
                short.add(known)
            pieces.update(known[start : start + _PIECE] for start in range(len(known) - _PIECE + 1))
            if left <= 0:
                return pieces, short
    return pieces, short


def _stands_alone(text: str, at: int, length: int) -> bool:
    """Return whether a part of a text is not within a longer word."""
    before, after = text[at - 1 : at], text[at + length : at + length + 1]
    return not (before.isalnum() or after.isalnum())


def _replaced(text: str, hidden: bytearray) -> str:
    parts, start = list[str](), 0
    while (found := hidden.find(1, start)) >= 0:
        end = hidden.find(0, found)
        parts += [text[start:found], CONTENT]
        start = len(text) if end < 0 else end
    return "".join([*parts, text[start:]])
