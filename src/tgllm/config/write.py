"""Writes a config file."""

import contextlib
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TextIO, TypeAlias

from tgllm.api.errors import ConfigError

__all__ = ["TomlValue", "replace_file", "toml_text", "write_config"]

TomlValue: TypeAlias = str | int | float | bool | list[int] | list[str]


def toml_text(settings: Mapping[str, TomlValue]) -> str:
    """Return settings by dotted key as TOML: those without a table first, then a table for each beginning."""
    import tomlkit  # noqa: PLC0415  short commands do without it

    nested: dict[str, Any] = {}
    for key, value in settings.items():
        *tables, name = key.split(".")
        section = nested
        for table in tables:
            section = section.setdefault(table, {})
        section[name] = value
    return tomlkit.dumps(nested)


def write_config(path: Path, text: str, *, replace: bool = False) -> None:
    """Create a config file that only its owner can read, since it contains keys.

    It is written completely or not at all; after an error, an existing file is unchanged.

    Raises:
        ConfigError: it exists and is not to be replaced, or it can't be written.
    """
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if replace and path.exists():
            replace_file(path, text, mode=0o600)
        else:
            _make(path, text)
    except FileExistsError as error:
        # The folder above it, or the file itself.
        if not path.parent.is_dir():
            raise ConfigError(f"{path}: can't be written: {path.parent} is no folder") from error
        raise ConfigError(f"{path}: is there already; edit it, or write it anew with --force") from None
    except OSError as error:
        raise ConfigError(f"{path}: can't be written: {error.strerror}") from None


def _make(path: Path, text: str) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        try:
            _store(file, text)
        except BaseException:
            path.unlink(missing_ok=True)
            raise


def replace_file(path: Path, text: str, *, mode: int) -> None:
    """Put a new content in the place of a file, all of it or, where that fails, nothing.

    The file keeps its owner and group, as far as this system user may give it to them; a link stays a link.

    Args:
        path: of the file, which is there.
        text: the new content.
        mode: who may do what with it then, as in ``chmod``.

    Raises:
        OSError: it can't be written; it is as it was.
    """
    real = path.resolve()
    owner = real.stat()
    handle, name = tempfile.mkstemp(dir=real.parent, prefix=f".{real.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            _store(file, text)
            with contextlib.suppress(PermissionError):
                os.fchown(file.fileno(), owner.st_uid, owner.st_gid)
            os.fchmod(file.fileno(), mode)
        Path(name).replace(real)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _store(file: TextIO, text: str) -> None:
    file.write(text)
    file.flush()
    os.fsync(file.fileno())
