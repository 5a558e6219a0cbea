"""``tgllm tools list``."""

import json

import pytest

from cli_support import Shell
from tgllm.db.tables.tools import rules as tool_rules
from tgllm.db.tables.tools.rules import StoredRule


def test_tools_with_the_rules_that_hold(shell: Shell) -> None:
    with shell.new_database() as conn:
        tool_rules.put(conn, StoredRule("clock", "basic_tools", groups="admin", per_day=7))
    tools = {tool["tool"]: tool for tool in shell.reads("tools", "list", "--json")}
    assert tools["clock"] == {
        "tool": "clock",
        "plugin": "basic_tools",
        "danger": "read",
        "private": "guest",
        "groups": "admin",
        "per_day": 7,
        "approval": "never",
        "set_by_admins": True,
    }
    assert tools["calculator"]["set_by_admins"] is False
    table = shell.runs("tools", "list").out
    assert "clock" in table
    assert "admins" in table


def test_a_rule_for_no_tool_is_named(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    rules = {"clocks": {"private": "nobody"}, "c?ock": {"groups": "nobody"}}
    monkeypatch.setenv("TGLLM_TOOLS__RULES", json.dumps(rules))
    out = shell.runs("tools", "list").out
    assert "Rules for no tool of this list: clocks. " in " ".join(out.split())
