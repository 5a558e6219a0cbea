"""The stored database: its place, and read-only queries for commands that only show data and have to be fast."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from tgllm.api.errors import DatabaseError
from tgllm.cli.options import Options
from tgllm.config.paths import database_path
from tgllm.config.quick import QuickSettings, quick_settings
from tgllm.db.engine.unit import Connection
from tgllm.db.file.look import is_there, look

if TYPE_CHECKING:
    from tgllm.config.model import Config
    from tgllm.db.engine.place import Place

# Imports for databases on a server are inside functions: lists of a file need few of them, and have to be fast.

__all__ = [
    "database_file",
    "existing_database",
    "existing_file",
    "look_at",
    "look_with",
    "place_to_look",
    "settings_to_look",
]

T = TypeVar("T")


def settings_to_look(options: Options, *, local: bool = True) -> QuickSettings:
    """Return the settings of such a command; all settings are loaded only if that is necessary.

    Args:
        options: the options of the command line.
        local: whether the command needs language and time zone; see ``quick_settings``.

    Raises:
        ConfigError: a setting is invalid.
    """
    quick = quick_settings(options.flags, options.config, local=local)
    if quick is not None:
        return quick
    config = options.load().config
    url = None if config.database.url is None else config.database.url.get_secret_value()
    return QuickSettings(
        config.data_dir, config.default_model, config.language, config.time_zone, url, config.database.pooled
    )


def place_to_look(settings: QuickSettings) -> "Place":
    """Return where the database of these settings is."""
    if settings.database_url is None:
        return database_path(settings.data_dir)
    from tgllm.db.engine.place import Server  # noqa: PLC0415  lists of a file do without

    return Server(settings.database_url, None, settings.is_pooled)


def existing_database(config: "Config") -> "Place":
    """Return where the database is, without creating one.

    Raises:
        DatabaseError: there is none, or it can't be used.
    """
    from tgllm.database_place import database_place  # noqa: PLC0415  lists of a file do without
    from tgllm.db import looking  # noqa: PLC0415  lists of a file do without
    from tgllm.db.engine.place import words_for  # noqa: PLC0415  lists of a file do without

    place = database_place(config)
    if not looking.is_there(place):
        raise DatabaseError(
            f"there is no database {words_for(place)} yet; start the bot once, or make it with: tgllm db init"
        )
    return place


def database_file(instead: str, config: "Config") -> Path:
    """Return the path of the database, which may not exist.

    Args:
        instead: key of the text that says what to do where the database is on a server.
        config: the settings.

    Raises:
        DatabaseError: it is on a server.
    """
    from tgllm.database_place import database_place  # noqa: PLC0415  lists of a file do without
    from tgllm.db.engine.place import Server, words_for  # noqa: PLC0415  lists of a file do without

    place = database_place(config)
    if isinstance(place, Server):
        from tgllm.i18n import Catalogue  # noqa: PLC0415  only where the command can't run

        text = Catalogue(config.language)(instead, place=words_for(place), path=config.data_dir / "files")
        raise DatabaseError(text, code="database_no_file", place=words_for(place))
    return place


def existing_file(instead: str, config: "Config") -> Path:
    """Return the path of the database, which exists; the arguments are those of ``database_file``.

    Raises:
        DatabaseError: there is none, or it is on a server.
    """
    path = database_file(instead, config)
    existing_database(config)
    return path


def look_with(settings: QuickSettings, query: Callable[[Connection], T], nothing: T) -> T:
    """Run a query on the bot's database; return ``nothing`` if there is no database, without creating one.

    Raises:
        DatabaseError: the database can't be used, or is of another version.
    """
    place = place_to_look(settings)
    if isinstance(place, Path):
        return look(place, query) if is_there(place) else nothing
    from tgllm.db import looking  # noqa: PLC0415  lists of a file do without

    return looking.look(place, query, nothing)


def look_at(options: Options, query: Callable[[Connection], T], nothing: T) -> T:
    """Run a query with the settings of these options, of which language and time zone are ignored; see ``look_with``.

    Raises:
        ConfigError: a setting is invalid.
        DatabaseError: the database can't be used, or is of another version.
    """
    return look_with(settings_to_look(options, local=False), query, nothing)
