"""Search among known people: by status, by words of their name, by id or by username."""

from collections.abc import Sequence

from tgllm.db.engine.unit import Connection
from tgllm.db.tables import users
from tgllm.db.tables.users import Status, User
from tgllm.services.people.decisions import AccessError
from tgllm.services.people.names import full_name

__all__ = ["find_person", "search_people"]


def search_people(conn: Connection, status: Status | None = None, query: str = "") -> Sequence[User]:
    """Return the people of a status whose name, username or id contain all words of a query, ignoring case.

    People who asked for access come first, in order of their requests; the others follow by id. With the status
    ``pending``, only people who asked for access are returned, and not members of groups who never asked.
    """
    words = query.casefold().replace("@", " ").split()
    found = [user for user in users.list_all(conn, status) if status != "pending" or user.requested_at is not None]
    return [user for user in found if all(word in _searched(user) for word in words)] if words else found


def find_person(conn: Connection, text: str) -> User:
    """Return the person of an id, or of a username with or without the @.

    Usernames are reassigned: of several people with the same one, the last seen is returned.

    Raises:
        AccessError: no such person is known.
    """
    name = text.strip().removeprefix("@")
    if name.isascii() and name.isdecimal() and len(name) < 20:
        known = users.get(conn, int(name)) if int(name) < 2**63 else None
    else:
        namesakes = [user for user in users.list_all(conn) if (user.username or "").casefold() == name.casefold()]
        known = max(namesakes, key=lambda user: user.updated_at, default=None) if name else None
    if known is None:
        raise AccessError("no such user", code="access_unknown", user=text.strip() or "?")
    return known


def _searched(user: User) -> str:
    return f"{user.id} {full_name(user)} {user.username or ''}".casefold()
