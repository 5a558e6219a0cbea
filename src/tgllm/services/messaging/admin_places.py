"""Chats in which the admins are told of access requests."""

from collections.abc import Sequence
from dataclasses import dataclass

from tgllm.db.engine.unit import Connection
from tgllm.db.tables import users
from tgllm.services.chats.moved_chats import present_id
from tgllm.services.messaging.people import language_of

__all__ = ["AdminPlaces", "Place"]


@dataclass(frozen=True, slots=True)
class Place:
    """A chat, and the language of the messages there."""

    chat_id: int
    language: str


@dataclass(frozen=True, slots=True)
class AdminPlaces:
    """The admin chat and the admins' private chats."""

    admin_chat_id: int | None
    """The admin chat of the config."""

    def all(self, conn: Connection, now: int) -> Sequence[Place]:
        """Return the admin chat and the admins' private chats, which have the ids of the admins (Bot API: Chat)."""
        places = [Place(admin.id, language_of(conn, admin)) for admin in users.admins(conn, now)]
        chat_id = None if self.admin_chat_id is None else present_id(conn, self.admin_chat_id)
        if chat_id is None or any(place.chat_id == chat_id for place in places):
            return places
        return [Place(chat_id, ""), *places]
