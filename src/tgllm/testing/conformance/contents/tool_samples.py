"""Tools with which providers are tested."""

import json
from typing import Any

from tgllm.api import ToolCall, ToolDefinition
from tgllm.providers.json_values import as_object
from tgllm.testing.asking import Heard

__all__ = ["CITY", "CLOCK", "PLANETS", "TOOLS", "arguments_of", "properties_of", "whole_calls"]

CLOCK = "clock"
CITY = "city-facts_2"
PLANETS = "planets"
TOOLS = (
    ToolDefinition(
        CLOCK,
        "Tells the time in a time zone.",
        {
            "type": "object",
            "properties": {"zone": {"type": "string", "description": "Name in the IANA database."}},
            "required": ["zone"],
            "additionalProperties": False,
        },
    ),
    ToolDefinition(
        CITY,
        "Tells facts about a city, „ausführlich“.",
        # With keywords that some services refuse in places.
        {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "type": "object",
            "properties": {
                "name": {"type": "string", "minLength": 1},
                "depth": {"anyOf": [{"type": "integer", "exclusiveMinimum": 0}, {"type": "null"}], "default": None},
                "of": {"$ref": "#/$defs/Kind"},
            },
            "$defs": {"Kind": {"enum": ["people", "places", 3]}},
            "required": ["name"],
        },
    ),
    ToolDefinition(PLANETS, "Lists the planets.", {"type": "object", "properties": {}}),
)
"""A usual tool, one with a schema from a foreign server, and one without arguments."""


def whole_calls(heard: Heard) -> list[ToolCall]:
    """Return the calls of an answer."""
    return [event for event in heard.events if isinstance(event, ToolCall)]


def arguments_of(call: ToolCall) -> Any:  # noqa: ANN401  JSON of any form
    """Return the arguments as JSON; as text if they are none."""
    try:
        return json.loads(call.arguments or "{}")
    except ValueError:
        return call.arguments


def properties_of(tool: ToolDefinition) -> set[str]:
    """Return the names of the arguments."""
    return {*as_object(tool.schema.get("properties"))}
