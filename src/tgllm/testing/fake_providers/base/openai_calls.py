"""Calls of tools in the chunks of OpenAI's format, as services stream them."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from tgllm.api.events import ToolCall

__all__ = ["CALL_FORMS", "Fragments", "fragments", "whole_calls"]

_PIECE = 7
"""Characters of a fragment of arguments."""

Fragments = Iterator[list[dict[str, Any]]]
"""Lists ``tool_calls``, one for each chunk."""


def fragments(calls: Sequence[ToolCall], form: str) -> Fragments:
    """Return the lists of a stream, in one of ``CALL_FORMS`` or the usual form.

    Raises:
        NotImplementedError: arguments that are no JSON object can't be sent as one.
    """
    return _FORMS[form](calls)


def whole_calls(calls: Sequence[ToolCall]) -> list[dict[str, Any]]:
    """Return the list of an answer without streaming."""
    return [_without(_whole(call, 0), "index") for call in calls]


def _whole(call: ToolCall, index: int) -> dict[str, Any]:
    function = {"name": call.name, "arguments": call.arguments}
    return {"index": index, "id": call.id, "type": "function", "function": function}


def _as_object(call: ToolCall, index: int) -> dict[str, Any]:
    try:
        arguments: object = json.loads(call.arguments or "{}")
    except ValueError:
        raise NotImplementedError("arguments that are no JSON can't be sent as an object") from None
    return {**_whole(call, index), "function": {"name": call.name, "arguments": arguments}}


def _pieces(call: ToolCall, index: int) -> Iterator[dict[str, Any]]:
    """Yield a call with its name first, then its arguments in pieces."""
    yield {**_whole(call, index), "function": {"name": call.name, "arguments": ""}}
    for start in range(0, len(call.arguments), _PIECE):
        yield {"index": index, "function": {"arguments": call.arguments[start : start + _PIECE]}}


def _mixed(calls: Sequence[ToolCall]) -> Fragments:
    """Yield the pieces of all calls by turns."""
    streams = [_pieces(call, index) for index, call in enumerate(calls)]
    while pieces := [piece for stream in streams if (piece := next(stream, None)) is not None]:
        yield from ([piece] for piece in pieces)


def _without(fragment: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in fragment.items() if key != name}


def _usual(calls: Sequence[ToolCall]) -> Fragments:
    for index, call in enumerate(calls):
        yield from ([each] for each in _pieces(call, index))


def _with_empty_pieces(calls: Sequence[ToolCall]) -> Fragments:
    for index, call in enumerate(calls):
        for each in _pieces(call, index):
            yield [each]
            yield [{"index": index, "function": {"arguments": ""}}]
            yield []


def _with_ids_everywhere(calls: Sequence[ToolCall]) -> Fragments:
    for index, call in enumerate(calls):
        for each in _pieces(call, index):
            yield [{**each, "id": call.id, "function": {"name": call.name, **each["function"]}}]


def _each_without(name: str) -> Callable[[Sequence[ToolCall]], Fragments]:
    return lambda calls: ([_without(each, name)] for i, call in enumerate(calls) for each in _pieces(call, i))


_FORMS: Mapping[str, Callable[[Sequence[ToolCall]], Fragments]] = {
    "": _usual,
    "whole": lambda calls: ([_whole(call, index)] for index, call in enumerate(calls)),
    "all in one chunk": lambda calls: iter([[_whole(call, index) for index, call in enumerate(calls)]]),
    "mixed": _mixed,
    "one index": lambda calls: ([_whole(call, 0)] for call in calls),
    "one index, no ids": lambda calls: ([_without(_whole(call, 0), "id")] for call in calls),
    "no index": _each_without("index"),
    "no ids": _each_without("id"),
    "ids everywhere": _with_ids_everywhere,
    "arguments as an object": lambda calls: ([_as_object(call, index)] for index, call in enumerate(calls)),
    "empty pieces": _with_empty_pieces,
}
CALL_FORMS: Final = frozenset(_FORMS) - {""}
"""Forms besides the usual one, in which a call is sent after the other, in pieces of its arguments.

Ollama and Mistral send whole calls, vLLM and OpenAI mixed ones; others leave out the index or the id, or give all calls
one index.
"""
