"""Decisions on the access and role of people, with permission checks and entries in the audit trail.

The functions work within an open transaction and send no messages; ``UserService`` does.
"""

from dataclasses import dataclass
from typing import Final, Literal

from tgllm.api import Role, TgllmError
from tgllm.db.engine.signals import signal
from tgllm.db.engine.unit import Connection
from tgllm.db.tables import users
from tgllm.db.tables.users import Status, User
from tgllm.services.chats.language import chosen_language
from tgllm.services.common.actor import Actor, note

__all__ = ["GUEST_TIME", "AccessError", "Decided", "Verdict", "administrator", "decide", "known", "set_role"]

Verdict = Literal["approve", "guest", "deny", "block"]
"""``guest``: approve for a day; ``deny``: the person may ask again later; ``block``: until an admin approves them."""

GUEST_TIME: Final = 24 * 60 * 60 * 1000
"""Duration of guest access in milliseconds."""

_STATUS: dict[Verdict, Status] = {"approve": "active", "guest": "active", "deny": "denied", "block": "blocked"}


class AccessError(TgllmError):
    """The change is not possible, or the actor lacks the permission for it."""

    default_code = "access"


@dataclass(frozen=True, slots=True)
class Decided:
    """Result of a decision."""

    user: User
    """The person after the decision."""
    changed: bool
    """False if the decision changed nothing: an earlier decision stands, or the state is already the wanted one."""
    by: int | None
    """User id of the author of the decision that stands; None for the shell or the config."""
    request: int | None = None
    """Time of the access request that was decided (UTC, milliseconds); None if there was none."""


def known(conn: Connection, user_id: int) -> User:
    """Return a stored person.

    Raises:
        AccessError: the id is unknown.
    """
    user = users.get(conn, user_id)
    if user is None:
        raise AccessError(f"no user {user_id}", code="access_unknown", user=user_id)
    return user


def decide(
    conn: Connection, user_id: int, verdict: Verdict, actor: Actor, now: int, *, only_pending: bool = False
) -> Decided:
    """Approve, deny or block a person.

    Args:
        conn: an open write transaction.
        user_id: Telegram id of the person.
        verdict: the decision.
        actor: author of the decision.
        now: UTC, in milliseconds.
        only_pending: keep an earlier decision.

    Raises:
        AccessError: the id is unknown, or the actor may not decide about this person.
    """
    before = known(conn, user_id)
    _check(conn, before, actor, now)
    if (only_pending and before.status != "pending") or _is_so(before, verdict, now):
        return Decided(before, changed=False, by=before.decided_by)
    role = _role_after(before, verdict)
    if role != before.role:
        users.set_role(conn, user_id, role, now)
    ends = now + GUEST_TIME if verdict == "guest" else None
    after = users.set_status(conn, user_id, _STATUS[verdict], now, decided_by=actor.id, expires_at=ends)
    note(conn, actor, f"user.{verdict}", str(user_id), now, _change(before, after))
    _signal_menus(conn, before, after)
    _signal_access(conn, before, after, now)
    request = before.requested_at if before.status == "pending" else None
    return Decided(after, changed=True, by=actor.id, request=request)


def set_role(conn: Connection, user_id: int, role: Role, actor: Actor, now: int) -> Decided:
    """Set the role of an approved person.

    Raises:
        AccessError: the id is unknown, the person has no access, the actor is not an owner, or the person or the role
            is owner: owners are set in the config.
    """
    before = known(conn, user_id)
    _check(conn, before, actor, now)
    if role == "owner":
        raise AccessError("owners are named in the config", code="access_owner", user=user_id)
    if not _is_owner(conn, actor, now):
        raise AccessError("only owners choose roles", code="access_only_owner")
    if not before.may_use(now):
        raise AccessError("not approved yet", code="access_not_active", user=user_id)
    if role == before.role and (role == "guest" or before.expires_at is None):
        return Decided(before, changed=False, by=before.decided_by)
    users.set_role(conn, user_id, role, now)
    after = users.set_status(
        conn, user_id, "active", now, decided_by=actor.id, expires_at=before.expires_at if role == "guest" else None
    )
    note(conn, actor, "user.role", str(user_id), now, _change(before, after))
    _signal_menus(conn, before, after)
    return Decided(after, changed=True, by=actor.id)


def administrator(conn: Connection, actor: Actor, now: int) -> User | None:
    """Return the acting admin; None for the shell, the config and the program.

    Raises:
        AccessError: the actor is not an admin, or no longer one.
    """
    if actor.source != "telegram":
        return None
    user = None if actor.id is None else users.get(conn, actor.id)
    if user is None or not user.may_use(now) or user.role not in {"owner", "admin"}:
        raise AccessError("no admin", code="access_not_admin")
    return user


def _check(conn: Connection, target: User, actor: Actor, now: int) -> None:
    """Check the permission: admins decide about people, owners also about admins, only the config about owners.

    Somebody whom an owner has blocked stays blocked until an owner decides.
    """
    administrator(conn, actor, now)
    if target.role == "owner":
        raise AccessError("owners are named in the config", code="access_owner", user=target.id)
    if target.role == "admin" and not _is_owner(conn, actor, now):
        raise AccessError("an admin", code="access_admin", user=target.id)
    if target.status == "blocked" and _is_owners(conn, target.decided_by) and not _is_owner(conn, actor, now):
        raise AccessError("blocked by an owner", code="access_blocked_by_owner")


def _is_owner(conn: Connection, actor: Actor, now: int) -> bool:
    user = administrator(conn, actor, now)
    return user is None or user.role == "owner"


def _is_owners(conn: Connection, decided_by: int | None) -> bool:
    """Return whether a decision is one of an owner."""
    user = None if decided_by is None else users.get(conn, decided_by)
    return user is not None and user.role == "owner"


def _is_so(user: User, verdict: Verdict, now: int) -> bool:
    """Whether the verdict changes nothing."""
    if verdict == "approve":
        return user.may_use(now) and user.expires_at is None and user.role != "guest"
    return verdict != "guest" and user.status == _STATUS[verdict]


def _role_after(user: User, verdict: Verdict) -> Role:
    """Return the role after a verdict; an admin who is denied or blocked becomes a user, also if approved later."""
    if verdict == "guest":
        return "guest"
    if (verdict == "approve" and user.role == "guest") or (verdict in {"deny", "block"} and user.role == "admin"):
        return "user"
    return user.role


def _signal_access(conn: Connection, before: User, after: User, now: int) -> None:
    """Other replicas stop the turns of a person who has lost access."""
    if before.may_use(now) and not after.may_use(now):
        signal(conn, "orders")


def _signal_menus(conn: Connection, before: User, after: User) -> None:
    """Admins, and people who have chosen a language, have a menu of commands of their own; all others share one."""
    if "admin" in {before.role, after.role} or chosen_language(conn, after.id) is not None:
        signal(conn, "menus")


def _change(before: User, after: User) -> dict[str, str | int | None]:
    """Return the details for the audit trail."""
    return {
        "status_before": before.status,
        "status": after.status,
        "role_before": before.role,
        "role": after.role,
        "expires_at": after.expires_at,
    }
