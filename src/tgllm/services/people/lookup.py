"""Lookup of a person for plugins, which loads what it needs when it is first used."""

from tgllm.api.people import UserInfo
from tgllm.db.engine.unit import Connection

__all__ = ["look_up"]


def look_up(conn: Connection, user_id: int, now: int) -> UserInfo | None:
    """Return a person as ``find_person`` does."""
    from tgllm.services.people.standing import find_person  # noqa: PLC0415  `tgllm plugins list` needs no service

    return find_person(conn, user_id, now)
