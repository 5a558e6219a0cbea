"""A person's stored fields as JSON."""

from typing import TYPE_CHECKING

from tgllm.services.common.times import iso_time

if TYPE_CHECKING:
    from tgllm.api.types import Json
    from tgllm.db.tables.users import User

__all__ = ["person_object"]


def person_object(user: "User") -> "dict[str, Json]":
    """Return the fields of a person in lists and exports; times are ISO 8601 in UTC."""
    return {
        "id": user.id,
        "username": user.username,
        "first_name": user.first_name,
        "last_name": user.last_name,
        "language_code": user.language_code,
        "role": user.role,
        "status": user.status,
        "reason": user.reason,
        "requested_at": iso_time(user.requested_at),
        "decided_at": iso_time(user.decided_at),
        "expires_at": iso_time(user.expires_at),
        "first_seen_at": iso_time(user.created_at),
    }
