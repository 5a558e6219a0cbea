"""Deadlines of a stream by what it brings."""

import pytest

from tgllm.api import ReasoningDelta, StreamEvent, TextDelta, Waiting
from tgllm.services.turns.patience import Patience
from tgllm.testing.clock import ManualClock


async def test_text_and_reasoning_restart_both_limits(clock: ManualClock) -> None:
    patience = Patience(10, 100, clock)
    for event in (TextDelta("a"), ReasoningDelta("b")):
        await clock.advance(95)
        assert patience.after(event) == 10
        assert patience.seconds == 10


@pytest.mark.parametrize("event", [Waiting("queue"), TextDelta(""), ReasoningDelta(""), 7], ids=repr)
async def test_what_brings_no_text_restarts_the_idle_limit_only_up_to_the_other(
    event: StreamEvent, clock: ManualClock
) -> None:
    patience = Patience(10, 100, clock)
    left = []
    for _ in range(13):
        left.append(patience.after(event))
        await clock.advance(9)
    assert left == [10] * 11 + [1, 0]
    assert patience.seconds == 100


async def test_the_limit_begins_with_the_first_event_and_is_never_below_the_idle_limit(clock: ManualClock) -> None:
    patience = Patience(50, 5, clock)
    await clock.advance(1000)
    assert patience.after(Waiting("queue")) == 50
    await clock.advance(49)
    assert patience.after(Waiting("queue")) == 1
    assert patience.seconds == 50
