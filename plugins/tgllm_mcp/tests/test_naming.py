"""Names, texts and schemas of servers, whatever they send."""

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tgllm.api import ToolSpec
from tgllm.plugins.checks.tools import check_tool
from tgllm_mcp.naming import clean_schema, clean_text, tool_names

NAMES = st.lists(st.text(st.characters(exclude_categories=()), max_size=90), max_size=12)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["title", "type", "properties", "items", "default", "enum", "a"]), inner)
    ),
    max_leaves=12,
)


@given(NAMES, st.from_regex(r"([A-Za-z_][A-Za-z0-9_-]{0,31})?", fullmatch=True))
def test_names_are_valid_and_unique_and_none_is_lost(names: list[str], prefix: str) -> None:
    found = tool_names(names, prefix)

    assert found.keys() == set(names)
    assert len(set(found.values())) == len(found)
    assert all(re.fullmatch(r"[A-Za-z_][A-Za-z0-9_-]{0,63}", name) for name in found.values())


@given(NAMES)
def test_the_order_of_a_list_changes_no_name(names: list[str]) -> None:
    assert tool_names(names, "x_") == tool_names(reversed(names), "x_")


def test_a_name_keeps_its_own_prefix() -> None:
    assert tool_names(["git_log", "status"], "git_") == {"git_log": "git_log", "status": "git_status"}


@given(st.dictionaries(st.sampled_from(["type", "properties", "title", "$defs", "required"]), JSON))
def test_a_schema_is_accepted_or_left_out(schema: dict[str, Any]) -> None:
    cleaned = clean_schema({**schema, "type": "object"})

    if cleaned is not None:
        json.dumps(cleaned, allow_nan=False)
        assert "title" not in cleaned


def test_what_says_nothing_is_dropped_and_names_stay() -> None:
    schema = {
        "type": "object",
        "title": "Arguments",
        "$schema": "http://json-schema.org/draft-07/schema#",
        "properties": {
            "title": {"type": "string", "title": "Title", "default": None},
            "default": {"enum": ["title", None], "default": "title"},
            "list": {"items": {"title": "x", "anyOf": [{"type": "null", "title": "y"}]}},
        },
        "required": ["title"],
    }

    assert clean_schema(schema) == {
        "type": "object",
        "properties": {
            "title": {"type": "string"},
            "default": {"enum": ["title", None], "default": "title"},
            "list": {"items": {"anyOf": [{"type": "null"}]}},
        },
        "required": ["title"],
    }


def test_a_schema_that_is_too_deep_or_no_object_is_left_out() -> None:
    deep: dict[str, Any] = {}
    for _ in range(5_000):
        deep = {"items": deep}

    assert clean_schema({"type": "object", "properties": {"a": deep}}) is None
    assert clean_schema({"type": "array"}) is None
    assert clean_schema({"type": "object", "a": float("nan")}) is None


@given(st.text(st.characters(exclude_categories=()), max_size=300), st.integers(5, 100))
def test_a_text_is_cut_and_holds_nothing_invisible(text: str, longest: int) -> None:
    cleaned = clean_text(text, longest)

    assert len(cleaned) <= longest
    assert not re.search("[\u202a-\u202e\u2066-\u2069\x00-\x08\x1b\ud800-\udfff\ufeff]", cleaned)
    if cleaned:
        check_tool(ToolSpec("name", cleaned, _handler))


async def _handler(_use: Any) -> str:
    return ""


@pytest.mark.parametrize("text", ["a\u202eb", "\u200bab\u2066", "ab\x1b"])
def test_hidden_characters_are_removed(text: str) -> None:
    assert clean_text(text, 10) == "ab"


@pytest.mark.parametrize(
    "wrong",
    [
        {"properties": [1]},
        {"properties": {"a": None}},
        {"properties": {"a": {"type": "text"}}},
        {"properties": {"a": {"type": []}}},
        {"properties": {"a": {"type": [{}]}}},
        {"properties": {"a": {"enum": "x"}}},
        {"properties": {"a": {"items": {"anyOf": []}}}},
        {"properties": {"a": {"$ref": "https://example.org/schema"}}},
        {"$defs": {"a": 1}},
        {"required": "a"},
        {"required": [1]},
    ],
)
def test_a_schema_that_services_refuse_is_not_usable(wrong: dict[str, object]) -> None:
    assert clean_schema({"type": "object", **wrong}) is None


def test_what_only_looks_wrong_in_a_schema_is_kept() -> None:
    schema = {
        "type": "object",
        "properties": {
            "type": {"type": ["string", "null"]},
            "required": True,
            "items": {"enum": [{"type": "any"}], "default": {"required": 1}},
        },
        "x-form": {"type": "own", "required": "yes"},
        "$defs": {"a": {"$ref": "#/$defs/a"}},
    }

    assert clean_schema(schema) == schema
