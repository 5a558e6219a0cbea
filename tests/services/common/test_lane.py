"""How lanes are written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tgllm.services.common.lane import Lane

IDS = st.integers(-(2**52), 2**52)


@given(IDS, st.none() | st.integers(1, 2**31), st.none() | st.text(min_size=1))
def test_what_was_written_is_read(chat_id: int, topic_id: int | None, connection: str | None) -> None:
    lane = Lane(chat_id, topic_id, connection)
    assert Lane.parse(lane.key) == lane


def test_different_places_have_different_keys() -> None:
    lanes = [Lane(1), Lane(-1), Lane(1, 2), Lane(12), Lane(1, business_connection_id="b"), Lane(1, 2, "b")]
    assert len({lane.key for lane in lanes}) == len(lanes)


@pytest.mark.parametrize("text", ["", "7", "::", ":x:", ":7:y"])
def test_other_text_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  which of the parts is wrong does not matter
        Lane.parse(text)
