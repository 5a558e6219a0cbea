"""Journal of requests, without keys."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

__all__ = ["FakeRequest", "note"]

_SECRET = frozenset({"authorization", "x-goog-api-key", "api-key", "x-api-key", "key"})


@dataclass(slots=True, eq=False)
class FakeRequest:
    """A request. Header names are in lower case; keys are masked as ``***``."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: Any = None
    """Parsed JSON; the fields of a form, with name, type and size in bytes of files; the length of other bodies."""
    status: int | None = None
    """HTTP status of the response; 0 for an aborted connection; None before the response."""
    closed_by_client: bool = False
    """Whether the client disconnected before the answer was complete."""
    done: bool = False
    """Whether the handling has ended, with any result."""
    form_order: tuple[str, ...] = field(default=())
    """Names of a form's fields, in the order of the request."""


def note(request: web.Request) -> FakeRequest:
    """Return the journal entry of a request, without its body."""
    headers = {name.lower(): value for name, value in request.headers.items()}
    return FakeRequest(request.method, request.path, _masked(request.query), _masked(headers))


def _masked(values: Mapping[str, str]) -> dict[str, str]:
    return {name: "***" if name in _SECRET else value for name, value in values.items()}
