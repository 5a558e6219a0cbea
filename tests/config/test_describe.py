"""Units, ranges, choices and examples of settings."""

import pytest

from config_support import Operator
from tgllm.config.describe import allowed, choices, example, example_value
from tgllm.config.sources.keys import FIELDS, variable

WITHOUT_VALID_EXAMPLE = {"admin.password_hash"}
"""Its example says where a value comes from, since a published hash would be somebody's password."""


TOGETHER = {"s3.access_key": "s3.secret_key", "s3.secret_key": "s3.access_key"}
"""Settings of which neither is right without the other."""


@pytest.mark.parametrize("key", sorted(FIELDS.keys() - WITHOUT_VALID_EXAMPLE))
def test_the_example_is_a_right_value(operator: Operator, key: str) -> None:
    assert example_value(key)
    for name in (key, TOGETHER.get(key, key)):
        operator.environ[variable(name)] = example_value(name)

    assert operator.loads().sources[key].kind == "environment"


@pytest.mark.parametrize("key", sorted(FIELDS))
def test_a_wrong_value_is_answered_with_a_right_one(operator: Operator, key: str) -> None:
    *tables, name = key.split(".")
    header = f"[{'.'.join(tables)}]\n" if tables else ""
    operator.writes_toml(f"{header}{name} = 1979-05-27T07:32:00Z\n")

    told = operator.is_told()
    assert told.startswith(f"{operator.toml}:{2 if tables else 1} ({key}): must ")
    assert any(words in told for words in ("such as", "tgllm config password"))


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("turns.idle_timeout", "such as 120 seconds"),
        ("retention.updates_days", "such as 7 days"),
        ("log.level", "such as info"),
        ("sending.paced", "such as true"),
        ("backups.folder", "such as /var/backups/tgllm"),
        ("system_prompt", "such as Answer briefly."),
    ],
)
def test_an_example_has_its_unit(key: str, expected: str) -> None:
    assert example(key) == expected


def test_what_is_allowed() -> None:
    assert allowed(FIELDS["streaming.keep_alive"]) == "more than 0, at most 24"
    assert allowed(FIELDS["log.format"]) == "json, console, auto"
    assert choices(FIELDS["sending.paced"]) == ("true", "false")
    assert allowed(FIELDS["system_prompt"]) == ""
