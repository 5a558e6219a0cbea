"""Bars and numbers of usage."""

import pytest

from tgllm.api import ModelRef
from tgllm.bot.ui.usage_words import Say, bar, grouped, unpriced_note, usage_line
from tgllm.db.tables.usage import Total
from tgllm.i18n import Catalogue

FREE = Total(requests=2, input_tokens=1, output_tokens=1, cost_micros=0, unpriced_requests=0)
UNPRICED = Total(requests=1, input_tokens=1, output_tokens=1, cost_micros=0, unpriced_requests=1)
PARTLY = Total(requests=21, input_tokens=1001, output_tokens=1, cost_micros=5, unpriced_requests=1)


@pytest.fixture
def say() -> Say:
    return Catalogue(strict=True)


@pytest.fixture
def say_in_russian() -> Say:
    texts = Catalogue(strict=True)
    return lambda key, **params: texts(key, "ru", **params)


def test_a_line_names_the_cost_as_far_as_it_is_known(say: Say) -> None:
    assert usage_line(say, "Free", FREE) == "Free: 2 requests, 1 token read, 1 written, $0.00"
    assert usage_line(say, "New", UNPRICED) == "New: 1 request, 1 token read, 1 written"
    assert usage_line(say, "All", PARTLY) == "All: 21 requests, 1\u202f001 tokens read, 1 written, at least $0.000005"


def test_a_line_in_russian_has_its_forms(say_in_russian: Say) -> None:
    assert usage_line(say_in_russian, "Всего", PARTLY) == (
        "Всего: 21 запрос, прочитано 1\u202f001 токен, написано 1, не меньше $0.000005"
    )


@pytest.mark.parametrize(
    ("unpriced", "note"),
    [
        (0, []),
        (1, ["The price of a/m0 is not known, so its costs are not counted."]),
        (2, ["The prices of a/m0, a/m1 are not known, so their costs are not counted."]),
        (7, ["The prices of a/m0, a/m1, a/m2, a/m3, a/m4 and 2 more are not known, so their costs are not counted."]),
    ],
)
def test_models_without_a_price_are_named_in_one_sentence(say: Say, unpriced: int, note: list[str]) -> None:
    models = [(ModelRef("a", f"m{number}"), UNPRICED) for number in range(unpriced)]

    assert list(unpriced_note(say, [(ModelRef("b", "free"), FREE), *models])) == note


@pytest.mark.parametrize(
    ("value", "whole", "filled"),
    [(0, 10, 0), (1, 1000, 1), (5, 10, 6), (10, 10, 12), (20, 10, 12), (0, 0, 0), (3, 0, 1)],
)
def test_a_bar_shows_the_share_and_never_hides_the_smallest(value: int, whole: int, filled: int) -> None:
    assert bar(value, whole) == "█" * filled + "░" * (12 - filled)


def test_thousands_are_set_apart() -> None:
    assert grouped(1_234_567) == "1\u202f234\u202f567"
    assert grouped(999) == "999"
