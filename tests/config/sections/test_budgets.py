"""Budgets that the operator sets."""

import pytest

from config_support import Operator
from tgllm.config.sections.budgets import LimitsSetting

TABLES = """
[budgets]
fallback_price = 3.5
messages_per_minute = 5
[budgets.bot]
usd_per_month = 20
requests_per_day = 1000
[budgets.group]
tokens_per_day = 50000
[budgets.roles.user]
usd_per_day = 0.5
[budgets.roles.guest]
requests_per_day = 3
[groups]
pays = "group"
"""


def test_they_are_tables(operator: Operator) -> None:
    operator.writes_toml(TABLES)
    config = operator.loads().config

    assert config.budgets.bot == LimitsSetting(usd_per_month=20, requests_per_day=1000)
    assert config.budgets.group == LimitsSetting(tokens_per_day=50000)
    assert [(entry.role, entry.limits) for entry in config.budgets.roles] == [
        ("user", LimitsSetting(usd_per_day=0.5)),
        ("guest", LimitsSetting(requests_per_day=3)),
    ]
    assert (config.budgets.fallback_price, config.budgets.messages_per_minute) == (3.5, 5)
    assert config.groups.pays == "group"


def test_limits_are_counted_in_whole_units() -> None:
    limits = LimitsSetting(requests_per_day=3, tokens_per_month=10, usd_per_day=0.5)

    assert list(limits.limits()) == [("requests", "day", 3), ("tokens", "month", 10), ("cost", "day", 500_000)]


def test_in_a_variable_they_are_json(operator: Operator) -> None:
    operator.environ["TGLLM_BUDGETS__BOT"] = '{"usd_per_day": 2}'
    operator.environ["TGLLM_BUDGETS__ROLES"] = '{"user": {"tokens_per_day": 7}}'
    budgets = operator.loads().config.budgets

    assert budgets.bot == LimitsSetting(usd_per_day=2)
    assert [(entry.role, entry.limits.tokens_per_day) for entry in budgets.roles] == [("user", 7)]


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("BOT", "much", "must be JSON such as"),
        ("BOT", "[1]", "must be a table with keys such as tokens_per_day"),
        ("BOT", '{"usd_per_day": 0}', "usd_per_day: must be greater than or equal to"),
        ("GROUP", '{"usd_a_day": 1}', "usd_a_day: is not a limit; the limits are requests_per_day,"),
        ("ROLES", "[1]", "must be tables such as [budgets.roles.user]"),
        ("ROLES", '{"usr": {}}', "'usr' is not a role; the roles are owner, admin, user, guest"),
        ("ROLES", '{"user": 5}', "'user', must be a table with keys such as"),
        ("ROLES", '{"user": {"tokens_per_day": "x"}}', "'user', tokens_per_day: must be a valid integer"),
    ],
)
def test_what_is_wrong_is_told_with_the_key(operator: Operator, name: str, text: str, expected: str) -> None:
    operator.environ[f"TGLLM_BUDGETS__{name}"] = text

    assert operator.is_told().startswith(f"environment variable TGLLM_BUDGETS__{name}: {expected}")


def test_the_file_is_named_with_the_key(operator: Operator) -> None:
    operator.writes_toml("[budgets.roles.user]\ntokens = 5\n")

    assert "budgets.roles" in operator.is_told()
    assert "'user', tokens: is not a limit" in operator.is_told()
