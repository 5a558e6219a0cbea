"""Readers of config files: TOML and ``.env``."""

import io
import tomllib
from collections.abc import Mapping
from pathlib import Path
from stat import S_ISREG

from tgllm.api.errors import ConfigError

__all__ = ["dotenv_path", "is_there", "read_dotenv", "read_toml"]


def dotenv_path(folder: Path | None = None) -> Path:
    """Return the path of ``.env`` in ``folder``, by default the current one.

    Raises:
        ConfigError: the current folder no longer exists.
    """
    try:
        return (folder or Path.cwd()) / ".env"
    except FileNotFoundError:
        raise ConfigError("the current folder no longer exists; change to another one and try again") from None


def is_there(path: Path) -> bool:
    """Return whether ``path`` is a file.

    Raises:
        ConfigError: the path can't be accessed.
    """
    try:
        return S_ISREG(path.stat().st_mode)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:
        raise ConfigError(f"{path}: can't be read: {error.strerror}") from None


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise ConfigError(f"{path}: is not UTF-8 text; save it as UTF-8") from None
    except OSError as error:
        raise ConfigError(f"{path}: can't be read: {error.strerror}") from None


def read_toml(path: Path) -> Mapping[str, object]:
    """Read the tables of a TOML file.

    Raises:
        ConfigError: the file can't be read or is not valid TOML; the message contains the line.
    """
    try:
        return tomllib.loads(_read(path))
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: is not valid TOML: {error}") from None


def read_dotenv(path: Path) -> Mapping[str, str]:
    """Read the variables of an ``.env`` file, without expansion and without changing the environment.

    Raises:
        ConfigError: the file can't be read, or a line is not an assignment; the message contains the line.
    """
    if not is_there(path):
        return {}
    from dotenv.parser import parse_stream  # noqa: PLC0415  most bots have no such file

    bindings = list(parse_stream(io.StringIO(_read(path))))
    if wrong := [binding.original.line for binding in bindings if binding.error]:
        raise ConfigError(f"{path}: line {wrong[0]} is not an assignment; write NAME=value")
    return {item.key: item.value for item in bindings if item.key and item.value is not None}
