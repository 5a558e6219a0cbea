"""Implementation of ``tgllm tools list``."""

import asyncio
import fnmatch
from collections.abc import Sequence
from dataclasses import dataclass

from tgllm.api.clock import SystemClock
from tgllm.app import open_host
from tgllm.cli.options import Options
from tgllm.cli.output import print_json, print_table, say
from tgllm.db.tables.tools import rules as tool_rules
from tgllm.i18n import Catalogue
from tgllm.plugins.owned import OwnedTool
from tgllm.services.tools.rules import ToolRule, rule_of

__all__ = ["run_list"]

_BY_ROLE = "asker, admins for guests"
"""Default approval of a dangerous tool."""


@dataclass(frozen=True, slots=True)
class _Tool:
    owned: OwnedTool
    rule: ToolRule
    is_stored: bool
    """Whether admins have set something for it."""

    @property
    def approval(self) -> str:
        return self.rule.approval or _BY_ROLE


def run_list(options: Options, *, as_json: bool) -> None:
    """Print all tools with their rules.

    Raises:
        ConfigError: a setting is invalid.
        DatabaseError: the database can't be opened.
    """
    options.quiet_log()
    found, idle = asyncio.run(_tools(options))
    if as_json:
        print_json([_object(each) for each in found])
    else:
        heads = ("Tool", "Plugin", "Danger", "Private", "Groups", "Per day", "Approval", "Set by")
        print_table(heads, map(_row, found))
        if idle:
            names = ", ".join(idle)
            say(f"Rules for no tool of this list: {names}. Tools of servers are known only while the bot runs.")


async def _tools(options: Options) -> tuple[Sequence[_Tool], Sequence[str]]:
    """Return the tools, and the names of the rules in the config that match none of them."""
    loaded = options.load()
    texts = Catalogue(loaded.config.language)
    async with open_host(loaded, SystemClock(), texts, plugins=options.plugins) as (database, host):
        rules = await database.read(tool_rules.list_all)
        stored = {(rule.tool, rule.plugin_id): rule for rule in rules}
        found: list[_Tool] = []
        for owned in host.tools:
            own = stored.get((owned.tool.name, owned.plugin_id))
            found.append(_Tool(owned, rule_of(owned.tool, loaded.config.tools.rules, own), own is not None))
        names = [each.owned.tool.name for each in found]
        idle = [rule.name for rule in loaded.config.tools.rules if not fnmatch.filter(names, rule.name)]
        return found, idle


def _object(found: _Tool) -> dict[str, object]:
    tool, rule = found.owned.tool, found.rule
    return {
        "tool": tool.name,
        "plugin": found.owned.plugin_id,
        "danger": tool.danger,
        "private": rule.private,
        "groups": rule.groups,
        "per_day": rule.per_day or None,
        "approval": rule.approval or "by_role",
        "set_by_admins": found.is_stored,
    }


def _row(found: _Tool) -> tuple[str, ...]:
    tool, rule = found.owned.tool, found.rule
    source = "admins" if found.is_stored else "settings"
    limit = str(rule.per_day or "")
    return (tool.name, found.owned.plugin_id, tool.danger, rule.private, rule.groups, limit, found.approval, source)
