"""getUpdates, with a reader for responses of which not every update can be decoded.

An update that Python's JSON reader refuses, or that the database could not store, must not take its neighbours with it.
So a response that can't be decoded as a whole is split into the texts of its updates, without recursion, and each is
decoded by itself.
"""

import json
import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Final, cast

from aiogram.exceptions import AiogramError
from aiogram.methods.base import TelegramMethod

__all__ = ["MOST_ID", "BadResponse", "Entry", "RawGetUpdates", "Undecoded", "id_of", "read_entries", "read_update"]

MOST_ID: Final = 2**53
"""Largest accepted update id. Bot API: numbers have at most 52 significant bits."""
_MOST_REASON: Final = 120


class RawGetUpdates(TelegramMethod[list[Any]]):
    """getUpdates that returns raw updates, see ``read_entries``. Bot API: getUpdates."""

    __returning__: ClassVar[Any] = list[Any]
    __api_method__: ClassVar[str] = "getUpdates"

    offset: int | None = None
    limit: int | None = None
    timeout: int | None = None
    allowed_updates: list[str] | None = None


@dataclass(frozen=True, slots=True)
class Undecoded:
    """An update of a response that can't be decoded; its content is not kept."""

    update_id: int | None
    reason: str


Entry = object
"""An update of a response: what its JSON says, an object as a rule, or an ``Undecoded``."""


class BadResponse(AiogramError):
    """A response to getUpdates from which no update can be read."""

    def __init__(self, reason: str, *, first_id: int | None = None, is_of_bot_api: bool = False) -> None:
        """Create the error.

        Args:
            reason: for the log; nothing of the content.
            first_id: id of the first update in the response, if it is known.
            is_of_bot_api: whether the response begins like one of the Bot API with updates, unlike a proxy's page.
        """
        super().__init__(reason)
        self.reason = reason
        self.first_id = first_id
        self.is_of_bot_api = is_of_bot_api


def read_entries(body: bytes, *, is_whole: bool = True) -> Sequence[Entry] | None:
    """Read the updates of a response.

    Args:
        body: the response, or its beginning.
        is_whole: whether it is all of the response.

    Returns:
        The updates; None for a well-formed response without updates, such as an error.

    Raises:
        BadResponse: no update can be read.
    """
    # A character that is not valid UTF-8 is not worth losing a message for.
    text = body.decode("utf-8-sig", "replace")
    if not is_whole:
        return _split(text, "the response is too large")
    try:
        response = _decode(text)
    except (ValueError, RecursionError) as error:
        return _split(text, _reason(error))
    if not isinstance(response, dict):
        raise BadResponse("the response is no JSON object")
    fields = cast("dict[str, Any]", response)
    if fields.get("ok") is not True:
        return None
    result = fields.get("result")
    if not isinstance(result, list):
        raise BadResponse("the result is no list")
    return cast("list[Any]", result)


def read_update(body: bytes, *, is_whole: bool = True) -> Entry:
    """Read an update that is sent by itself, to a webhook.

    Args:
        body: the update, or its beginning.
        is_whole: whether it is all of the update.

    Raises:
        BadResponse: it is no update, or only the beginning of one.
    """
    text = body.decode("utf-8-sig", "replace")
    if is_whole:
        try:
            return _decode(text)
        except (ValueError, RecursionError) as error:
            reason = _reason(error)
    else:
        reason = "it is too large"
    # It is taken apart as the only update of a response to getUpdates.
    whole = f'{{"ok":true,"result":[{text}'
    pieces = list(_pieces(whole))
    first_id = pieces[0].update_id if pieces else None
    is_one = len(pieces) == 1 and pieces[0].end is not None and not whole[pieces[0].end :].strip()
    if is_whole and is_one and first_id is not None:
        return Undecoded(first_id, reason)
    raise BadResponse(reason, first_id=first_id)


