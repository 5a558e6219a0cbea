"""Where tgllm keeps its files on this system."""

from pathlib import Path

import platformdirs

__all__ = ["database_path", "default_config_path", "default_data_dir"]


def default_config_path() -> Path:
    """The config file that is read when none is named."""
    return platformdirs.user_config_path("tgllm", appauthor=False) / "config.toml"


def default_data_dir() -> Path:
    """The data folder when none is named."""
    return platformdirs.user_data_path("tgllm", appauthor=False)


def database_path(data_dir: Path) -> Path:
    """The bot's database, in its data folder."""
    return data_dir / "tgllm.db"
