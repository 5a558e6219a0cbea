"""Prices that the operator sets."""

import pytest

from config_support import Operator

TABLE = """
[prices."mistral/mistral-small-2603"]
input = 0.15
output = 0.6
cached = 0.015
as_of = "2026-11-01"
[prices."openrouter/org/model"]
input = 0
output = 1
"""


def test_they_are_tables_by_model(operator: Operator) -> None:
    operator.writes_toml(TABLE)
    first, second = operator.loads().config.prices

    assert (first.model, first.input, first.output, first.cached) == ("mistral/mistral-small-2603", 0.15, 0.6, 0.015)
    assert first.as_of == "2026-11-01"
    assert (second.model, second.input, second.cached, second.as_of) == ("openrouter/org/model", 0, None, "")


def test_in_a_variable_they_are_json(operator: Operator) -> None:
    operator.environ["TGLLM_PRICES"] = '{"a/b": {"input": 1, "output": 2}}'
    (price,) = operator.loads().config.prices

    assert (price.model, price.input, price.output) == ("a/b", 1, 2)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("cheap", "must be JSON such as"),
        ("[1]", "must be tables such as"),
        ('{"a/b": 1}', "'a/b' must have input and output"),
        ('{"a": {"input": 1, "output": 2}}', "'a' must be written provider/model, in quotes"),
        ('{"a/b": {"input": 1}}', "'a/b', output: Field required"),
        ('{"a/b": {"input": -1, "output": 2}}', "'a/b', input: must be greater than or equal to 0"),
        ('{"a/b": {"input": 1, "output": 2, "inputs": 3}}', "'a/b', inputs: Extra inputs are not permitted"),
        ('{"a/b": {"input": 1, "output": 2, "as_of": "May"}}', "'a/b', as_of: must be a day such as 2026-11-01"),
    ],
)
def test_what_is_wrong_is_told_with_the_model(operator: Operator, text: str, expected: str) -> None:
    operator.environ["TGLLM_PRICES"] = text

    assert operator.is_told().startswith(f"environment variable TGLLM_PRICES: {expected}")


@pytest.mark.parametrize("day", ["2026-11-01", "'2026-11-01'"])
def test_a_day_may_stand_without_quotes(operator: Operator, day: str) -> None:
    operator.writes_toml(f"[prices.'a/b']\ninput = 1\noutput = 2\nas_of = {day}")

    assert operator.loads().config.prices[0].as_of == "2026-11-01"


def test_a_moment_is_no_day(operator: Operator) -> None:
    operator.writes_toml("[prices.'a/b']\ninput = 1\noutput = 2\nas_of = 2026-11-01T00:00:00Z")

    assert "as_of: must be a day" in operator.is_told()
