"""Database access of commands that change users, and their search for the user."""

import difflib
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from tgllm.api.clock import Clock, SystemClock
from tgllm.api.errors import TgllmError
from tgllm.cli.options import Options
from tgllm.cli.stored import existing_database
from tgllm.cli.words import person_name
from tgllm.config.model import Config
from tgllm.db.database import Database
from tgllm.db.engine.unit import Connection
from tgllm.db.tables import users
from tgllm.db.tables.users import User
from tgllm.i18n import Catalogue, error_text
from tgllm.services.access.service import Access
from tgllm.services.access.user_service import UserService
from tgllm.services.people.decisions import AccessError
from tgllm.services.people.names import full_name
from tgllm.services.people.search import find_person
from tgllm.services.turns.running import RunningTurns

__all__ = ["People", "open_people"]

MOST_NEAR = 3
"""Suggestions in the error message for an unknown user."""


@dataclass(frozen=True, slots=True)
class People:
    """The opened database of a bot, which may be running, and the services on top of it."""

    config: Config
    clock: Clock
    texts: Catalogue
    database: Database
    users: UserService
    access: Access

    def find(self, conn: Connection, text: str) -> User:
        """Return the user with an id or a username.

        Raises:
            TgllmError: the user is unknown; the message suggests similar names.
        """
        try:
            return find_person(conn, text)
        except AccessError as error:
            near = ", ".join(person_name(user) for user in _near(conn, text))
            words = self.texts("shell.user_near", text=text, near=near) if near else ""
            raise TgllmError(words or self.texts("shell.user_unknown", text=text), code=error.code) from error


@asynccontextmanager
async def open_people(options: Options) -> AsyncGenerator[People]:
    """Open the database.

    Raises:
        ConfigError: a setting is invalid.
        DatabaseError: the database is missing, damaged, or of a newer version.
        TgllmError: an ``AccessError`` from the block, with its text from the catalogue.
    """
    options.quiet_log()
    config, clock = options.load().config, SystemClock()
    place = existing_database(config)
    texts = Catalogue(config.language)
    # No turns run in this process; a running bot stops its own when it notices the change.
    access = Access.of(config.access, config.admin_chat_id, texts, clock, RunningTurns())
    async with await Database.open(place, clock=clock) as database:
        try:
            yield People(config, clock, texts, database, UserService(database, clock, texts, access.cards), access)
        except AccessError as error:
            raise TgllmError(error_text(texts, error), code=error.code) from error


def _near(conn: Connection, text: str) -> list[User]:
    """Return users whose id, username or name is similar to ``text``."""
    by_name: dict[str, list[User]] = {}
    for user in users.list_all(conn):
        for name in _names(user):
            by_name.setdefault(name, []).append(user)
    found = difflib.get_close_matches(text.strip().removeprefix("@").casefold(), by_name, MOST_NEAR)
    return list({user.id: user for name in found for user in by_name[name]}.values())[:MOST_NEAR]


def _names(user: User) -> Iterator[str]:
    names = (str(user.id), full_name(user), user.first_name, user.username or "")
    yield from (name.casefold() for name in names if name)
