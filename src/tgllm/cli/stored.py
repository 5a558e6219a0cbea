"""The stored database: its path, and read-only queries for commands that only show data and have to be fast."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from tgllm.api.errors import DatabaseError
from tgllm.cli.options import Options
from tgllm.config.paths import database_path
from tgllm.config.quick import QuickSettings, quick_settings
from tgllm.db.engine.unit import Connection
from tgllm.db.file.look import is_there, look

__all__ = ["existing_database", "look_at", "look_with", "settings_to_look"]

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
    return QuickSettings(config.data_dir, config.default_model, config.language, config.time_zone)


def existing_database(data_dir: Path) -> Path:
    """Return the path of the database, without creating one.

    Raises:
        DatabaseError: there is none.
    """
    path = database_path(data_dir)
    if not is_there(path):
        raise DatabaseError(f"there is no database {path} yet; start the bot once, or make it with: tgllm db init")
    return path


def look_with(settings: QuickSettings, query: Callable[[Connection], T], nothing: T) -> T:
    """Run a query on the bot's database; return ``nothing`` if there is no database, without creating one.

    Raises:
        DatabaseError: the file can't be read, or is of another version.
    """
    path = database_path(settings.data_dir)
    return look(path, query) if is_there(path) else nothing


def look_at(options: Options, query: Callable[[Connection], T], nothing: T) -> T:
    """Run a query with the settings of these options, of which language and time zone are ignored; see ``look_with``.

    Raises:
        ConfigError: a setting is invalid.
        DatabaseError: the file can't be read, or is of another version.
    """
    return look_with(settings_to_look(options, local=False), query, nothing)
