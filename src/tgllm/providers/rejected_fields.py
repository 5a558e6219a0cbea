"""Fields of a request that a service rejects: recognised in its error, and changed once for a second request."""

import asyncio
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from tgllm.api.errors import ErrorParam, ProviderError
from tgllm.api.types import Json, JsonObject
from tgllm.providers.json_values import as_list, as_object, as_text, encode_json, parse_json

__all__ = ["Draft", "RejectedField", "find_rejected", "of_error", "without"]

_STATUSES = frozenset({0, 200, 400, 422})
_CODES = frozenset({"unsupported_parameter", "unsupported_value", "unknown_parameter", "extra_forbidden"})
_NEEDED = frozenset({"model", "messages", "contents", "input", "prompt"})
"""Fields without which there is no request."""
_LIMITS = ("max_tokens", "max_completion_tokens")
_THINKING = ("reasoning_effort", "thinking", "reasoning", "enable_thinking")

_UNKNOWN = re.compile(
    r"(?:unsupported|unknown|unrecognized|unexpected)[a-z ]{0,20}(?:parameter|argument|field|property|input)s?"
    r"[a-z ]{0,12}:? ?['\"`]?(\w+)"
    r"|(?:property|parameter|field|argument) ['\"`](\w+)['\"`] is (?:unsupported|not supported|unknown|not allowed)"
    r"|(?<!model )['\"`](\w+)['\"`] (?:is|are) not supported"
    r"|(?:^|[ .])(\w+): extra inputs are not permitted"
    r"|invalid (temperature): only \S{1,9} is allowed",
    re.IGNORECASE,
)
_SET = re.compile(r"set ['\"`]?(reasoning_effort)['\"`]? to ['\"`](\w+)['\"`]", re.IGNORECASE)
_TOOLS = frozenset({"tools", "tool_choice", "parallel_tool_calls"})
_NO_THINKING = re.compile(r"(?:does not|doesn't|not) support (?:thinking|reasoning)", re.IGNORECASE)
_INSTEAD = re.compile(r"use ['\"`](\w+)['\"`] instead", re.IGNORECASE)
_AT_MOST = re.compile(
    r"max_(?:completion_)?tokens\W{1,3}\d+ > (\d+)"
    r"|at most (\d+) (?:completion|output) tokens"
    r"|max_(?:completion_)?tokens\W{1,3}must be less than or equal to \W?(\d+)"
    r"|max_(?:completion_)?tokens\W{1,3}(?:\d+\W{1,3})?"
    r"(?:exceeds?|cannot exceed|must be at most|is greater than)\D{1,40}(\d+)"
    r"|range of max_(?:completion_)?tokens is \[1, ?(\d+)\]",
    re.IGNORECASE,
)
_ROOM = re.compile(r"max_(?:completion_)?tokens.{0,120}\(\d+ > (\d+) - (\d+)\)", re.IGNORECASE)
_SUM = re.compile(r"max_(?:completion_)?tokens.{0,60}context limit: (\d+) \+ \d+ > (\d+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class RejectedField:
    """A top-level field that the service does not accept as it is."""

    name: str
    instead: str = ""
    """Name of the field that the service wants instead; empty if there is none."""
    at_most: int | None = None
    """Maximum value, if the field itself is accepted."""
    value: str = ""
    """The value that the service wants, if the field has to be sent with it; empty: any."""

    @property
    def params(self) -> Mapping[str, ErrorParam]:
        """The parameters of the error; ``of_error`` is the inverse."""
        known: dict[str, ErrorParam] = {"rejected_field": self.name, "instead": self.instead, "at_most": self.at_most}
        return {**known, "wanted_value": self.value} if self.value else known


def find_rejected(status: int, codes: frozenset[str], words: str, body: JsonObject) -> RejectedField | None:
    """Return the field that an error is about, or None if it is about something else."""
    if status not in _STATUSES:
        return None
    if limit := _limit(words):
        return RejectedField("max_tokens", at_most=limit)
    if wanted := _SET.search(words):
        # As OpenAI says for tools, which its newer models take only without reasoning.
        return RejectedField(wanted[1].lower(), value=wanted[2].lower())
    if _NO_THINKING.search(words):
        return RejectedField("reasoning_effort")
    name = _named(codes, words, body)
    if not name or name in _NEEDED:
        return None
    instead = _INSTEAD.search(words)
    return RejectedField(name, instead[1] if instead else "")


class Draft:
    """A request whose rejected fields can be changed, each of them once."""

    def __init__(self, body: bytes, changed: Callable[[RejectedField], object] = lambda _: None) -> None:
        """Begin with a request as it is encoded first; ``changed`` is called for each field that is changed."""
        self.body = body
        self._report = changed
        self._changed: set[tuple[str, bool]] = set()

    async def change(self, error: ProviderError) -> bool:
        """Change the request so that it avoids an error; return whether that is possible."""
        field = of_error(error)
        if field is None or (mark := (_names(field)[0], field.at_most is not None)) in self._changed:
            return False
        self._changed.add(mark)
        # The body may contain files, which take long to decode and to encode.
        changed = await asyncio.to_thread(_changed, self.body, field)
        if changed is None:
            return False
        self.body = changed
        self._report(field)
        return True


def _changed(body: bytes, field: RejectedField) -> bytes | None:
    changed = without(as_object(parse_json(body)), field)
    return None if changed is None else encode_json(changed)


def of_error(error: ProviderError) -> RejectedField | None:
    """Return the field that an error of ``explain`` is about, or None."""
    name, instead, at_most, value = map(error.params.get, ("rejected_field", "instead", "at_most", "wanted_value"))
    if not isinstance(name, str):
        return None
    return RejectedField(
        name,
        instead if isinstance(instead, str) else "",
        at_most if isinstance(at_most, int) else None,
        value if isinstance(value, str) else "",
    )


def without(body: JsonObject, field: RejectedField) -> dict[str, Json] | None:
    """Return a request without a rejected field, or with the accepted one; None if there is nothing to change."""
    found = {name: body[name] for name in _names(field) if name in body}
    if field.value:
        # Sent even if the field was not: the default of the service is another one.
        rest = {name: value for name, value in body.items() if name not in found}
        return None if body.get(field.name) == field.value else {**rest, field.name: field.value}
    if field.name == "tool_choice":
        # Without tools the model calls none; what else was to happen can't be had.
        return {k: v for k, v in body.items() if k not in _TOOLS} if body.get("tool_choice") == "none" else None
    if not found or found.keys() & _NEEDED:
        return None
    rest = {name: value for name, value in body.items() if name not in found}
    if field.at_most is not None:
        # The same limit again would be rejected again.
        return None if field.at_most in found.values() else {**rest, **dict.fromkeys(found, field.at_most)}
    if field.name in _LIMITS:
        other = next(name for name in _LIMITS if name != field.name)
        return {**rest, other: body[field.name]} if field.name in body else None
    if field.name == "stream":
        return {name: value for name, value in {**rest, "stream": False}.items() if name != "stream_options"}
    return {**rest, field.instead: body[field.name]} if field.instead and field.name in body else rest


def _names(field: RejectedField) -> tuple[str, ...]:
    """Return the names of a field; services may name another one than was sent."""
    return next((names for names in (_LIMITS, _THINKING) if field.name in names), (field.name,))


def _limit(words: str) -> int | None:
    if found := _ROOM.search(words):
        return max(0, int(found[1]) - int(found[2]))
    if found := _SUM.search(words):
        return max(0, int(found[2]) - int(found[1]))
    found = _AT_MOST.search(words)
    return int(next(filter(None, found.groups()))) if found else None


def _named(codes: frozenset[str], words: str, body: JsonObject) -> str:
    """Return the rejected field's name: of ``param``, of a list of field errors, or in the message."""
    error = as_object(body.get("error")) or body
    param = as_text(error.get("param"))
    # Which efforts there are depends on the model.
    if param and (codes & _CODES or param == "reasoning_effort"):
        return re.split(r"[.\[]", param, maxsplit=1)[0]
    for complaint in map(as_object, as_list(error.get("detail"))):
        place = [as_text(step) for step in as_list(complaint.get("loc")) if step != "body"]
        if "extra" in f"{complaint.get('type')} {complaint.get('msg')}".lower() and len(place) == 1:
            return place[0]
    found = _UNKNOWN.search(words)
    return next(filter(None, found.groups()), "") if found else ""
