"""How commands write people, groups and times for people to read."""

from datetime import UTC, datetime

from tgllm.db.tables.groups import Group
from tgllm.db.tables.users import User
from tgllm.services.common.text import one_line
from tgllm.services.people.standing import full_name

__all__ = ["moment", "person_name", "shown_name", "shown_title"]

MOST_NAME = 64
"""UTF-16 units of a name."""


def moment(at: int | None) -> str:
    """A time (UTC, milliseconds since 1970) to the minute; a dash for none."""
    return "-" if at is None else f"{datetime.fromtimestamp(at / 1000, UTC):%Y-%m-%d %H:%M}"


def shown_name(user: User) -> str:
    """A name as it can stand in a terminal: on one line, and without signs that would steer it."""
    return one_line(full_name(user), MOST_NAME)


def person_name(user: User) -> str:
    """Somebody as the shell tells of them, such as ``Ann (@ann, 42)``."""
    facts = f"@{user.username}, {user.id}" if user.username else str(user.id)
    name = shown_name(user)
    return facts if name == str(user.id) else f"{name} ({facts})"


def shown_title(group: Group) -> str:
    """A group's title as it can stand in a terminal; a dash for none."""
    return one_line(group.title, MOST_NAME) or "-"
