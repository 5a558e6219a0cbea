"""Default paths of tgllm's files."""

from pathlib import Path

import platformdirs

__all__ = ["database_path", "default_config_path", "default_data_dir"]


def default_config_path() -> Path:
    """Return the default path of the config file."""
    return platformdirs.user_config_path("tgllm", appauthor=False) / "config.toml"


def default_data_dir() -> Path:
    """Return the default data folder."""
    return platformdirs.user_data_path("tgllm", appauthor=False)


def database_path(data_dir: Path) -> Path:
    """Return the path of the database in a data folder."""
    return data_dir / "tgllm.db"
