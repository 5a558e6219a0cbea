"""Fast loading of the settings of commands that only read the database, without the settings model.

Loading pydantic and the model takes several times as long as such a command itself.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

from tgllm.config.checks import language, time_zone
from tgllm.config.paths import default_config_path, default_data_dir

__all__ = ["DEFAULT_LANGUAGE", "DEFAULT_MODEL", "DEFAULT_TIME_ZONE", "QuickSettings", "quick_settings"]

DEFAULT_MODEL = "echo/echo"
"""Default of ``default_model``."""
DEFAULT_LANGUAGE = "en"
DEFAULT_TIME_ZONE = "UTC"
_OTHERS = ("TGLLM_PRICES", "TGLLM_DATABASE__URL", "TGLLM_DATABASE__URL_FILE")
"""Variables of settings that only the model reads."""


@dataclass(frozen=True, slots=True)
class QuickSettings:
    """Settings as in ``tgllm.config.model.Config``."""

    data_dir: Path
    default_model: str
    language: str
    time_zone: str
    database_url: str | None = field(default=None, repr=False)
    """Of the server, with the password; None: the database is a file of the data folder."""
    is_pooled: bool = False


def quick_settings(
    flags: Mapping[str, object],
    config_path: Path | None = None,
    *,
    environ: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    local: bool = True,
) -> QuickSettings | None:
    """Read the settings from flags, environment and config file, with the precedence of ``load_config``.

    Other settings are ignored, and so are errors in them.

    Args:
        flags: the flags of the command line.
        config_path: the config file; the default one if there is none.
        environ: the environment; that of the process by default.
        cwd: the folder of ``.env``; the current one by default.
        local: whether language and time zone are needed; if not, they are ignored too, and have their defaults.

    Returns:
        None if all settings have to be loaded: there is an ``.env``, a price or a server's database in the settings, or
        an error in the config file.
    """
    environ = os.environ if environ is None else environ
    try:
        tables = _tables(config_path, environ)
        if tables is None or _need_all(tables, environ) or _dotenv(cwd).exists():
            return None
        return _settings(flags, environ, tables, local=local)
    except (OSError, ValueError, RuntimeError):
        # A file can't be accessed or is not TOML, or a path begins with ~ and an unknown user.
        return None


def _need_all(tables: Mapping[str, object], environ: Mapping[str, str]) -> bool:
    """Return whether the settings have prices, or name a database on a server."""
    database = tables.get("database")
    keys = cast("dict[str, object]", database) if isinstance(database, dict) else {}
    is_server = "url" in keys or "url_file" in keys
    return "prices" in tables or is_server or any(environ.get(name) for name in _OTHERS)


def _dotenv(cwd: Path | None) -> Path:
    return (cwd or Path.cwd()) / ".env"


def _settings(
    flags: Mapping[str, object], environ: Mapping[str, str], tables: Mapping[str, object], *, local: bool
) -> QuickSettings | None:
    def value(name: str, default: object) -> object:
        return _variable(environ, f"TGLLM_{name.upper()}") or tables.get(name, default)

    data_dir = flags.get("data_dir") or value("data_dir", None)
    model = value("default_model", DEFAULT_MODEL)
    tongue: object = DEFAULT_LANGUAGE
    zone: object = DEFAULT_TIME_ZONE
    if local:
        tongue, zone = language(value("language", tongue)), time_zone(value("time_zone", zone))
    if not isinstance(data_dir, str | Path | None) or not all(isinstance(text, str) for text in (model, tongue, zone)):
        return None
    if data_dir is not None and (not str(data_dir).strip() or "\0" in str(data_dir)):
        return None
    folder = default_data_dir() if data_dir is None else Path(data_dir).expanduser().absolute()
    return QuickSettings(folder, str(model).strip(), str(tongue), str(zone))


def _variable(environ: Mapping[str, str], name: str) -> str | None:
    value = environ.get(name, "")
    return value if value.strip() else None


def _tables(config_path: Path | None, environ: Mapping[str, str]) -> Mapping[str, object] | None:
    """Read the config file; empty if there is none, None if a named file does not exist."""
    named = str(config_path or "") or environ.get("TGLLM_CONFIG", "").strip()
    path = Path(named).expanduser() if named else default_config_path()
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (FileNotFoundError, NotADirectoryError):
        return None if named else {}
    import tomllib  # noqa: PLC0415  many bots are configured only by the environment

    return cast("Mapping[str, object]", tomllib.loads(text))
