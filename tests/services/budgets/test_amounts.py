"""Limits and amounts as people write them."""

import pytest

from tgllm.api.budgets import Measure
from tgllm.services.budgets.amounts import LIMITS, limit_name, parse_amount, parse_limit, write_amount
from tgllm.services.budgets.budget_scope import BudgetError


def test_every_limit_has_a_name_that_can_be_read() -> None:
    assert [parse_limit(limit_name(*limit)) for limit in LIMITS] == list(LIMITS)
    assert (len(LIMITS), parse_limit(" USD/Month ")) == (6, ("cost", "month"))


@pytest.mark.parametrize("text", ["", "usd", "cost/day", "words/day", "usd/year", "usd/day/month", "/"])
def test_others_are_none(text: str) -> None:
    with pytest.raises(BudgetError):
        parse_limit(text)


@pytest.mark.parametrize(
    ("measure", "text", "amount"),
    [("requests", "50", 50), ("tokens", "1e3", 1000), ("cost", "2.50", 2_500_000), ("cost", "$0,5", 500_000)],
)
def test_amounts_are_whole_or_dollars(measure: Measure, text: str, amount: int) -> None:
    assert parse_amount(measure, text) == amount
    assert parse_amount(measure, write_amount(measure, amount)) == amount


@pytest.mark.parametrize(
    ("measure", "text"),
    [
        ("requests", "0"), ("requests", "-5"), ("requests", "1.5"), ("tokens", "many"), ("tokens", "NaN"),
        ("tokens", "Infinity"), ("tokens", "1e99"), ("cost", "0.0000001"), ("cost", ""),
    ],
)  # fmt: skip
def test_what_is_no_amount_is_refused(measure: Measure, text: str) -> None:
    with pytest.raises(BudgetError):
        parse_amount(measure, text)
