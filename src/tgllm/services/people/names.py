"""How people and groups are named in messages."""

from tgllm.db.tables.groups import Group
from tgllm.db.tables.users import User
from tgllm.services.common.text import one_line

__all__ = ["MOST_NAME", "named", "named_group"]


MOST_NAME = 80


def named(user: User) -> str:
    """Name, @username and id of somebody, on one line."""
    name = one_line(f"{user.first_name} {user.last_name or ''}", MOST_NAME)
    return " ".join([*([name] if name else []), *([f"@{user.username}"] if user.username else []), f"({user.id})"])


def named_group(group: Group) -> str:
    """Title and id of a group, on one line."""
    title = one_line(group.title, MOST_NAME)
    return f"{title} ({group.id})" if title else str(group.id)
