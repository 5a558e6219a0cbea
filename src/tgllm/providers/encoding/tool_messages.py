"""Tools, their calls and results in the requests of OpenAI's chat completions API."""

import hashlib
import re
from collections.abc import Mapping
from typing import Final

from tgllm.api.types import Json, JsonObject, ToolCallPart, ToolChoice, ToolDefinition, ToolResultPart
from tgllm.providers.json_values import as_list, as_object, encode_json

__all__ = [
    "NO_OUTPUT",
    "call_json",
    "object_schema",
    "result_text",
    "sendable_id",
    "sendable_name",
    "tool_choice",
    "tool_json",
]

NO_OUTPUT: Final = "(no output)"
"""Text of an empty result, since some services refuse an empty message."""
_MAX_NAME = 64
_NO_NAME = re.compile(r"[^A-Za-z0-9_-]")
_ID = re.compile(r"[A-Za-z0-9_-]{1,40}")
_ALTERNATIVES = ("allOf", "anyOf", "oneOf")
_REFUSED_AT_ROOT = frozenset({*_ALTERNATIVES, "enum", "not"})
"""Keywords that OpenAI refuses in the outermost object: one such tool would fail the whole request."""


def tool_json(tool: ToolDefinition) -> JsonObject:
    """Return the description of a tool."""
    function = {"name": tool.name, "description": tool.description, "parameters": object_schema(tool.schema)}
    return {"type": "function", "function": function}


def object_schema(schema: JsonObject) -> JsonObject:
    """Return a schema that is an object with properties, without alternatives in its outermost object.

    The properties of the alternatives stay; which of them fit together is checked when a call is made.
    """
    properties: dict[str, Json] = {}
    for part in (schema, *(as_object(each) for name in _ALTERNATIVES for each in as_list(schema.get(name)))):
        for name, value in as_object(part.get("properties")).items():
            properties.setdefault(name, value)
    rest = {name: value for name, value in schema.items() if name not in _REFUSED_AT_ROOT}
    return {**rest, "type": "object", "properties": properties}


def tool_choice(choice: ToolChoice, words: Mapping[str, str] | None = None) -> Json:
    """Return the field ``tool_choice``; None for ``auto``, which is the default of all services.

    Args:
        choice: as in ``ChatRequest``.
        words: the service's own words, such as ``any`` for ``required``.
    """
    if choice == "auto":
        return None
    kind, _, name = choice.partition(":")
    return {"type": "function", "function": {"name": name}} if kind == "tool" else (words or {}).get(choice, choice)


def call_json(call: ToolCallPart, identifier: str) -> JsonObject:
    """Return a call for a message of the assistant."""
    arguments = encode_json(call.arguments).decode()
    return {
        "id": identifier,
        "type": "function",
        "function": {"name": sendable_name(call.name), "arguments": arguments},
    }


def result_text(result: ToolResultPart) -> str:
    """Return the content of a message with a result; the format has no field for an error."""
    text = result.text or NO_OUTPUT
    return f"Error: {text}" if result.is_error else text


def sendable_name(name: str) -> str:
    """Return a name of a tool, as a model has written it, without what the services refuse."""
    return _NO_NAME.sub("_", name)[:_MAX_NAME] or "_"


def sendable_id(identifier: str, pattern: re.Pattern[str] = _ID, length: int = 24, prefix: str = "call_") -> str:
    """Return an id that fits the pattern as it is, or else a prefix and ``length`` hexadecimal digits of its digest."""
    if pattern.fullmatch(identifier):
        return identifier
    # Surrogates are no reason to fail.
    digest = hashlib.sha256(identifier.encode(errors="surrogatepass")).hexdigest()
    return f"{prefix}{digest[:length]}"
