"""Reads JSON of unknown shape: what is not there, or is of another kind, counts as empty."""

import json
from collections.abc import Mapping, Sequence
from typing import cast

from tgllm.api.errors import BadResponse
from tgllm.api.types import Json, JsonObject

__all__ = ["as_int", "as_list", "as_object", "as_text", "encode_json", "parse_json"]


def parse_json(data: bytes | str) -> Json:
    """Read JSON, whatever the service called its type; blank lines around it are allowed.

    Raises:
        BadResponse: it is no JSON.
    """
    try:
        return cast("Json", json.loads(data))
    # Deeply nested brackets end in RecursionError.
    except (ValueError, RecursionError):
        raise BadResponse("the service sent something that is no JSON") from None


def encode_json(value: Json) -> bytes:
    """Write JSON; half a letter (a lone surrogate, which chats can hold) becomes a question mark."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=dict).encode(errors="replace")


def as_object(value: Json) -> JsonObject:
    """The object, or an empty one."""
    return value if isinstance(value, Mapping) else {}


def as_list(value: Json) -> Sequence[Json]:
    """The list, or an empty one."""
    return value if isinstance(value, Sequence) and not isinstance(value, str) else ()


def as_text(value: Json) -> str:
    """The string, or an empty one."""
    return value if isinstance(value, str) else ""


def as_int(value: Json) -> int | None:
    """The whole number, or None."""
    return value if isinstance(value, int) and not isinstance(value, bool) else None
