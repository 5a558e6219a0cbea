"""Prices are read from data."""

import pytest

from tgllm.api import Price
from tgllm.providers.prices import read_prices


def test_prices_have_a_day() -> None:
    text = """
        as_of = 2026-11-22
        [models.a]
        input = 1
        output = 2.5
        [models."b/c-1.5"]
        input = 1
        output = 2
        cached = 0
        as_of = "2026-10-01"
    """

    assert read_prices(text) == {
        "a": Price(1, 2.5, None, "2026-11-22"),
        "b/c-1.5": Price(1, 2, 0, "2026-10-01"),
    }


@pytest.mark.parametrize(
    "text",
    [
        "[models.a]\ninput = 1",
        "[models.a]\ninput = 'x'\noutput = 1",
        "[models.a]\ninput = nan\noutput = 1",
        "[models.a]\ninput = -1\noutput = 1",
        "[models.a]\ninput = 1\noutput = 2\ncahced = 3",
        "[models]\na = 1",
        "models =",
    ],
)
def test_a_mistake_is_told(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  tomllib's words are its own
        read_prices(text)
