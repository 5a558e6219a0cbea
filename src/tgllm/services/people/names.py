"""Names of people and groups in messages."""

from typing import TYPE_CHECKING

from tgllm.services.common.text import one_line

if TYPE_CHECKING:
    from tgllm.db.tables.groups import Group
    from tgllm.db.tables.users import SeenUser, User

__all__ = ["MOST_NAME", "full_name", "named", "named_group"]


MOST_NAME = 80
"""Maximum length of a name or title in UTF-16 units."""


def full_name(person: "SeenUser | User") -> str:
    """Return first and last name, as Telegram shows them; the id if both are unknown."""
    return f"{person.first_name} {person.last_name or ''}".strip() or str(person.id)


def named(user: "User") -> str:
    """Return name, @username and id of a person, on one line."""
    name = one_line(f"{user.first_name} {user.last_name or ''}", MOST_NAME)
    return " ".join([*([name] if name else []), *([f"@{user.username}"] if user.username else []), f"({user.id})"])


def named_group(group: "Group") -> str:
    """Return title and id of a group, on one line."""
    title = one_line(group.title, MOST_NAME)
    return f"{title} ({group.id})" if title else str(group.id)
