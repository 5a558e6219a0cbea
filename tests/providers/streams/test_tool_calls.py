"""Calls of tools, joined from the fragments of a stream."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tgllm.api import ToolCall
from tgllm.providers.streams.tool_calls import ToolCallReader
from tgllm.testing.fake_providers.base.openai_calls import CALL_FORMS, fragments

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(), lambda inner: st.lists(inner, max_size=3), max_leaves=5
)
OBJECTS = st.dictionaries(st.text(max_size=5), VALUES, max_size=3)
NAMES = st.text("abc_-9", min_size=1, max_size=12)


def read(*chunks: Any) -> list[ToolCall]:
    reader = ToolCallReader()
    for chunk in chunks:
        list(reader.take(chunk))
    return list(reader.calls())


def plain(calls: list[ToolCall]) -> list[tuple[str, str]]:
    return [(call.name, call.arguments) for call in calls]


@given(
    calls=st.lists(st.tuples(NAMES, OBJECTS.filter(bool)), min_size=1, max_size=4),
    form=st.sampled_from(sorted(CALL_FORMS)),
)
@settings(max_examples=300, deadline=None)
def test_calls_are_the_same_in_every_form(calls: list[tuple[str, Any]], form: str) -> None:
    sent = [ToolCall(f"call_{n}", name, json.dumps(arguments)) for n, (name, arguments) in enumerate(calls)]

    found = read(*fragments(sent, form))

    assert [(call.name, json.loads(call.arguments)) for call in found] == calls
    assert len({call.id for call in found}) == len(sent)
    if form not in {"no ids", "one index, no ids"}:
        assert [call.id for call in found] == [call.id for call in sent]


@given(chunks=st.lists(VALUES | st.lists(st.dictionaries(st.sampled_from(["index", "id", "function"]), VALUES))))
def test_anything_can_come(chunks: list[Any]) -> None:
    for call in read(*chunks):
        assert call.name
        assert call.id


@pytest.mark.parametrize("arguments", ["", None, "{}", {}])
def test_a_call_without_arguments(arguments: Any) -> None:
    (call,) = read([{"index": 0, "id": "a", "function": {"name": "now", "arguments": arguments}}])

    assert json.loads(call.arguments or "{}") == {}


def test_the_same_call_again_with_another_id_is_another_call() -> None:
    one = {"index": 0, "function": {"name": "now", "arguments": "{}"}}

    assert [call.id for call in read([{**one, "id": "a"}], [{**one, "id": "b"}])] == ["a", "b"]


def test_equal_ids_become_different_ones() -> None:
    calls = read([{"index": n, "id": "call_0", "function": {"name": "now", "arguments": "{}"}} for n in (0, 1)])

    assert len({call.id for call in calls}) == 2
    assert calls[0].id == "call_0"


def test_a_name_in_pieces() -> None:
    pieces = [{"index": 0, "id": "a", "function": {"name": "get_"}}, {"index": 0, "function": {"name": "time"}}]

    assert plain(read([pieces[0]], [pieces[1]], [{"index": 0, "function": {"arguments": "{}"}}])) == [
        ("get_time", "{}")
    ]


def test_a_call_without_a_name_is_left_out() -> None:
    assert plain(read([{"index": 0, "function": {"arguments": "{}"}}, {"index": 1, "function": {"name": "now"}}])) == [
        ("now", "")
    ]


def test_invalid_arguments_stay() -> None:
    assert plain(read([{"function": {"name": "now", "arguments": '{"zone": "Eu'}}])) == [("now", '{"zone": "Eu')]


def test_signatures_beside_calls_are_kept() -> None:
    reader = ToolCallReader()
    extra = {"extra_content": {"google": {"thought_signature": "abc"}}}

    list(reader.take([{"index": 0, "id": "a", "type": "function", "function": {"name": "now"}, **extra}]))

    assert reader.extras() == [extra]
