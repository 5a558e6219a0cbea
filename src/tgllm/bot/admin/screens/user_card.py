"""Card of a user: stored data, usage, and buttons for decisions."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final, cast, get_args

from tgllm.api import ModelRef, Role
from tgllm.bot.admin.guard import about_admin
from tgllm.bot.admin.screen import Screen, admin_button
from tgllm.bot.admin.table import AdminCall, AdminCommand, Result
from tgllm.bot.admin.words import joined, moment, person, standing
from tgllm.bot.ui.budget_words import budget_line
from tgllm.bot.ui.keyboards import Button
from tgllm.bot.ui.usage_words import unpriced_note, usage_line
from tgllm.db.engine.unit import Connection
from tgllm.db.tables import users
from tgllm.db.tables.users import Status, User
from tgllm.services.budgets.budget_scope import BudgetScope
from tgllm.services.budgets.permissions import may_change
from tgllm.services.people.decisions import Decided, Verdict
from tgllm.services.people.names import chosen_name
from tgllm.services.people.search import find_person
from tgllm.services.usage.report import usage_report

__all__ = ["user_rows"]

CARD: Final = "user"
ROLE: Final = "role"
TOGGLE: Final = "toggle"
VERDICTS: Final[Sequence[Verdict]] = get_args(Verdict)
ROLES: Final[Sequence[Role]] = ("admin", "user", "guest")
"""Roles that can be chosen; owners are set in the config."""

_AFTER: Final[Mapping[Verdict, Status]] = {"deny": "denied", "block": "blocked"}

Decide = Callable[[Connection, User], Decided]


def user_rows() -> tuple[AdminCommand, ...]:
    """Return the rows for the admin table."""
    return (
        AdminCommand(CARD, _user, usage=f"<user> [{'|'.join(VERDICTS)}]", dangerous=about_admin(2)),
        AdminCommand(TOGGLE, _toggle, usage="<user>", dangerous=about_admin(1)),
        AdminCommand(ROLE, _role, usage=f"<user> <{'|'.join(ROLES)}>", access="owner", dangerous=True),
    )


async def _user(call: AdminCall) -> Result:
    """Show a user, after a decision if one is given."""
    who, verdict = _two_words(call)
    if not verdict:
        return await call.read(lambda conn: _card(call, conn, find_person(conn, who)))
    if verdict not in VERDICTS:
        return Screen(call.text("admin.user.how"))
    decide = call.core.users.decide_in
    return _decision(call, who, lambda conn, user: decide(conn, user.id, cast("Verdict", verdict), call.actor))


async def _toggle(call: AdminCall) -> Result:
    toggle = call.core.users.toggle_in
    return _decision(call, call.argument, lambda conn, user: toggle(conn, user.id, call.actor))


async def _role(call: AdminCall) -> Result:
    who, role = _two_words(call)
    if role not in ROLES:
        return Screen(call.text("admin.role.how", roles=", ".join(ROLES)))
    set_role = call.core.users.set_role_in
    return _decision(call, who, lambda conn, user: set_role(conn, user.id, cast("Role", role), call.actor))


def _two_words(call: AdminCall) -> tuple[str, str]:
    who, _, rest = call.argument.partition(" ")
    return who, rest.strip().casefold()


def _decision(call: AdminCall, who: str, decide: Decide) -> Result:
    """Return the unit that decides about a user and then shows their card."""
    service = call.core.users

    def work(conn: Connection) -> Screen:
        decided = decide(conn, find_person(conn, who))
        toast = call.text("admin.user.done" if decided.changed else "admin.user.so_already")
        return replace(_card(call, conn, decided.user), toast=toast, after=lambda: service.enforce(decided))

    return work


def _card(call: AdminCall, conn: Connection, user: User) -> Screen:
    core = call.core
    report = core.budgets.report(conn, BudgetScope.user(user.id))
    budgets = [budget_line(call.text, budget, core.days) for budget in report.budgets]
    text = joined([person(user), standing(call, user)], _facts(call, conn, user), _usage(call, conn, user), budgets)
    has_reset = bool(budgets) and may_change(conn, report.scope, call.actor, call.now)
    return Screen(text, [*_decisions(call, user), *_roles(call, user), *_ways(call, user, has_reset=has_reset)])


def _facts(call: AdminCall, conn: Connection, user: User) -> Iterator[str]:
    """Yield the stored facts about a user, with their times."""
    if user.language_code:
        yield call.text("admin.user.language", code=chosen_name(user.language_code, 20))
    yield call.text("admin.user.seen", time=moment(call, user.created_at))
    if user.requested_at is not None:
        yield call.text("admin.user.requested", time=moment(call, user.requested_at))
    if user.decided_at is not None:
        by = _decider(call, conn, user.decided_by)
        yield call.text("admin.user.decided", time=moment(call, user.decided_at), by=by)
    if user.expires_at is not None:
        yield call.text("admin.user.expires", time=moment(call, user.expires_at))


def _decider(call: AdminCall, conn: Connection, by: int | None) -> str:
    if by is None:
        return call.text("admin.user.operator")
    known = users.get(conn, by)
    return str(by) if known is None else person(known)


def _usage(call: AdminCall, conn: Connection, user: User) -> Iterator[str]:
    report = usage_report(conn, user.id, call.now, call.core.days)
    for span, total in (("today", report.today), ("month", report.month), ("ever", report.ever)):
        yield usage_line(call.text, call.text(f"usage.{span}"), total)
    yield from unpriced_note(call.text, ((ModelRef(total.provider, total.model), total) for total in report.models))


def _decisions(call: AdminCall, user: User) -> Sequence[Sequence[Button]]:
    """Return buttons for the possible decisions on a user's access, two in a row."""
    if user.role == "owner" or (user.role == "admin" and call.user.role != "owner"):
        return ()
    in_for_good = user.may_use(call.now) and user.expires_at is None
    verdicts: list[Verdict] = ["block"] if in_for_good else ["approve", "guest", "deny", "block"]
    offered = [verdict for verdict in verdicts if user.status != _AFTER.get(verdict)]
    buttons = [admin_button(call.text(f"access.button_{verdict}"), CARD, f"{user.id} {verdict}") for verdict in offered]
    return [buttons[first : first + 2] for first in range(0, len(buttons), 2)]


def _ways(call: AdminCall, user: User, *, has_reset: bool) -> Iterator[Sequence[Button]]:
    """Yield buttons to further screens about a user, and back."""
    reset = [admin_button(call.text("admin.budget.reset"), "budget", f"{user.id} reset")] if has_reset else []
    yield [admin_button(call.text("admin.budget.label"), "budget", str(user.id)), *reset]
    yield [admin_button(call.text("admin.user.audit"), "audit", str(user.id))]
    yield [admin_button(call.text("admin.users.back"), "users")]


def _roles(call: AdminCall, user: User) -> Sequence[Sequence[Button]]:
    """Return buttons for the roles that a user may get; only for owners."""
    if call.user.role != "owner" or user.role == "owner" or not user.may_use(call.now):
        return ()
    others = [role for role in ROLES if role not in {user.role, "guest"}]
    return ([admin_button(call.text(f"admin.user.make_{role}"), ROLE, f"{user.id} {role}") for role in others],)
