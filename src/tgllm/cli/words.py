"""Names of users and groups, and times, as text for the terminal."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from tgllm.services.common.text import one_line
from tgllm.services.people.names import full_name

if TYPE_CHECKING:
    from tgllm.db.tables.groups import Group
    from tgllm.db.tables.users import User

__all__ = ["group_name", "moment", "person_name", "shown_name", "shown_title"]

MOST_NAME = 64
"""Maximum length of a name, in UTF-16 units."""


def moment(at: int | None) -> str:
    """Format a time (milliseconds since 1970) to the minute, in UTC; None is a dash."""
    return "-" if at is None else f"{datetime.fromtimestamp(at / 1000, UTC):%Y-%m-%d %H:%M}"


def shown_name(user: "User") -> str:
    """Return a user's name for a terminal: on one line, without control characters."""
    return one_line(full_name(user), MOST_NAME)


def person_name(user: "User") -> str:
    """Return a user's name with username and id, such as ``Ann (@ann, 42)``."""
    facts = f"@{user.username}, {user.id}" if user.username else str(user.id)
    name = shown_name(user)
    return facts if name == str(user.id) else f"{name} ({facts})"


def shown_title(group: "Group") -> str:
    """Return a group's title for a terminal: on one line, without control characters; a dash if it is empty."""
    return one_line(group.title, MOST_NAME) or "-"


def group_name(group: "Group") -> str:
    """Return a group's title with its id, such as ``Team (-200)``."""
    title = one_line(group.title, MOST_NAME)
    return f"{title} ({group.id})" if title else str(group.id)
