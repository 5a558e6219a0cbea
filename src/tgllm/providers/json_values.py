"""Access to JSON of unknown structure: missing values and values of other types count as empty."""

import json
import re
from collections.abc import Generator, Mapping, Sequence
from typing import cast

from tgllm.api.errors import BadResponse
from tgllm.api.types import Json, JsonObject

__all__ = [
    "as_int",
    "as_list",
    "as_object",
    "as_text",
    "encode_json",
    "kind_of",
    "parse_json",
    "parse_sequence",
    "unexpected",
]

_DECODER = json.JSONDecoder()
_SPACE = re.compile(r"[ \t\r\n\ufeff]*")
_NOT_AN_OBJECT = (type(None), str, int, float, list)
_NOT_A_LIST = (type(None), str, int, float, dict)


def parse_json(data: bytes | str) -> Json:
    """Parse JSON; white space around it is allowed.

    Raises:
        BadResponse: the data is not JSON.
    """
    try:
        return cast("Json", json.loads(data))
    # Deeply nested brackets raise RecursionError.
    except (ValueError, RecursionError):
        raise BadResponse("the service sent invalid JSON") from None


def parse_sequence(text: str) -> Generator[Json, None, None]:
    """Yield the JSON values of a text in which they follow each other, with or without white space between them.

    Raises:
        BadResponse: the next value is not JSON.
    """
    place = _end_of_space(text, 0)
    end = len(text)
    while place < end:
        try:
            value, place = _DECODER.raw_decode(text, place)
        except (ValueError, RecursionError):
            raise BadResponse("the service sent invalid JSON") from None
        yield cast("Json", value)
        if place < end:
            place = _end_of_space(text, place)


def encode_json(value: Json) -> bytes:
    """Encode JSON. Lone surrogates, which chat texts can contain, become question marks."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=dict).encode(errors="replace")


def as_object(value: Json) -> JsonObject:
    """Return the object, or an empty one."""
    # Parsed JSON has these types only. A check of an abstract class takes ten times longer.
    if isinstance(value, dict):
        return value
    return {} if isinstance(value, _NOT_AN_OBJECT) or not isinstance(value, Mapping) else value


def as_list(value: Json) -> Sequence[Json]:
    """Return the list, or an empty one."""
    if isinstance(value, list):
        return value
    return () if isinstance(value, _NOT_A_LIST) or not isinstance(value, Sequence) else value


def as_text(value: Json) -> str:
    """Return the string, or an empty one."""
    return value if isinstance(value, str) else ""


def as_int(value: Json) -> int | None:
    """Return the integer, or None."""
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def kind_of(value: object) -> str:
    """Return the kind of a JSON value in words, such as ``a number``, and nothing of the value itself."""
    match value:
        case None:
            return "null"
        case bool():
            return "true or false"
        case int() | float():
            return "a number"
        case str():
            return "text"
        case Mapping():
            return "an object"
        case _:
            return "a list"


def unexpected(place: str, wanted: str, value: object) -> BadResponse:
    """Return the error for a value of the wrong type; it names the field, never the value.

    Args:
        place: the field, such as ``choices[0].delta.content``.
        wanted: the right kind, such as ``text``.
        value: what is there.
    """
    return BadResponse(f"the answer can't be read: {place}: expected {wanted}, got {kind_of(value)}")


def _end_of_space(text: str, place: int) -> int:
    found = _SPACE.match(text, place)
    return found.end() if found else place
