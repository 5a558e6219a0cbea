"""The two settings of a command that only reads the lists of models, read without the model of all settings.

Loading pydantic and that model takes several times as long as such a command itself.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from tgllm.config.paths import default_config_path, default_data_dir

__all__ = ["DEFAULT_MODEL", "QuickSettings", "quick_settings"]

DEFAULT_MODEL = "echo/echo"
"""Answers where nobody has chosen a model."""


@dataclass(frozen=True, slots=True)
class QuickSettings:
    """As in ``tgllm.config.model.Config``."""

    data_dir: Path
    default_model: str


def quick_settings(
    flags: Mapping[str, object],
    config_path: Path | None = None,
    *,
    environ: Mapping[str, str] | None = None,
    cwd: Path | None = None,
) -> QuickSettings | None:
    """Read them from flags, environment and config file, in the order of strength that ``load_config`` has.

    Other settings are not looked at, so what is wrong with them is not told.

    Returns:
        None where all settings have to be read: there is an ``.env`` or a price in the settings, or something about the
        config file is not as it should be.
    """
    environ = os.environ if environ is None else environ
    try:
        tables = _tables(config_path, environ)
        if tables is None or "prices" in tables or environ.get("TGLLM_PRICES") or _dotenv(cwd).exists():
            return None
        return _settings(flags, environ, tables)
    except (OSError, ValueError, RuntimeError):
        # Something can't be looked at, the file is no TOML, or a path begins with the name of nobody.
        return None


def _dotenv(cwd: Path | None) -> Path:
    return (cwd or Path.cwd()) / ".env"


def _settings(
    flags: Mapping[str, object], environ: Mapping[str, str], tables: Mapping[str, object]
) -> QuickSettings | None:
    data_dir = flags.get("data_dir") or _variable(environ, "TGLLM_DATA_DIR") or tables.get("data_dir")
    model = _variable(environ, "TGLLM_DEFAULT_MODEL") or tables.get("default_model", DEFAULT_MODEL)
    if not isinstance(data_dir, str | Path | None) or not isinstance(model, str):
        return None
    if data_dir is not None and (not str(data_dir).strip() or "\0" in str(data_dir)):
        return None
    folder = default_data_dir() if data_dir is None else Path(data_dir).expanduser().absolute()
    return QuickSettings(folder, model.strip())


def _variable(environ: Mapping[str, str], name: str) -> str | None:
    value = environ.get(name, "")
    return value if value.strip() else None


def _tables(config_path: Path | None, environ: Mapping[str, str]) -> Mapping[str, object] | None:
    """The config file; empty where there is none, None where one is named that is not there."""
    named = str(config_path or "") or environ.get("TGLLM_CONFIG", "").strip()
    path = Path(named).expanduser() if named else default_config_path()
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (FileNotFoundError, NotADirectoryError):
        return None if named else {}
    import tomllib  # noqa: PLC0415  many bots are set up by their environment alone

    return cast("Mapping[str, object]", tomllib.loads(text))
