"""Default paths of tgllm's files."""

from pathlib import Path

import platformdirs

from tgllm.api.errors import ConfigError

__all__ = ["database_path", "default_config_path", "default_data_dir"]


def default_config_path() -> Path:
    """Return the default path of the config file; a relative one if the home folder is not known."""
    try:
        return platformdirs.user_config_path("tgllm", appauthor=False) / "config.toml"
    except RuntimeError:
        # Raised by newer versions; older ones return this path.
        return Path("~/.config/tgllm/config.toml")


def default_data_dir() -> Path:
    """Return the default data folder.

    Raises:
        ConfigError: the home folder is not known.
    """
    try:
        found = platformdirs.user_data_path("tgllm", appauthor=False)
    except RuntimeError:
        found = Path("~")
    if not found.is_absolute():
        # Otherwise a folder with the name ~ would be made in the current one.
        raise ConfigError("the home folder is not known (HOME is not set): name the data folder by TGLLM_DATA_DIR")
    return found


def database_path(data_dir: Path) -> Path:
    """Return the path of the database in a data folder."""
    return data_dir / "tgllm.db"
