"""How lanes are written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tgllm.services.common.lane import Lane

IDS = st.integers(-(2**52), 2**52)


LANES = st.builds(
    Lane,
    IDS,
    st.none() | st.integers(1, 2**31),
    st.none() | st.text(min_size=1),
    st.none() | IDS,
    st.none() | IDS,
)


@given(LANES)
def test_what_was_written_is_read(lane: Lane) -> None:
    assert Lane.parse(lane.key) == lane


@given(LANES, LANES)
def test_different_places_have_different_keys(one: Lane, other: Lane) -> None:
    assert (one.key == other.key) == (one == other)


@pytest.mark.parametrize(
    ("key", "lane"),
    [(":7:", Lane(7)), (":-100:3", Lane(-100, 3)), ("b:7:", Lane(7, None, "b")), ("b:-100:3", Lane(-100, 3, "b"))],
)
def test_keys_of_earlier_versions_are_valid(key: str, lane: Lane) -> None:
    assert (Lane.parse(key), lane.key) == (lane, key)


@pytest.mark.parametrize("text", ["", "7", "::", ":x:", ":7:y", ":7:d", ":7:e1d1", ":7:1d2x"])
def test_other_text_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  which of the parts is wrong does not matter
        Lane.parse(text)
