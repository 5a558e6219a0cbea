"""Bars and numbers of usage."""

import pytest

from tgllm.bot.ui.usage_words import bar, grouped


@pytest.mark.parametrize(
    ("value", "whole", "filled"),
    [(0, 10, 0), (1, 1000, 1), (5, 10, 6), (10, 10, 12), (20, 10, 12), (0, 0, 0), (3, 0, 1)],
)
def test_a_bar_shows_the_share_and_never_hides_the_smallest(value: int, whole: int, filled: int) -> None:
    assert bar(value, whole) == "█" * filled + "░" * (12 - filled)


def test_thousands_are_set_apart() -> None:
    assert grouped(1_234_567) == "1\u202f234\u202f567"
    assert grouped(999) == "999"
