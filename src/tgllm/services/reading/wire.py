"""Messages between the bot and a reading process: a header in JSON, then bytes.

A process that reads foreign files may be made to write anything. So its messages contain nothing that is executed or
that names a type, as pickle does, and the bot limits what it reads of them.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any, cast

__all__ = ["LENGTH_BYTES", "MOST_HEADER_BYTES", "WireError", "header_from", "length_from", "lengths_of", "packed"]

LENGTH_BYTES = 4
MOST_HEADER_BYTES = 2**18
_LENGTHS = "lengths"


class WireError(ValueError):
    """A message that has no valid form, or is too long."""


def packed(header: Mapping[str, Any], blobs: Sequence[bytes] = ()) -> bytes:
    """Return a message."""
    head = json.dumps({**header, _LENGTHS: [len(blob) for blob in blobs]}, separators=(",", ":")).encode()
    return b"".join((len(head).to_bytes(LENGTH_BYTES, "big"), head, *blobs))


def length_from(start: bytes) -> int:
    """Return the length of the header from the first ``LENGTH_BYTES`` bytes of a message.

    Raises:
        WireError: it is too long.
    """
    length = int.from_bytes(start, "big")
    if length > MOST_HEADER_BYTES:
        raise WireError("the header is too long")
    return length


def header_from(head: bytes) -> dict[str, Any]:
    """Return the header.

    Raises:
        WireError: it is no JSON object.
    """
    try:
        header = json.loads(head)
    except (ValueError, RecursionError):
        raise WireError("the header is no JSON") from None
    if not isinstance(header, dict):
        raise WireError("the header is no object")
    return cast("dict[str, Any]", header)


def lengths_of(header: Mapping[str, Any], most_bytes: int) -> list[int]:
    """Return the lengths of the bytes that follow the header.

    Raises:
        WireError: they are no lengths, or their sum is more than ``most_bytes``.
    """
    given: Any = header.get(_LENGTHS)
    lengths = cast("list[Any]", given) if isinstance(given, list) else [-1]
    if not all(type(each) is int and each >= 0 for each in lengths):
        raise WireError("the lengths are none")
    if sum(lengths) > most_bytes:
        raise WireError("the content is too long")
    return lengths
