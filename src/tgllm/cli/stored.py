"""Read-only database queries for commands that only show data and have to be fast."""

from collections.abc import Callable
from typing import TypeVar

from tgllm.cli.options import Options
from tgllm.config.paths import database_path
from tgllm.config.quick import quick_settings
from tgllm.db.engine.unit import Connection
from tgllm.db.file.look import is_there, look

__all__ = ["look_at"]

T = TypeVar("T")


def look_at(options: Options, query: Callable[[Connection], T], nothing: T) -> T:
    """Run a query on the bot's database; return ``nothing`` if there is no database, without creating one.

    Raises:
        ConfigError: a setting is invalid.
        DatabaseError: the file can't be read, or is of another version.
    """
    quick = quick_settings(options.flags, options.config)
    path = database_path(options.load().config.data_dir if quick is None else quick.data_dir)
    return look(path, query) if is_there(path) else nothing
