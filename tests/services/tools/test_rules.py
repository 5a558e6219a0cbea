"""Which rule holds for a tool: what admins have set, else the config, else the tool itself."""

from typing import Any

import pytest

from tgllm.api import Danger, ToolSpec, ToolUse
from tgllm.config.sections.tools import ToolRuleSetting
from tgllm.db.tables.tools.rules import StoredRule
from tgllm.services.tools.rules import ToolRule, configured, is_enough, rule_of


async def run(use: ToolUse) -> str:
    return use.tool


def tool(name: str = "search", danger: Danger = "read", **changes: Any) -> ToolSpec:
    return ToolSpec(name, "A tool.", run, danger=danger, **changes)


def rules(**tables: dict[str, Any]) -> list[ToolRuleSetting]:
    return [ToolRuleSetting.model_validate({"name": name, **table}) for name, table in tables.items()]


class TestWithoutRules:
    def test_reading_is_open_as_the_tool_says(self) -> None:
        assert configured(tool(access="guest"), ()) == ToolRule("guest", "guest", 0, "never")

    @pytest.mark.parametrize("danger", ["write", "dangerous"])
    def test_all_else_is_closed(self, danger: Danger) -> None:
        rule = configured(tool(danger=danger), ())
        assert (rule.private, rule.groups) == ("nobody", "nobody")

    def test_only_a_dangerous_tool_asks(self) -> None:
        assert configured(tool(danger="write"), ()).approval == "never"
        assert configured(tool(danger="dangerous"), ()).approval is None


class TestConfig:
    def test_the_most_exact_rule_counts_alone(self) -> None:
        given = rules(**{"*": {"private": "owner", "per_day": 9}, "git_*": {"private": "admin"}, "git_log": {}})
        assert configured(tool("git_log"), given) == ToolRule("user", "user", 0, "never")
        assert configured(tool("git_push"), given).private == "admin"
        assert configured(tool("search"), given).per_day == 9

    def test_a_pattern_can_open_a_dangerous_tool_but_not_spare_its_approvals(self) -> None:
        given = rules(**{"git_*": {"private": "user", "approval": "never"}})
        assert configured(tool("git_push", "dangerous"), given) == ToolRule("user", "nobody", 0, None)

    def test_its_name_can(self) -> None:
        given = rules(git_push={"private": "user", "approval": "never"})
        assert configured(tool("git_push", "dangerous"), given).approval == "never"


class TestStored:
    def test_it_takes_precedence_field_by_field(self) -> None:
        given = rules(search={"private": "admin", "groups": "owner", "per_day": 5})
        stored = StoredRule("search", "web", groups="user", per_day=0)
        assert rule_of(tool(), given, stored) == ToolRule("admin", "user", 0, "never")

    def test_it_can_ask_for_more_approvals(self) -> None:
        assert rule_of(tool(), (), StoredRule("search", "web", approval="admins")).approval == "admins"

    def test_it_can_not_spare_those_of_a_dangerous_tool(self) -> None:
        stored = StoredRule("push", "git", approval="never")
        assert rule_of(tool("push", "dangerous"), (), stored).approval is None
        assert rule_of(tool("push", "write"), rules(push={"approval": "asker"}), stored).approval == "never"


@pytest.mark.parametrize(
    ("role", "lowest", "enough"),
    [
        ("owner", "admin", True),
        ("user", "user", True),
        ("guest", "user", False),
        ("owner", "nobody", False),
        (None, "guest", False),
    ],
)
def test_roles(role: Any, lowest: Any, enough: bool) -> None:
    assert is_enough(role, lowest) is enough
