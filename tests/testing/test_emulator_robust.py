"""Whatever a bot sends, it gets an answer in the form of the Bot API; texts keep their rules."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tgllm.testing.emulator import BotApiError, EmulatedChat, EmulatedUser
from tgllm.testing.emulator.parameters import Kind, known_methods, method_spec
from tgllm.testing.emulator.text import Text, tidy, utf16_len

Call = Callable[..., Awaitable[Any]]

ODD: list[Any] = [
    "x",
    "[]",
    "{}",
    0,
    -7,
    [],
    {},
    [1],
    ["x"],
    [{}],
    {"type": "x", "media": 5},
    [[]],
    {"blocks": 3},
    True,
]


@pytest.mark.parametrize("odd", ODD, ids=str)
async def test_odd_parameters_never_break_the_server(
    ann: EmulatedUser, chat: EmulatedChat, raw: Call, odd: Any
) -> None:
    message = await ann.say("hi")
    fixed = {"chat_id": chat.id, "from_chat_id": chat.id, "message_id": message.id, "text": "x"}
    statuses: set[int] = set()
    for name in known_methods():
        spec = method_spec(name)
        assert spec is not None
        nested = {n: odd for n, p in spec.parameters.items() if p.kind not in {Kind.INTEGER, Kind.FLOAT}}
        answer = await raw(name, **{**nested, **fixed, "timeout": 0})
        statuses.add(200 if answer["ok"] else answer["error_code"])
    assert statuses <= {200, 400, 501}


entities = st.lists(
    st.builds(
        lambda kind, offset, length: {"type": kind, "offset": offset, "length": length},
        st.sampled_from(["bold", "italic", "code", "pre", "blockquote", "spoiler"]),
        st.integers(0, 30),
        st.integers(0, 30),
    ),
    max_size=12,
)


@settings(deadline=None)  # a busy machine is no failure
@given(st.text(alphabet="ab 🎉é\n", max_size=30), entities)
def test_kept_entities_are_in_bounds_nested_and_never_inside_code(text: str, given_ones: list[dict[str, Any]]) -> None:
    try:
        kept = tidy(text, given_ones)
    except BotApiError:
        return
    assert_well_formed(kept)
    assert tidy(kept.text, kept.entities) == kept


def assert_well_formed(kept: Text) -> None:
    spans = [(e["offset"], e["offset"] + e["length"], e["type"]) for e in kept.entities]
    assert all(0 <= start < end <= utf16_len(kept.text) for start, end, _ in spans)
    for number, (start, end, kind) in enumerate(spans):
        for later_start, later_end, _ in spans[number + 1 :]:
            apart = later_start >= end
            assert apart or (start <= later_start and later_end <= end and kind not in {"code", "pre"})
