"""Effective limits: those of the configuration, overridden by those that admins have set."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from tgllm.api import Role
from tgllm.api.budgets import Measure, Period
from tgllm.config.sections.budgets import BudgetsSection, LimitsSetting
from tgllm.db.tables.budgets import BudgetLimit
from tgllm.services.budgets.budget_scope import BOT, BudgetScope

__all__ = ["Holders", "Limit", "LimitSource", "Limits"]

LimitSource: TypeAlias = Literal["config", "role", "own"]
"""Set in the configuration, by an admin for the person's role, or by an admin for the scope itself."""

_Kind: TypeAlias = tuple[Measure, Period]


@dataclass(frozen=True, slots=True)
class Limit:
    """A limit of a scope."""

    scope: BudgetScope
    measure: Measure
    period: Period
    amount: int | None
    """Requests, tokens, or millionths of a US dollar; None: lifted."""
    source: LimitSource


@dataclass(frozen=True, slots=True)
class Holders:
    """The person, the group and the bot on whose budgets a question counts."""

    user_id: int | None = None
    role: Role | None = None
    """None for a person who is not approved: no budget applies to them."""
    group_id: int | None = None
    bot: bool = True

    @property
    def scopes(self) -> Sequence[str]:
        """The keys of the scopes whose limits apply."""
        found = [BOT.key] if self.bot else []
        if self.user_id is not None and self.role is not None:
            found += [BudgetScope.user(self.user_id).key, BudgetScope.role(self.role).key]
        if self.group_id is not None:
            found.append(BudgetScope.group(self.group_id).key)
        return found


class Limits:
    """Combines the limits of the configuration with those of the database."""

    def __init__(self, settings: BudgetsSection) -> None:
        self._bot = _configured(settings.bot)
        self._group = _configured(settings.group)
        self._roles = {entry.role: _configured(entry.limits) for entry in settings.roles}

    def of(self, holders: Holders, rows: Iterable[BudgetLimit]) -> list[Limit]:
        """Return the limits of these holders, lifted ones included.

        Args:
            holders: whose limits.
            rows: the limits that admins have set for ``holders.scopes``.
        """
        by_scope = _by_scope(rows)
        found = _layered(BOT, self._bot, {}, by_scope) if holders.bot else []
        if holders.user_id is not None and holders.role is not None:
            of_role = by_scope.get(BudgetScope.role(holders.role).key, {})
            scope = BudgetScope.user(holders.user_id)
            found += _layered(scope, self._roles.get(holders.role, {}), of_role, by_scope)
        if holders.group_id is not None:
            found += _layered(BudgetScope.group(holders.group_id), self._group, {}, by_scope)
        return found

    def of_role(self, role: Role, rows: Iterable[BudgetLimit]) -> list[Limit]:
        """Return the limits of each person of a role; ``rows`` are those that admins have set for it."""
        scope = BudgetScope.role(role)
        return _layered(scope, self._roles.get(role, {}), {}, _by_scope(rows))


def _by_scope(rows: Iterable[BudgetLimit]) -> Mapping[str, Mapping[_Kind, int | None]]:
    found: dict[str, dict[_Kind, int | None]] = {}
    for row in rows:
        found.setdefault(row.scope, {})[row.measure, row.period] = row.amount
    return found


def _configured(setting: LimitsSetting | None) -> dict[_Kind, int]:
    return {} if setting is None else {(measure, period): amount for measure, period, amount in setting.limits()}


def _layered(
    scope: BudgetScope,
    configured: Mapping[_Kind, int],
    of_role: Mapping[_Kind, int | None],
    by_scope: Mapping[str, Mapping[_Kind, int | None]],
) -> list[Limit]:
    """Return the limits of a scope; a later layer overrides an earlier one."""
    found: dict[_Kind, Limit] = {}
    layers: tuple[tuple[LimitSource, Mapping[_Kind, int | None]], ...] = (
        ("config", configured),
        ("role", of_role),
        ("own", by_scope.get(scope.key, {})),
    )
    for source, amounts in layers:
        for (measure, period), amount in amounts.items():
            found[measure, period] = Limit(scope, measure, period, amount, source)
    return list(found.values())
