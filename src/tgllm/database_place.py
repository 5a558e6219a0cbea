"""Where the bot's database is, by the settings."""

from typing import TYPE_CHECKING

from tgllm.config.paths import database_path
from tgllm.db.engine.place import Place, Server

if TYPE_CHECKING:
    # The model takes longer to load than the shell commands need that only read.
    from tgllm.config.model import Config

__all__ = ["database_place"]


def database_place(config: "Config") -> Place:
    """Return the server of the settings, or the file of the data folder."""
    section = config.database
    if section.url is None:
        return database_path(config.data_dir)
    listen = None if section.listen_url is None else section.listen_url.get_secret_value()
    return Server(section.url.get_secret_value(), listen, section.pooled)
