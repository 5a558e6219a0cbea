"""The people known to the bot, for plugins."""

from collections.abc import Callable
from datetime import tzinfo
from typing import TYPE_CHECKING

from tgllm.api.clock import Clock, milliseconds
from tgllm.api.people import UserInfo
from tgllm.config.checks import zone
from tgllm.db.engine.unit import Connection
from tgllm.plugins.loading.stored import owner_id

if TYPE_CHECKING:
    from tgllm.db.database import Database

__all__ = ["FindPerson", "PluginPeople"]

FindPerson = Callable[[Connection, int, int], UserInfo | None]
"""Reads a person by their Telegram id, for a time in milliseconds; None if the id is unknown."""


class PluginPeople:
    """Lookup of people. Without a database it finds no person."""

    def __init__(
        self, database: "Database | None", clock: Clock, time_zone: tzinfo, find_person: FindPerson | None
    ) -> None:
        """Create the lookup; ``time_zone`` is the bot's."""
        self._database = database
        self._clock = clock
        self._time_zone = time_zone
        self._find = find_person

    async def get(self, user_id: int) -> UserInfo | None:
        """Return a person as known now; None if the bot does not know the id.

        Raises:
            PluginError: it is no id.
            DatabaseError: the database can't be read.
        """
        owner_id(user_id)
        database, find = self._database, self._find
        if database is None or find is None:
            return None
        now = milliseconds(self._clock)
        return await database.read(lambda conn: find(conn, user_id, now))

    async def timezone(self, user: UserInfo | int) -> tzinfo:
        """Return the time zone that a person has chosen, or else the bot's, as known now.

        Raises:
            PluginError: it is no person.
            DatabaseError: the database can't be read.
        """
        person = await self.get(owner_id(user))
        name = person.timezone if person is not None else None
        if name is None:
            return self._time_zone
        try:
            return zone(name)
        except ValueError:
            # It was checked when it was chosen; another system may have other zones.
            return self._time_zone