def id_of(value: object) -> int | None:
    """Return an update id, which may be written as a string or a float; None for what can't be confirmed."""
    match value:
        case bool():
            return None
        case str() if re.fullmatch(r"\d{1,16}", value, re.ASCII):
            value = int(value)
        case float() if value.is_integer():
            value = int(value)
        case _:
            pass
    # A negative offset would discard waiting updates (Bot API: getUpdates).
    return value if isinstance(value, int) and 0 <= value < MOST_ID else None


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is no JSON")


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError("a number is too large")
    return value


# Control characters in strings are no JSON, but harmless.
_decode = json.JSONDecoder(parse_constant=_no_constant, parse_float=_finite, strict=False).decode


def _reason(error: Exception) -> str:
    return "it is nested too deeply" if isinstance(error, RecursionError) else str(error)[:_MOST_REASON]


# Possessive, so that a string without an end costs one pass. The last alternative is such a string.
_TOKEN = re.compile(r'"(?:[^"\\]++|\\.)*+"|[\[\]{}]|"', re.DOTALL)
_ID_AFTER = re.compile(r'\s*:\s*"?(\d{1,16})"?(?=\s*[,}])', re.ASCII)
_LIST_AFTER = re.compile(r"\s*:\s*(?=\[)")
_HAS_ENTRIES = re.compile(r'\s*\{\s*"ok"\s*:\s*true\s*,\s*"result"\s*:\s*\[\s*[^\s\]].*\]\s*\}\s*', re.DOTALL)
"""A response that begins and ends like one with updates, whatever is in place of them."""
_STEPS = {"{": 1, "[": 1, "}": -1, "]": -1}
_OPEN_STRING, _RESULT, _UPDATE_ID = '"', '"result"', '"update_id"'
_IN_UPDATES = 2
"""Depth of what stands in the list of updates."""


@dataclass(slots=True)
class _Piece:
    """The text of an update in a response."""

    begin: int
    end: int | None = None
    """None: the response ends within it."""
    update_id: int | None = None


def _split(text: str, reason: str) -> Sequence[Entry]:
    """Decode the updates of a response one by one.

    Raises:
        BadResponse: it contains no whole update.
    """
    pieces = list(_pieces(text))
    whole = [piece for piece in pieces if piece.end is not None]
    if whole:
        return [_one(text[piece.begin : piece.end], piece.update_id) for piece in whole]
    raise BadResponse(
        reason,
        first_id=pieces[0].update_id if pieces else None,
        is_of_bot_api=bool(pieces) or _HAS_ENTRIES.fullmatch(text) is not None,
    )


def _one(text: str, update_id: int | None) -> Entry:
    try:
        return _decode(text)
    except (ValueError, RecursionError) as error:
        return Undecoded(update_id, _reason(error))


def _pieces(text: str) -> Iterator[_Piece]:
    """Yield the updates in the list ``result`` of a response; the last one may be incomplete."""
    depth, in_result, piece = 0, False, None
    tokens = _TOKEN.finditer(text) if text.lstrip().startswith("{") else ()
    for found in tokens:
        mark = found[0]
        step = _STEPS.get(mark, 0)
        if mark == _OPEN_STRING:
            break
        if step > 0 and in_result and depth == _IN_UPDATES and mark == "{":
            piece = _Piece(found.start())
        depth += step
        if not step and depth == 1:
            in_result = mark == _RESULT and _LIST_AFTER.match(text, found.end()) is not None
        elif depth < _IN_UPDATES and step:
            in_result = False
        elif piece is not None:
            _note(piece, found, depth)
            if piece.end is not None:
                yield piece
                piece = None
    if piece is not None:
        yield piece


def _note(piece: _Piece, found: re.Match[str], depth: int) -> None:
    """Note the end of an update, or its id."""
    mark = found[0]
    if depth == _IN_UPDATES and mark == "}":
        piece.end = found.end()
    elif depth == _IN_UPDATES + 1 and mark == _UPDATE_ID and piece.update_id is None:
        number = _ID_AFTER.match(found.string, found.end())
        piece.update_id = None if number is None else id_of(int(number[1]))
