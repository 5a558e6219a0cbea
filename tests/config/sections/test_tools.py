"""The settings of tools."""

import pytest
from pydantic import ValidationError

from tgllm.config.sections.tools import ToolsSection


def test_rules_are_tables_by_name() -> None:
    section = ToolsSection.model_validate({"rules": {"web_*": {"groups": "nobody", "per_day": 3}}})
    (rule,) = section.rules
    assert (rule.name, rule.private, rule.groups, rule.per_day, rule.approval) == ("web_*", None, "nobody", 3, None)
    assert rule.is_pattern


def test_they_may_be_json() -> None:
    section = ToolsSection.model_validate({"rules": '{"clock": {"approval": "admins"}}'})
    assert section.rules[0].approval == "admins"


@pytest.mark.parametrize(
    ("rules", "words"),
    [
        ({"a b": {}}, "'a b' must be the name of a tool"),
        ({"clock": 3}, "'clock' must be a table"),
        ({"clock": {"private": "king"}}, "'clock', private: must be"),
        ({"clock": {"approve": "never"}}, "'clock', approve: "),
        ({"clock": {"per_day": -1}}, "'clock', per_day: must be greater than or equal to 0"),
        ("[", "must be JSON such as"),
        ([], "must be tables such as"),
    ],
)
def test_a_wrong_rule_is_named(rules: object, words: str) -> None:
    with pytest.raises(ValidationError) as raised:
        ToolsSection.model_validate({"rules": rules})
    assert words in str(raised.value)
