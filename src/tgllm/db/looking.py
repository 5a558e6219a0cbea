"""Looks of short shell commands at a database of either kind, which is neither created nor migrated."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from tgllm.db.engine.driver import require_driver
from tgllm.db.engine.lock import is_locked
from tgllm.db.engine.place import Place
from tgllm.db.engine.unit import Connection
from tgllm.db.file.look import is_there as is_file_there
from tgllm.db.file.look import look as look_into_file

__all__ = ["is_running", "is_there", "look"]

T = TypeVar("T")


def is_there(place: Place) -> bool:
    """Return whether there is a database.

    Raises:
        DatabaseMissing: it is a file with which the bot has run before, and that is missing or empty now.
        DatabaseError: the database can't be used.
    """
    if isinstance(place, Path):
        return is_file_there(place)
    require_driver()
    from tgllm.db.postgres import look as postgres  # noqa: PLC0415  imports psycopg, which few bots need

    return postgres.is_there(place)


def look(place: Place, query: Callable[[Connection], T], nothing: T) -> T:
    """Run a query that only reads; return ``nothing`` if there is no database.

    Raises:
        DatabaseTooNew: the database is of a newer version.
        DatabaseError: the database can't be used, is of an older version, or belongs to another program.
    """
    if isinstance(place, Path):
        return look_into_file(place, query) if is_file_there(place) else nothing
    require_driver()
    from tgllm.db.postgres import look as postgres  # noqa: PLC0415  imports psycopg, which few bots need

    return postgres.look(place, query, nothing)


def is_running(place: Place) -> bool:
    """Return whether a bot runs on a database, here or on another machine.

    A process that was killed counts until its lease ends, half a minute later at most. A server that can't be used has
    none: each bot waits for it.
    """
    if isinstance(place, Path):
        return is_locked(place.parent)
    require_driver()
    from tgllm.db.postgres import look as postgres  # noqa: PLC0415  imports psycopg, which few bots need

    return postgres.look(place, postgres.live_bots, 0) > 0
