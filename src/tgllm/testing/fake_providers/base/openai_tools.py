"""Checks of tools, calls and results in requests of OpenAI's format."""

import json
import re
from collections.abc import Sequence
from typing import Any, Protocol, cast

__all__ = ["ToolMessage", "broken_tools", "unanswered", "wrong_calls"]

_NAME = re.compile(r"[a-zA-Z0-9_-]+")
_MAX_NAME = 64
_MAX_ID = 40
_MAX_TOOLS = 128
_REFUSED_AT_ROOT = ("oneOf", "anyOf", "allOf", "enum", "not")
_WORDS = frozenset({"none", "auto", "required"})
_UNANSWERED = (
    "An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'. "
    "The following tool_call_ids did not have response messages: {}"
)
_ORPHAN = "Invalid parameter: messages with role 'tool' must be a response to a preceeding message with 'tool_calls'."


class ToolMessage(Protocol):
    """A message with what is checked of it."""

    @property
    def role(self) -> str:
        """Return who says it."""
        ...

    @property
    def tool_calls(self) -> list[dict[str, Any]] | None:
        """Return the calls in it."""
        ...

    @property
    def tool_call_id(self) -> str | None:
        """Return the call that it is the result of."""
        ...


def broken_tools(tools: Sequence[dict[str, Any]] | None, choice: object) -> str | None:
    """Return what is wrong with the fields ``tools`` and ``tool_choice``; None for nothing."""
    if tools is None:
        return None if choice is None else "Invalid value: 'tool_choice' is only allowed when 'tools' are specified."
    if not tools:
        return "Invalid 'tools': empty array. Expected an array with minimum length 1, but got an empty array instead."
    if len(tools) > _MAX_TOOLS:
        return f"Invalid 'tools': array too long. Expected an array with maximum length {_MAX_TOOLS}."
    for number, tool in enumerate(tools):
        if problem := _broken_tool(tool, f"tools[{number}]"):
            return problem
    names = [tool["function"]["name"] for tool in tools]
    if len({*names}) < len(names):
        return "Invalid 'tools': tool names must be unique."
    return _broken_choice(choice, names)


def wrong_calls(messages: Sequence[ToolMessage]) -> str | None:
    """Return what is wrong with the calls themselves: ids, names, arguments."""
    for number, message in enumerate(messages):
        for place, call in enumerate(message.tool_calls or ()):
            where = f"messages[{number}].tool_calls[{place}]"
            function: Any = call.get("function")
            if call.get("type") != "function" or not isinstance(function, dict):
                return f"Missing required parameter: '{where}.type'."
            if not isinstance(call.get("id"), str) or not call["id"]:
                return f"Missing required parameter: '{where}.id'."
            if len(call["id"]) > _MAX_ID:
                return f"Invalid '{where}.id': string too long. Expected a string with maximum length {_MAX_ID}."
            named = cast("dict[str, Any]", function)
            if problem := _wrong_name(named.get("name"), f"{where}.function.name"):
                return problem
            if not _is_json(named.get("arguments")):
                return f"Invalid type for '{where}.function.arguments': expected a string with JSON."
    return None


def unanswered(messages: Sequence[ToolMessage]) -> str | None:
    """Return what is missing: each call needs exactly one result, before any other message."""
    open_ids: list[str] = []
    for message in messages:
        if message.role == "tool":
            if message.tool_call_id not in open_ids:
                return _ORPHAN
            open_ids.remove(message.tool_call_id)
            continue
        if open_ids:
            return _UNANSWERED.format(", ".join(open_ids))
        open_ids = [str(call["id"]) for call in message.tool_calls or ()]
    return _UNANSWERED.format(", ".join(open_ids)) if open_ids else None


def _broken_tool(tool: dict[str, Any], where: str) -> str | None:
    function: Any = tool.get("function")
    if tool.get("type") != "function" or not isinstance(function, dict):
        return f"Missing required parameter: '{where}.function'."
    named = cast("dict[str, Any]", function)
    if problem := _wrong_name(named.get("name"), f"{where}.function.name"):
        return problem
    schema: Any = named.get("parameters", {"type": "object", "properties": {}})
    wrong = f"Invalid schema for function '{named['name']}':"
    if not isinstance(schema, dict) or schema.get("type") != "object":  # pyright: ignore[reportUnknownMemberType]  JSON of any form
        return f"{wrong} schema must be a JSON Schema of 'type: \"object\"', got 'type: \"None\"'."
    if "properties" not in schema:
        return f"{wrong} In context=(), object schema missing properties."
    if any(name in schema for name in _REFUSED_AT_ROOT):
        return f"{wrong} schema must have type 'object' and not have 'oneOf'/'anyOf'/'allOf'/'enum'/'not' at the top."
    return None


def _broken_choice(choice: object, names: Sequence[str]) -> str | None:
    if choice is None or (isinstance(choice, str) and choice in _WORDS):
        return None
    if not isinstance(choice, dict):
        return f"Invalid value: '{choice}'. Supported values are: 'none', 'auto', and 'required'."
    function: Any = cast("dict[str, Any]", choice).get("function")
    name = function.get("name") if isinstance(function, dict) else None  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]  JSON of any form
    return None if name in names else f"Tool choice '{name}' not found in 'tools' parameter."


def _wrong_name(name: object, where: str) -> str | None:
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        return f"Invalid '{where}': string does not match pattern. Expected a string that matches '^[a-zA-Z0-9_-]+$'."
    if len(name) > _MAX_NAME:
        return f"Invalid '{where}': string too long. Expected a string with maximum length {_MAX_NAME}."
    return None


def _is_json(arguments: object) -> bool:
    try:
        return isinstance(arguments, str) and isinstance(json.loads(arguments), dict)
    except ValueError:
        return False
