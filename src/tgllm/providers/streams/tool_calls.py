"""Calls of tools in a streamed answer of OpenAI's chat completions API."""

import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field

from tgllm.api.errors import BadResponse
from tgllm.api.events import ToolCall, ToolCallDelta
from tgllm.api.types import Json, JsonObject
from tgllm.providers.json_values import as_int, as_list, as_object, as_text, encode_json, parse_json

__all__ = ["ToolCallReader"]

_OWN = frozenset({"index", "id", "type", "function"})
"""Fields of a fragment in the format."""


@dataclass(slots=True)
class _Call:
    id: str = ""
    name: str = ""
    arguments: list[str] = field(default_factory=list[str])
    extra: dict[str, Json] = field(default_factory=dict[str, Json])

    @property
    def text(self) -> str:
        return "".join(self.arguments)

    @property
    def is_whole(self) -> bool:
        """Whether the arguments are complete, so that a further fragment with a name begins another call."""
        try:
            parse_json(self.text)
        except BadResponse:
            return False
        return True


class ToolCallReader:
    """Joins the fragments of calls, in any of the ways in which services and gateways send them.

    The index of a fragment says to which call it belongs; fragments of several calls may be mixed. Some services give
    all calls the same index, or none: there a new id, or a name after complete arguments, begins a new call.
    """

    def __init__(self) -> None:
        """Create a reader for one answer."""
        self._calls: list[_Call] = []
        self._by_index: dict[int, _Call] = {}

    @property
    def begun(self) -> bool:
        """Whether there is a call, possibly an incomplete one."""
        return bool(self._calls)

    def take(self, fragments: Json) -> Iterator[ToolCallDelta]:
        """Read the list ``tool_calls`` of one chunk; yield a sign of each fragment."""
        for fragment in map(as_object, as_list(fragments)):
            function = as_object(fragment.get("function"))
            name, arguments = as_text(function.get("name")), _text(function.get("arguments"))
            call = self._call_of(fragment, name, arguments)
            call.id = call.id or as_text(fragment.get("id"))
            if name != call.name:
                call.name += name
            call.extra.update({key: value for key, value in fragment.items() if key not in _OWN})
            if arguments:
                call.arguments.append(arguments)
            yield ToolCallDelta(call.name, arguments)

    def calls(self) -> Iterator[ToolCall]:
        """Yield the calls, each with an id of its own; called when the answer is complete.

        A call without a name can't be made, and is left out.
        """
        taken: set[str] = set()
        for call in self._calls:
            identifier = call.id
            while not identifier or identifier in taken:
                identifier = f"call_{secrets.token_hex(12)}"
            taken.add(identifier)
            if call.name:
                yield ToolCall(identifier, call.name, call.text)

    def extras(self) -> list[JsonObject]:
        """Return what the service has sent with each call beside the format's fields, such as signatures."""
        return [call.extra for call in self._calls if call.name]

    def _call_of(self, fragment: JsonObject, name: str, arguments: str) -> _Call:
        index, identifier = as_int(fragment.get("index")), as_text(fragment.get("id"))
        last = self._calls[-1] if self._calls else None
        call = last if index is None else self._by_index.get(index)
        if call is None or _begins_another(call, identifier, name, arguments, has_index=index is not None):
            known = [each for each in self._calls if identifier and each.id == identifier]
            call = known[-1] if known and index is None else self._new()
        if index is not None:
            self._by_index[index] = call
        return call

    def _new(self) -> _Call:
        call = _Call()
        self._calls.append(call)
        return call


def _begins_another(call: _Call, identifier: str, name: str, arguments: str, *, has_index: bool) -> bool:
    """Return whether a fragment with the index of a call, or with none, is the first one of another call."""
    if identifier and call.id:
        return identifier != call.id
    if not (name and call.name):
        return False
    if name != call.name:
        # Without arguments yet, it may be the next piece of the name.
        return not has_index or bool(call.arguments or arguments)
    return bool(call.arguments and arguments and call.is_whole)


def _text(arguments: Json) -> str:
    """Return arguments as text; some services send them as an object."""
    if arguments is None or isinstance(arguments, str):
        return arguments or ""
    return encode_json(arguments).decode()
