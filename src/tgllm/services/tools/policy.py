"""Who may use which tool: by role, chat and limit per day; and whose approval a call needs.

Nothing that a model, a page or a result says is read here, so no text can change what is allowed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from tgllm.api.people import ChatInfo, UserInfo
from tgllm.config.sections.tools import ToolsSection
from tgllm.db.engine.unit import Connection
from tgllm.db.tables import users
from tgllm.db.tables.tools import approvals as tool_approvals
from tgllm.db.tables.tools import grants as tool_grants
from tgllm.db.tables.tools import rules as tool_rules
from tgllm.services.common.calendar import Days
from tgllm.services.tools.rules import ToolRule, is_enough, rule_of

if TYPE_CHECKING:
    from tgllm.db.tables.tools.rules import StoredRule
    from tgllm.plugins.owned import OwnedTool

__all__ = ["Approver", "Refusal", "Standing", "ToolPolicy"]

Refusal = Literal["off", "role", "chat", "limit"]
"""Tools are turned off, or the tool is closed; the role is too low; it may be used in the other kind of chat only; the
person has used up the calls of the day."""
Approver = Literal["asker", "admins"]


@dataclass(frozen=True, slots=True)
class Standing:
    """What a person may do with a tool in a chat."""

    tool: "OwnedTool"
    refusal: Refusal | None
    """None: the person may use it."""
    approver: Approver | None
    """Whose approval a call needs now; None: none, or an approval of an earlier call covers it."""


class ToolPolicy:
    """Decides who may use which tool."""

    def __init__(self, settings: ToolsSection, days: Days) -> None:
        """Create the policy.

        Args:
            settings: section ``tools`` of the config.
            days: for limits per day.
        """
        self._settings = settings
        self._days = days

    def rule(self, conn: Connection, tool: "OwnedTool") -> ToolRule:
        """Return the rule that holds for a tool."""
        return self._rule(tool, tool_rules.get(conn, tool.tool.name, tool.plugin_id))

    def standing(
        self, conn: Connection, tool: "OwnedTool", user: UserInfo, chat: ChatInfo, lane: str, now: int
    ) -> Standing:
        """Return what a person may do with a tool in a chat.

        Args:
            conn: an open transaction; only reads.
            tool: the tool.
            user: the person who asks the model, with the role in this chat.
            chat: the chat of the question.
            lane: its lane.
            now: UTC, in milliseconds.
        """
        return self._standing(conn, tool, self.rule(conn, tool), user, chat, lane, now)

    def standings(
        self, conn: Connection, tools: Sequence["OwnedTool"], user: UserInfo, chat: ChatInfo, lane: str, now: int
    ) -> Sequence[Standing]:
        """Return the same for several tools; the rules are read once."""
        rules = self._rules(conn, tools)
        return [
            self._standing(conn, tool, rule, user, chat, lane, now) for tool, rule in zip(tools, rules, strict=True)
        ]

    def refusals(
        self, conn: Connection, tools: Sequence["OwnedTool"], user: UserInfo, chat: ChatInfo, now: int
    ) -> Sequence[Refusal | None]:
        """Return ``Standing.refusal`` for several tools, without reading whose approvals their calls need."""
        rules = self._rules(conn, tools)
        return [self._refusal(conn, tool, rule, user, chat, now) for tool, rule in zip(tools, rules, strict=True)]

    def _rules(self, conn: Connection, tools: Sequence["OwnedTool"]) -> Sequence[ToolRule]:
        stored = {(rule.tool, rule.plugin_id): rule for rule in tool_rules.list_all(conn)} if tools else {}
        return [self._rule(tool, stored.get((tool.tool.name, tool.plugin_id))) for tool in tools]

    def _rule(self, tool: "OwnedTool", stored: "StoredRule | None") -> ToolRule:
        return rule_of(tool.tool, self._settings.rules, stored)

    def _standing(
        self, conn: Connection, tool: "OwnedTool", rule: ToolRule, user: UserInfo, chat: ChatInfo, lane: str, now: int
    ) -> Standing:
        refusal = self._refusal(conn, tool, rule, user, chat, now)
        approver = None if refusal is not None else _approver(conn, tool, rule, user, lane, now)
        return Standing(tool, refusal, approver)

    def _refusal(
        self, conn: Connection, tool: "OwnedTool", rule: ToolRule, user: UserInfo, chat: ChatInfo, now: int
    ) -> Refusal | None:
        if not self._settings.enabled:
            return "off"
        if user.role is None:
            return "role"
        lowest, other = rule.lowest(private=chat.is_private), rule.lowest(private=not chat.is_private)
        if not is_enough(user.role, lowest):
            if is_enough(user.role, other):
                return "chat"
            return "off" if lowest == "nobody" else "role"
        if rule.per_day:
            since = round(self._days.begin(now).timestamp() * 1000)
            if tool_approvals.count_since(conn, tool.tool.name, user.id, since) >= rule.per_day:
                return "limit"
        return None


def _approver(
    conn: Connection, tool: "OwnedTool", rule: ToolRule, user: UserInfo, lane: str, now: int
) -> Approver | None:
    """Return whose approval a call needs.

    By default a dangerous call is approved by the person who asks. A guest, whom no admin has approved, is not enough.
    """
    approval = rule.approval or ("admins" if user.role == "guest" else "asker")
    if approval == "never":
        return None
    grants = tool_grants.covering(conn, tool.tool.name, tool.plugin_id, user.id, lane, now)
    if approval == "admins":
        # What the person has approved before the rule was changed does not count.
        admins = {admin.id for admin in users.admins(conn, now)} if grants else set[int]()
        grants = [grant for grant in grants if grant.granted_by in admins]
    return None if grants else approval
