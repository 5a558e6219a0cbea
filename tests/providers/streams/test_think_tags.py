"""Reasoning between tags at the beginning of a text, in pieces of any size."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tgllm.api.events import ReasoningDelta, TextDelta
from tgllm.providers.streams.think_tags import ThinkTags


def split(*pieces: str) -> tuple[str, str]:
    """The reasoning and the text."""
    tags = ThinkTags()
    events = [event for piece in pieces for event in tags.split(piece)]
    events += tags.rest()
    assert all(event.text for event in events)
    return (
        "".join(event.text for event in events if isinstance(event, ReasoningDelta)),
        "".join(event.text for event in events if isinstance(event, TextDelta)),
    )


SAMPLES = [
    ("Hello", "", "Hello"),
    ("<think>\nhm\n</think>\n\nHello", "hm", "Hello"),
    (" \n<think>hm</think>Hello", "hm", "Hello"),
    ("<think></think>\n\nHello", "", "Hello"),
    ("<think>\n\n</think>\n\nHello", "", "Hello"),
    ("<think>a < b, </thin> b\n\nc</think> Hello </think> again", "a < b, </thin> b\n\nc", "Hello </think> again"),
    ("<think>it was cut off</thi", "it was cut off</thi", ""),
    ("<think>only thoughts</think>\n", "only thoughts", ""),
    ("Use <think>x</think> tags", "", "Use <think>x</think> tags"),
    ("<thinker>", "", "<thinker>"),
    ("<thi", "", "<thi"),
    ("  indented", "", "  indented"),
    ("", "", ""),
]


@pytest.mark.parametrize(("text", "reasoning", "said"), SAMPLES)
def test_at_once_and_sign_by_sign(text: str, reasoning: str, said: str) -> None:
    assert split(text) == (reasoning, said)
    assert split(*text) == (reasoning, said)


@given(st.sampled_from(SAMPLES), st.lists(st.integers(1, 9), min_size=1))
def test_pieces_of_any_size_make_no_difference(sample: tuple[str, str, str], sizes: list[int]) -> None:
    text, reasoning, said = sample
    pieces, rest = [], text
    for size in sizes:
        pieces.append(rest[:size])
        rest = rest[size:]

    assert split(*filter(None, [*pieces, rest])) == (reasoning, said)


@given(st.text(alphabet="a<>/think \n", max_size=60))
def test_a_text_without_the_tag_at_its_beginning_stays(text: str) -> None:
    if not text.lstrip().startswith("<think>"):
        assert split(*text) == ("", text)
