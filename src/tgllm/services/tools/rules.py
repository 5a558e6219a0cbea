"""Rules for tools: what admins have set, else what is configured, else what the tool says."""

from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Final

from tgllm.config.sections.tools import Approval, Lowest, ToolRuleSetting

if TYPE_CHECKING:
    from tgllm.api.tools import ToolSpec
    from tgllm.db.tables.tools.rules import StoredRule

__all__ = ["ROLES", "ToolRule", "configured", "is_enough", "rule_of"]

ROLES: Final = ("guest", "user", "admin", "owner", "nobody")
"""The lowest roles that a rule can name, the least first."""


@dataclass(frozen=True, slots=True)
class ToolRule:
    """Who may use a tool."""

    private: Lowest
    """Lowest role that may use it in private chats."""
    groups: Lowest
    """The same in groups, and wherever other people read along."""
    per_day: int
    """Most calls of a person in a day; 0: no limit."""
    approval: Approval | None
    """Who approves each call; None: the default of a dangerous tool, by the role of the person who asks."""

    def lowest(self, *, private: bool) -> Lowest:
        """Return the lowest role for a private chat or a group."""
        return self.private if private else self.groups


def configured(spec: "ToolSpec", rules: Sequence[ToolRuleSetting]) -> ToolRule:
    """Return the rule of the config for a tool: the most exact one that matches its name, over what the tool says.

    A pattern can't do without the approvals of a dangerous tool: it may match tools that its author does not know, such
    as new ones of a server. Only a rule with the name of the tool can.
    """
    matching = [rule for rule in rules if fnmatchcase(spec.name, rule.name)]
    most_exact = max(matching, key=lambda rule: rule.exactness, default=None)
    lowest: Lowest = spec.access if spec.danger == "read" else "nobody"
    is_dangerous = spec.danger == "dangerous"
    approval: Approval | None = None if is_dangerous else "never"
    if most_exact is None:
        return ToolRule(lowest, lowest, 0, approval)
    if most_exact.approval is not None and not (
        is_dangerous and most_exact.is_pattern and most_exact.approval == "never"
    ):
        approval = most_exact.approval
    return ToolRule(most_exact.private or lowest, most_exact.groups or lowest, most_exact.per_day or 0, approval)


def rule_of(spec: "ToolSpec", rules: Sequence[ToolRuleSetting], stored: "StoredRule | None") -> ToolRule:
    """Return the rule for a tool; what admins have set takes precedence over the config.

    That a dangerous tool needs no approval can only be configured; a stored ``never`` is ignored for it.
    """
    base = configured(spec, rules)
    if stored is None:
        return base
    approval = stored.approval
    if approval is None or (approval == "never" and spec.danger == "dangerous"):
        approval = base.approval
    return ToolRule(
        stored.private or base.private,
        stored.groups or base.groups,
        base.per_day if stored.per_day is None else stored.per_day,
        approval,
    )


def is_enough(role: str | None, lowest: Lowest) -> bool:
    """Return whether a role, or None without access, is at least the lowest one."""
    return role is not None and lowest != "nobody" and ROLES.index(role) >= ROLES.index(lowest)
