"""The interval between two changes of a display."""

import pytest
from pydantic import ValidationError

from tgllm.bot.streaming.pace import AdaptiveInterval, Pace
from tgllm.bot.turns.start import LONGEST_OF_DRAFTS
from tgllm.config.model import StreamingSection

FADES_AFTER = 30
"""Seconds that Telegram shows a draft. Bot API: sendMessageDraft."""


def interval_of(seconds: float, longest: float = 5.0) -> AdaptiveInterval:
    return AdaptiveInterval(Pace(first_delay=0.3, interval=seconds, keep_alive=20.0, longest=longest))


def test_it_begins_as_it_is_set() -> None:
    assert interval_of(1.0).seconds == 1.0


def test_it_doubles_up_to_the_longest() -> None:
    interval = interval_of(1.0)
    seen: list[float] = []
    for _ in range(4):
        interval.slow_down()
        seen.append(interval.seconds)
    assert seen == [2.0, 4.0, 5.0, 5.0]


def test_it_shrinks_down_to_half_of_what_is_set() -> None:
    interval = interval_of(1.0)
    interval.speed_up()
    assert interval.seconds == 0.85
    for _ in range(20):
        interval.speed_up()
    assert interval.seconds == 0.5


def test_it_recovers_after_trouble() -> None:
    interval = interval_of(1.0)
    for _ in range(3):
        interval.slow_down()
    for _ in range(30):
        interval.speed_up()
    assert interval.seconds == 0.5


def test_an_interval_that_is_set_to_more_than_the_longest_is_kept() -> None:
    interval = interval_of(30.0)
    interval.slow_down()
    assert interval.seconds == 30.0


def test_no_setting_lets_a_draft_fade() -> None:
    assert StreamingSection().keep_alive + LONGEST_OF_DRAFTS <= 25
    longest = StreamingSection(keep_alive=24)
    assert longest.keep_alive + LONGEST_OF_DRAFTS < FADES_AFTER
    with pytest.raises(ValidationError):
        StreamingSection(keep_alive=24.1)
