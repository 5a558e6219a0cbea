"""Writes a config file."""

import contextlib
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TextIO, TypeAlias

from tgllm.api.errors import ConfigError

__all__ = ["TomlValue", "keep_copy", "make_file", "replace_file", "toml_text", "why_unwritable", "write_config"]

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
            make_file(path, text)
    except FileExistsError as error:
        # The folder above it, or the file itself.
        if not path.parent.is_dir():
            raise ConfigError(f"{path}: can't be written: {path.parent} is no folder") from error
        raise ConfigError(f"{path}: is there already; edit it, or write it anew with --force") from None
    except OSError as error:
        raise ConfigError(f"{path}: can't be written: {error.strerror}") from None


def make_file(path: Path, text: str, *, mode: int = 0o600) -> None:
    """Create a file with its whole content, or nothing: a process that is killed meanwhile leaves no part of it.

    Raises:
        FileExistsError: there is something at that path, possibly a link to nothing.
        OSError: it can't be written.
    """
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            _store(file, text)
            os.fchmod(file.fileno(), mode)
        try:
            # Unlike a rename, it replaces nothing.
            os.link(name, path)
        except FileExistsError:
            raise
        except OSError:
            _make_in_place(path, text, mode)
    finally:
        Path(name).unlink(missing_ok=True)


def _make_in_place(path: Path, text: str, mode: int) -> None:
    """Create a file on a file system without hard links."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "w", encoding="utf-8") as file:
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


def keep_copy(path: Path, moment: str) -> Path | None:
    """Copy a file beside it before it is replaced; return the copy, or None if there is no file.

    Args:
        path: of the file; a link is followed.
        moment: part of the copy's name, such as ``20261130T041500Z``.

    Raises:
        ConfigError: it can't be copied.
    """
    if not path.exists():
        return None
    real = path.resolve()
    copy = real.with_name(f"{real.name}.{moment}.bak")
    try:
        content = real.read_bytes()
        with os.fdopen(os.open(copy, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise ConfigError(f"{copy}: can't be written: {error.strerror}") from None
    return copy


def why_unwritable(path: Path, *, replace: bool) -> str:
    """Return why a config file can't be written there, before anything is asked; empty if it probably can."""
    try:
        if path.is_dir():
            return f"{path}: is a folder; name a file with --config"
        if path.is_symlink() and not path.exists():
            return f"{path}: is a link to a missing file; remove the link, or name another file with --config"
        if path.exists() and not replace:
            return f"{path}: is there already; edit it, or write it anew with --force"
        folder = path.resolve().parent
        above = next(each for each in (folder, *folder.parents) if each.exists())
        if not above.is_dir():
            return f"{path}: can't be written: {above} is no folder"
        if not os.access(above, os.W_OK | os.X_OK) or os.statvfs(above).f_flag & os.ST_RDONLY:
            return f"{path}: can't be written: the folder {above} is read-only for you; name another file with --config"
    except (OSError, RuntimeError) as error:
        return f"{path}: can't be written: {getattr(error, 'strerror', None) or error}"
    return ""


def _store(file: TextIO, text: str) -> None:
    file.write(text)
    file.flush()
    os.fsync(file.fileno())
