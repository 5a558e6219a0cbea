"""Tools, calls and results in OpenAI's format."""

import re

import pytest

from tgllm.api import Json, ToolCallPart, ToolDefinition, ToolResultPart
from tgllm.providers.encoding.tool_messages import (
    call_json,
    object_schema,
    result_text,
    sendable_id,
    sendable_name,
    tool_choice,
    tool_json,
)


def test_a_tool() -> None:
    schema = {"type": "object", "properties": {"zone": {"type": "string"}}, "required": ["zone"]}

    assert tool_json(ToolDefinition("clock", "Tells the time.", schema)) == {
        "type": "function",
        "function": {"name": "clock", "description": "Tells the time.", "parameters": schema},
    }


@pytest.mark.parametrize(
    ("schema", "wanted"),
    [
        ({}, {"type": "object", "properties": {}}),
        ({"type": "object"}, {"type": "object", "properties": {}}),
        (
            {"type": "object", "anyOf": [{"properties": {"a": {}}}, {"properties": {"b": {}}, "required": ["b"]}]},
            {"type": "object", "properties": {"a": {}, "b": {}}},
        ),
        (
            {"properties": {"a": 1}, "not": {}, "$defs": {"x": {}}},
            {"properties": {"a": 1}, "$defs": {"x": {}}, "type": "object"},
        ),
        ({"properties": ["no object"], "oneOf": "nor a list"}, {"type": "object", "properties": {}}),
    ],
)
def test_the_outermost_object_is_one_with_properties(schema: dict[str, Json], wanted: dict[str, Json]) -> None:
    assert object_schema(schema) == wanted


@pytest.mark.parametrize(
    ("choice", "wanted"),
    [
        ("auto", None),
        ("none", "none"),
        ("required", "any"),
        ("tool:clock", {"type": "function", "function": {"name": "clock"}}),
    ],
)
def test_the_choice(choice: str, wanted: Json) -> None:
    assert tool_choice(choice, {"required": "any"}) == wanted


def test_a_call() -> None:
    call = ToolCallPart("1", "no such.tool", {"name": "Łódź"})

    assert call_json(call, "call_1") == {
        "id": "call_1",
        "type": "function",
        "function": {"name": "no_such_tool", "arguments": '{"name":"Łódź"}'},
    }


@pytest.mark.parametrize(
    ("text", "is_error", "wanted"),
    [("noon", False, "noon"), ("", False, "(no output)"), ("no such zone", True, "Error: no such zone")],
)
def test_a_result(text: str, is_error: bool, wanted: str) -> None:
    assert result_text(ToolResultPart("1", "clock", text, is_error)) == wanted


@pytest.mark.parametrize("name", ["functions.clock", "", "n" * 80, "часы", "clock<|x|>\ud800"])
def test_names_can_be_sent(name: str) -> None:
    assert re.fullmatch(r"[A-Za-z0-9_-]{1,64}", sendable_name(name))


@pytest.mark.parametrize("identifier", ["call_abc", "0", "a" * 41, "a b", "", "\ud800"])
def test_ids_can_be_sent_and_stay_the_same(identifier: str) -> None:
    pattern = re.compile(r"[A-Za-z0-9]{9}")
    nine = sendable_id(identifier, pattern, 9, "")

    assert re.fullmatch(r"[A-Za-z0-9_-]{1,40}", sendable_id(identifier))
    assert pattern.fullmatch(nine)
    assert nine == sendable_id(identifier, pattern, 9, "")
    assert sendable_id("call_abc") == "call_abc"
