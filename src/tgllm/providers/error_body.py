"""Messages, types and codes in the bodies of failed responses, of all forms that services use."""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress

from tgllm.api.errors import BadResponse
from tgllm.api.types import Json, JsonObject
from tgllm.providers.json_values import as_int, as_list, as_object, as_text, parse_json

__all__ = ["codes_of", "cut_words", "is_page", "message_of", "page_words"]

_CODE_FIELDS = ("type", "code", "status", "reason")
_WORD_FIELDS = ("error", "message", "detail", "errors", "error_msg", "base_resp", "status_msg")
_MAX_READ = 2_000
"""Maximum characters of a message that are searched for its meaning."""
_MAX_PAGE = 4 * 2**10
_TITLE = re.compile(r"<(?:title|h1)[^<>]{0,200}>\s{0,200}([^<]{1,300})", re.IGNORECASE)
_CUT = re.compile(r'"(?:message|msg|error_msg|detail|error)"\s{0,20}:\s{0,20}"((?:[^"\\]|\\.){1,2000})')
_TAG = re.compile(r"<[^<>]{0,1000}>")


def message_of(body: JsonObject) -> str:
    """Return the message of an error in one line of at most 2000 characters; empty if there is none."""
    found = [words for place in _places(body) if (words := _words(place) or as_text(place.get("msg")))]
    return _in_one_line("; ".join(dict.fromkeys(found)))


def cut_words(body: bytes) -> str:
    """Return the first message in JSON that is cut off or invalid; empty if there is none."""
    found = _CUT.search(body[:_MAX_PAGE].decode(errors="replace"))
    with suppress(BadResponse):
        return _in_one_line(as_text(parse_json(f'"{found[1]}"'))) if found else ""
    return ""


def page_words(body: bytes) -> str:
    """Return the title of a page of HTML, or the beginning of a text; empty for JSON and for binary data."""
    text = body[:_MAX_PAGE].decode(errors="replace").strip()
    if text.startswith(("{", "[")) or "\0" in text:
        return ""
    title = _TITLE.search(text)
    return _in_one_line(title[1] if title else _TAG.sub(" ", text))


def is_page(body: bytes) -> bool:
    """Return whether a body is HTML, which comes from a gateway and not from an API."""
    return body[:_MAX_PAGE].lstrip().startswith(b"<")


def codes_of(body: JsonObject) -> frozenset[str]:
    """Return all types, codes and reasons of an error, in lower case.

    A number without a type begins with ``#``: services use the same numbers for different errors. The type is returned
    as ``type=...`` too, since some services have the same code in every error.
    """
    found: set[str] = set()
    for place in _places(body):
        names = {str(place[key]).lower() for key in _CODE_FIELDS if isinstance(place.get(key), str | int)}
        is_typed = "type" in place or "object" in place
        found |= names if is_typed else {f"#{name}" if name.isdigit() else name for name in names}
        found |= {f"type={kind.lower()}"} if (kind := as_text(place.get("type"))) else set()
        found |= {as_text(as_object(one).get("reason")).lower() for one in as_list(place.get("details"))}
        if (code := as_int(as_object(place.get("base_resp")).get("status_code"))) is not None:
            found.add(f"minimax-{code}")
    return frozenset(found - {""})


def _places(body: JsonObject) -> Iterator[JsonObject]:
    """Yield the objects that describe the error: ``error`` or the whole body, and what a gateway passes on."""
    error = body.get("error")
    if not isinstance(error, Mapping):
        yield body
        return
    yield error
    yield from _passed_on(as_object(error.get("metadata")))
    yield {name: body[name] for name in _CODE_FIELDS if name in body}


def _passed_on(metadata: JsonObject) -> Iterator[JsonObject]:
    """Yield the error of another service (OpenRouter API: errors, ``metadata.raw``)."""
    if raw := as_text(metadata.get("raw")):
        found: JsonObject = {"message": raw}
        with suppress(BadResponse):
            found = as_object(parse_json(raw))
        yield as_object(found.get("error")) or found


def _words(value: Json) -> str:
    """Return the message in ``{"error": {"message"}}``, ``{"message"}`` or ``{"detail": [{"loc", "msg"}]}``."""
    if not isinstance(value, Mapping):
        return as_text(value) if isinstance(value, str) else "; ".join(map(_complaint, as_list(value)))
    found = (value.get(key) for key in _WORD_FIELDS)
    return next((words for item in found if item and (words := _words(item))), "")


def _complaint(value: Json) -> str:
    """Return one entry of a list of field errors, without its ``input``, which may contain a person's text."""
    complaint = as_object(value)
    place = as_list(complaint.get("loc"))
    return f"{_dotted(place)}: {as_text(complaint.get('msg'))}" if place else _words(value)


def _dotted(place: Sequence[Json]) -> str:
    return ".".join(str(step) for step in place)


def _in_one_line(text: str) -> str:
    return " ".join(text[: 2 * _MAX_READ].split())[:_MAX_READ]
