"""JSON documents inside server-sent events, read as leniently as gateways require.

docs/reference/provider-errors.md lists the tolerated deviations, with their reasons.
"""

from collections.abc import Callable, Iterator
from contextlib import suppress

from tgllm.api.errors import BadResponse, ProviderError
from tgllm.api.types import Json, JsonObject
from tgllm.providers.json_values import as_int, as_list, as_object, as_text, parse_sequence
from tgllm.providers.sse import ServerEvent

__all__ = ["DONE", "IN_PLACE", "Fail", "data_of", "is_complaint", "read_documents", "status_of"]

Fail = Callable[[int, bytes], ProviderError]
"""Returns the error for an HTTP status and a body."""

DONE = "[DONE]"
IN_PLACE = 200
"""HTTP status of a page or a JSON document in place of an answer."""
_IGNORED = frozenset({"", "null", "ping", "pong", "heartbeat", "keepalive", "keep-alive"})
"""Data of events that only keep the connection alive, in lower case."""
_JSON_STARTS = ("{", "[", '"', "-")
_STATUS_DIGITS = 3
_COMPLAINTS = frozenset({"message", "detail", "errors", "error_msg", "msg"})


def data_of(event: ServerEvent) -> str:
    """Return the data without white space around it, and without a second ``data:``, which some gateways add."""
    return event.data.strip().removeprefix("data:").lstrip()


def read_documents(event: ServerEvent, text: str, fail: Fail) -> Iterator[JsonObject]:
    """Yield the JSON objects in the data of an event, of which ``text`` is the part to read.

    Raises:
        ProviderError: the event is an error, or its data is a text.
        BadResponse: the data is not valid JSON.
    """
    if event.name == "error":
        raise fail(status_of(_first(text)), text.encode())
    if text.lower() in _IGNORED:
        return
    if not (text.startswith(_JSON_STARTS) or text[0].isdigit()):
        if event.name == "message":
            raise fail(IN_PLACE, text.encode())
        return
    try:
        for value in parse_sequence(text):
            # Several documents may come as a list.
            yield from map(as_object, as_list(value) or (value,))
    except BadResponse:
        if event.bare:
            raise fail(IN_PLACE, text.encode()) from None
        raise


def is_complaint(document: JsonObject) -> bool:
    """Return whether a document is an error of a service or of a gateway, if it has no part of an answer."""
    if document.get("error") or document.get("object") == "error" or document.get("type") == "error":
        return True
    return any(document[name] for name in _COMPLAINTS & document.keys())


def status_of(document: JsonObject) -> int:
    """Return the HTTP status in an error inside a stream, or 0."""
    for place in (as_object(document.get("error")), document):
        found = (_number(place.get(key)) for key in ("status_code", "raw_status_code", "status", "code"))
        if status := next((status for status in found if 400 <= status <= 599), 0):
            return status
    return 0


def _first(text: str) -> JsonObject:
    """Return the first JSON object of a text; empty if the text is not JSON."""
    with suppress(BadResponse):
        return as_object(next(parse_sequence(text), None))
    return {}


def _number(value: Json) -> int:
    text = as_text(value)
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _STATUS_DIGITS else as_int(value) or 0
