"""What was asked of a fake, without the keys."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

__all__ = ["FakeRequest", "note"]

_SECRET = frozenset({"authorization", "x-goog-api-key", "api-key", "x-api-key", "key"})


@dataclass(slots=True, eq=False)
class FakeRequest:
    """One request. Names of headers are in lower case; values that hold a key are ``***``."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: Any = None
    """The JSON as parsed; of a form its fields, files told by name, type and size in bytes; of bytes their number."""
    status: int | None = None
    """The HTTP status of the answer; 0 when the connection was cut; None while there is none."""
    closed_by_client: bool = False
    """Whether the client hung up before the answer was complete."""
    done: bool = False
    """Whether its handling has ended, in whatever way."""
    form_order: tuple[str, ...] = field(default=())
    """Of a form, the names of its fields as they came."""


def note(request: web.Request) -> FakeRequest:
    """The request without its body."""
    headers = {name.lower(): value for name, value in request.headers.items()}
    return FakeRequest(request.method, request.path, _masked(request.query), _masked(headers))


def _masked(values: Mapping[str, str]) -> dict[str, str]:
    return {name: "***" if name in _SECRET else value for name, value in values.items()}
