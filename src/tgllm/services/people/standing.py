"""Access of a person in a chat: their role there, or the reason why they have none."""

from dataclasses import dataclass, replace
from typing import Literal

from tgllm.api import Role, UserInfo
from tgllm.db.engine.unit import Connection
from tgllm.db.tables import groups, users
from tgllm.db.tables.groups import Group
from tgllm.db.tables.users import SeenUser, User
from tgllm.services.chats.group_mode import GroupMode, group_mode
from tgllm.services.chats.language import chosen_language
from tgllm.services.chats.time_zone import chosen_time_zone
from tgllm.services.people.names import full_name

__all__ = [
    "AccessRows",
    "Closed",
    "Standing",
    "access_rows",
    "find_person",
    "may_talk",
    "role_by",
    "standing_by",
    "standing_of",
]

Closed = Literal["unknown", "pending", "denied", "blocked", "expired", "group_pending", "group_denied"]
"""Reason for missing access. ``group_pending``: neither the group nor the person is approved."""


@dataclass(frozen=True, slots=True)
class Standing:
    """Access of a person in a chat."""

    user: UserInfo
    """Has no role if the person has no access."""
    row: User | None
    """Stored row of the person."""
    group: Group | None = None
    """Stored row of the group; None in a private chat, and for a group without a request."""
    mode: GroupMode = "mention"
    """Which messages of the group the bot answers."""
    closed: Closed | None = None
    """Reason for missing access; None with access."""
    news: SeenUser | None = None
    """Data to store about a person with access who is new, or whose name or language has changed."""


@dataclass(frozen=True, slots=True)
class AccessRows:
    """What is stored about the access of a person in a chat."""

    user_id: int
    chat_id: int
    """Telegram id of the chat; negative for groups (Bot API: Chat)."""
    user: User | None
    language: str | None
    """The chosen one."""
    timezone: str | None
    """The chosen one, by its IANA name."""
    group: Group | None
    mode: GroupMode


def access_rows(conn: Connection, user_id: int, chat_id: int) -> AccessRows:
    """Read what is stored about the access of a person in a chat."""
    in_group = chat_id < 0
    return AccessRows(
        user_id,
        chat_id,
        users.get(conn, user_id),
        chosen_language(conn, user_id),
        chosen_time_zone(conn, user_id),
        groups.get(conn, chat_id) if in_group else None,
        group_mode(conn, chat_id) if in_group else "mention",
    )


def standing_of(conn: Connection, person: SeenUser, chat_id: int, now: int) -> Standing:
    """Return the access of a person in a chat.

    Args:
        conn: an open transaction; only reads.
        person: the sender of an update.
        chat_id: Telegram id of the chat; negative for groups (Bot API: Chat).
        now: UTC, in milliseconds.
    """
    return standing_by(access_rows(conn, person.id, chat_id), person, now)


def standing_by(rows: AccessRows, person: SeenUser, now: int) -> Standing:
    """Return the access of the person by what is stored; ``now`` is UTC in milliseconds."""
    row = rows.user
    if person.language_code is None and row is not None:
        # The field is optional (Bot API: User), so a missing one does not unset the stored one.
        person = replace(person, language_code=row.language_code)
    role, closed = _role(row, rows.group, now, in_group=rows.chat_id < 0)
    user = UserInfo(
        id=person.id,
        name=full_name(person),
        role=role,
        username=person.username,
        language=rows.language or person.language_code or "",
        timezone=rows.timezone,
    )
    is_news = closed is None and (row is None or users.differs(row, person))
    return Standing(user, row, rows.group, rows.mode, closed, person if is_news else None)


def role_by(rows: AccessRows, now: int) -> Role | None:
    """Return the role of a person in a chat by what is stored; None without access."""
    return _role(rows.user, rows.group, now, in_group=rows.chat_id < 0)[0]


def find_person(conn: Connection, user_id: int, now: int) -> UserInfo | None:
    """Return a person as stored, with the role that they have outside of groups; None if the id is unknown.

    Args:
        conn: an open transaction; only reads.
        user_id: Telegram user id.
        now: UTC, in milliseconds.
    """
    row = users.get(conn, user_id)
    if row is None:
        return None
    return UserInfo(
        id=user_id,
        name=full_name(row),
        role=row.role if row.may_use(now) else None,
        username=row.username,
        language=chosen_language(conn, user_id) or row.language_code or "",
        timezone=chosen_time_zone(conn, user_id),
    )


def may_talk(conn: Connection, user_id: int, chat_id: int, now: int) -> bool:
    """Whether a person may use the bot in a chat."""
    group = groups.get(conn, chat_id) if chat_id < 0 else None
    return _role(users.get(conn, user_id), group, now, in_group=chat_id < 0)[0] is not None


def _role(row: User | None, group: Group | None, now: int, *, in_group: bool) -> tuple[Role | None, Closed | None]:
    """Return the role, or the reason for none; a decision about the person takes precedence over the group's."""
    own = row.role if row is not None and row.may_use(now) else None
    why = _closed(row)
    if not in_group:
        return (own, None) if own is not None else (None, why)
    status = "pending" if group is None else group.status
    if status == "denied" and own not in {"owner", "admin"}:
        return None, "group_denied"
    if own is not None:
        return own, None
    if why in {"denied", "blocked"}:
        return None, why
    return ("guest", None) if status == "active" else (None, "group_pending")


def _closed(row: User | None) -> Closed:
    """Return why a person has no access of their own."""
    if row is None:
        return "unknown"
    match row.status:
        case "denied" | "blocked":
            return row.status
        case "pending":
            return "unknown" if row.requested_at is None else "pending"
        case _:
            return "expired"
