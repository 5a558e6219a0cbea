"""Names of people and groups in messages.

People and groups choose their names: they stay on one line, and contain nothing that Telegram makes clickable.
"""

from typing import TYPE_CHECKING

from tgllm.services.common.text import one_line, unlinked

if TYPE_CHECKING:
    from tgllm.db.tables.groups import Group
    from tgllm.db.tables.users import SeenUser, User

__all__ = ["MOST_NAME", "chosen_name", "full_name", "named", "named_group"]


MOST_NAME = 80
"""Maximum length of a name or title in UTF-16 units."""


def full_name(person: "SeenUser | User") -> str:
    """Return first and last name, as Telegram shows them; the id if both are unknown."""
    return f"{person.first_name} {person.last_name or ''}".strip() or str(person.id)


def chosen_name(name: str, limit: int = MOST_NAME) -> str:
    """Return a name or another text of a stranger, truncated to ``limit`` UTF-16 units; empty if nothing is visible."""
    return unlinked(one_line(name, limit))


def named(user: "User") -> str:
    """Return name, @username and id of a person, on one line."""
    name = chosen_name(f"{user.first_name} {user.last_name or ''}")
    return " ".join([*([name] if name else []), *([f"@{user.username}"] if user.username else []), f"({user.id})"])


def named_group(group: "Group") -> str:
    """Return title and id of a group, on one line."""
    title = chosen_name(group.title)
    return f"{title} ({group.id})" if title else str(group.id)
