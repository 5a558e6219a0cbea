"""Decisions on people: who may decide what about whom. Each is noted in the audit trail with its values.

These functions work in a transaction that is open, and tell nobody; ``UserService`` does.
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
"""``guest``: approved for a day. ``deny``: not now, they may ask again later. ``block``: never, until taken back."""

GUEST_TIME: Final = 24 * 60 * 60 * 1000
"""Milliseconds for which somebody is let in as a guest."""

_STATUS: dict[Verdict, Status] = {"approve": "active", "guest": "active", "deny": "denied", "block": "blocked"}


class AccessError(TgllmError):
    """The change is not possible, or not for the one who asks for it."""

    default_code = "access"


@dataclass(frozen=True, slots=True)
class Decided:
    """What came of a decision."""

    user: User
    """As they are now."""
    changed: bool
    """False where everything is as it was: somebody else was faster, or it has been so before."""
    by: int | None
    """User id of the one whose decision stands; None for the shell or the configuration."""
    request: int | None = None
    """When the request was made that this decides (UTC, milliseconds); None if nobody was waiting."""


def known(conn: Connection, user_id: int) -> User:
    """Somebody the bot knows.

    Raises:
        AccessError: nobody of that id is known.
    """
    user = users.get(conn, user_id)
    if user is None:
        raise AccessError(f"no user {user_id}", code="access_unknown", user=user_id)
    return user


def decide(
    conn: Connection, user_id: int, verdict: Verdict, actor: Actor, now: int, *, only_pending: bool = False
) -> Decided:
    """Let somebody in, or keep them out.

    Args:
        conn: an open write transaction.
        user_id: about whom.
        verdict: what is decided.
        actor: who decides.
        now: UTC, in milliseconds.
        only_pending: let an earlier decision stand.

    Raises:
        AccessError: nobody of that id is known, or the actor may not decide about them.
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
    request = before.requested_at if before.status == "pending" else None
    return Decided(after, changed=True, by=actor.id, request=request)


def set_role(conn: Connection, user_id: int, role: Role, actor: Actor, now: int) -> Decided:
    """Say what somebody who has been let in may do.

    Raises:
        AccessError: nobody of that id is known or they have not been let in, the actor is no owner, or it is about
            owners, who are named in the config.
    """
    before = known(conn, user_id)
    _check(conn, before, actor, now)
    if role == "owner":
        raise AccessError("owners are named in the config", code="access_owner", user=user_id)
    if not _is_owner(conn, actor, now):
        raise AccessError("only owners choose roles", code="access_only_owner")
    if not before.may_use(now):
        raise AccessError("not let in yet", code="access_not_active", user=user_id)
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
    """The admin who acts; None where it is the shell, the configuration or the program.

    Raises:
        AccessError: they are no admin, or not any more.
    """
    if actor.source != "telegram":
        return None
    user = None if actor.id is None else users.get(conn, actor.id)
    if user is None or not user.may_use(now) or user.role not in {"owner", "admin"}:
        raise AccessError("no admin", code="access_not_admin")
    return user


def _check(conn: Connection, target: User, actor: Actor, now: int) -> None:
    """Admins decide about people, owners about admins too, and about owners the config alone."""
    administrator(conn, actor, now)
    if target.role == "owner":
        raise AccessError("owners are named in the config", code="access_owner", user=target.id)
    if target.role == "admin" and not _is_owner(conn, actor, now):
        raise AccessError("an admin", code="access_admin", user=target.id)


def _is_owner(conn: Connection, actor: Actor, now: int) -> bool:
    user = administrator(conn, actor, now)
    return user is None or user.role == "owner"


def _is_so(user: User, verdict: Verdict, now: int) -> bool:
    """Whether the verdict would change nothing."""
    if verdict == "approve":
        return user.may_use(now) and user.expires_at is None and user.role != "guest"
    return verdict != "guest" and user.status == _STATUS[verdict]


def _role_after(user: User, verdict: Verdict) -> Role:
    """The role that goes with a verdict. Nobody who is let in again after having been kept out is an admin by that."""
    if verdict == "guest":
        return "guest"
    if (verdict == "approve" and user.role == "guest") or (verdict in {"deny", "block"} and user.role == "admin"):
        return "user"
    return user.role


def _signal_menus(conn: Connection, before: User, after: User) -> None:
    """Admins, and people who have chosen a language, have a menu of commands of their own; all others share one."""
    if "admin" in {before.role, after.role} or chosen_language(conn, after.id) is not None:
        signal(conn, "menus")


def _change(before: User, after: User) -> dict[str, str | int | None]:
    """What the audit trail keeps of a change."""
    return {
        "status_before": before.status,
        "status": after.status,
        "role_before": before.role,
        "role": after.role,
        "expires_at": after.expires_at,
    }
