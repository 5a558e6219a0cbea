"""Who may use the bot: the rules for people, with no Telegram in them."""

from tgllm.api import UserInfo
from tgllm.api.clock import Clock, milliseconds
from tgllm.db import users
from tgllm.db.database import Database
from tgllm.db.unit import Connection
from tgllm.db.users import SeenUser
from tgllm.services.language import chosen_language

__all__ = ["UserService", "full_name"]


def full_name(person: SeenUser) -> str:
    """First and last name, as Telegram shows them."""
    return f"{person.first_name} {person.last_name}" if person.last_name else person.first_name


class UserService:
    """Looks people up and keeps what is known of them."""

    def __init__(self, database: Database, clock: Clock) -> None:
        """Work on that database; nothing is cached, so a change made elsewhere counts at once."""
        self._database = database
        self._clock = clock

    async def ensure_owners(self, admin_ids: tuple[int, ...]) -> None:
        """Make the people named in the config active owners."""
        now = milliseconds(self._clock)
        await self._database.write(lambda conn: users.ensure_owners(conn, admin_ids, now))

    async def identify(self, person: SeenUser) -> UserInfo:
        """Who that is to the bot. Somebody who has not been let in has no role."""
        row, language = await self._database.read(
            lambda conn: (users.get(conn, person.id), chosen_language(conn, person.id))
        )
        may_use = row is not None and row.may_use(milliseconds(self._clock))
        return UserInfo(
            id=person.id,
            name=full_name(person),
            role=row.role if row is not None and may_use else None,
            username=person.username,
            language=language or person.language_code or "",
        )

    def register_request(self, conn: Connection, person: SeenUser) -> bool:
        """Note that somebody unknown wants in; part of a larger transaction. Never changes a decision.

        Returns:
            Whether this is the person's first request.
        """
        now = milliseconds(self._clock)
        users.upsert_seen(conn, person, now)
        return users.register_pending(conn, person.id, now)
