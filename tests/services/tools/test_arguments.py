"""Arguments of calls, and the schemas that check them."""

import json
from typing import Any

import pytest

from tgllm.services.tools.arguments import MOST_CHARS, WrongArguments, parse_arguments

OBJECT: dict[str, Any] = {"type": "object"}


def parsed(text: str, **schema: Any) -> Any:
    return parse_arguments(text, {**OBJECT, **schema})


@pytest.mark.parametrize("text", ["", "  ", "{}"])
def test_no_arguments_are_an_empty_object(text: str) -> None:
    assert parsed(text) == {}


@pytest.mark.parametrize(
    "text",
    [
        "{a:",
        "[]",
        "1",
        '"x"',
        '{"a": NaN}',
        '{"a": Infinity}',
        '{"a": 1e999}',
        '{"a": [-1e999]}',
        "[" * 100_000,
        '{"a":' * 50 + "1" + "}" * 50,
    ],
)
def test_what_is_no_object_is_refused(text: str) -> None:
    with pytest.raises(WrongArguments):
        parsed(text)


def test_too_long_arguments_are_refused() -> None:
    with pytest.raises(WrongArguments, match="too long"):
        parsed(json.dumps({"a": "x" * MOST_CHARS}))


def test_signs_that_can_not_be_stored_are_removed() -> None:
    assert parsed('{"a\\u0000": ["\\u0000b", "\\ud83d\\ude00", "\\ud83d"]}') == {
        "a": ["b", "😀", "\N{REPLACEMENT CHARACTER}"]
    }


def test_the_error_says_where_it_is() -> None:
    properties = {"a": {"type": "array", "items": {"type": "integer"}}}
    with pytest.raises(WrongArguments, match=r"\$\.a\[1\]: 'x' is not of type 'integer'"):
        parsed('{"a": [1, "x"]}', properties=properties)


def test_local_references_are_followed() -> None:
    schema: dict[str, Any] = {"properties": {"a": {"$ref": "#/$defs/n"}}, "$defs": {"n": {"type": "integer"}}}
    assert parsed('{"a": 1}', **schema) == {"a": 1}
    with pytest.raises(WrongArguments):
        parsed('{"a": "x"}', **schema)


def test_references_to_other_documents_are_not_read() -> None:
    with pytest.raises(WrongArguments, match="schema of the tool can't be used"):
        parsed('{"a": 1}', properties={"a": {"$ref": "http://127.0.0.1:9/schema.json"}})


def test_regular_expressions_are_not_run() -> None:
    bomb = {"type": "string", "pattern": "^(a+)+$"}
    assert parsed(json.dumps({"a": "a" * 40 + "!"}), properties={"a": bomb})
    assert parsed(json.dumps({"a" * 40 + "!": 1}), patternProperties={"^(a+)+$": {}}, additionalProperties=False)


def test_a_closed_object_takes_no_other_names() -> None:
    with pytest.raises(WrongArguments, match="Additional properties"):
        parsed('{"b": 1}', properties={"a": {}}, additionalProperties=False)


def test_a_schema_that_branches_without_end_is_refused() -> None:
    depth = 40
    defs = {f"d{n}": {"anyOf": [{"$ref": f"#/$defs/d{n + 1}"}] * 2} for n in range(depth)}
    defs[f"d{depth}"] = {"type": "string"}  # pyright: ignore[reportArgumentType]  another shape than the others
    with pytest.raises(WrongArguments, match="too many references"):
        parsed('{"a": 1}', properties={"a": {"$ref": "#/$defs/d0"}}, **{"$defs": defs})


def test_a_schema_that_refers_to_itself_is_refused() -> None:
    with pytest.raises(WrongArguments):
        parsed("{}", **{"$ref": "#"})


def test_a_broken_schema_is_refused_and_not_raised() -> None:
    with pytest.raises(WrongArguments):
        parsed('{"a": 1}', properties={"a": {"type": 5}})
