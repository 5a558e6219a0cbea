"""Puts one setting into a config file that people have written, and leaves the rest of it as it is."""

import contextlib
import re
import tomllib
from pathlib import Path
from typing import Any, cast

from tgllm.api.errors import ConfigError
from tgllm.config.write import replace_file, toml_text, write_config

__all__ = ["set_in_file", "with_setting"]

_HEADER = re.compile(r"[ \t]*\[[ \t]*([\w.-]+)[ \t]*\][ \t]*(?:#.*)?")
MOST_MODE = 0o660
"""Who may do what with a config file at most: it holds keys."""
_MARK = "\ufeff"
_ANY_HEADER = re.compile(r"[ \t]*\[")


def set_in_file(path: Path, key: str, value: str) -> None:
    """Set ``key`` (dotted, in a table) in the config file at ``path``, which is made where it is missing.

    The file is replaced as a whole, so that a crash leaves the old one or the new one. It keeps owner and group, whose
    rights stay; all others lose theirs.

    Raises:
        ConfigError: the file can't be read or written, is no TOML, or is written in a way in which the setting has to
            be put in by hand; it is then as it was.
    """
    if not path.exists():
        write_config(path, toml_text({key: value}))
        return
    try:
        changed = _with_setting(path.read_bytes().decode(), key, value)
        replace_file(path, changed, mode=path.stat().st_mode & MOST_MODE)
    except OSError as error:
        raise ConfigError(f"{path}: can't be written: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{path}: is not UTF-8 text; save it as UTF-8") from None
    except ValueError as error:
        raise ConfigError(f"{path}: {error}") from None


def _with_setting(content: str, key: str, value: str) -> str:
    """The same for the content of a file: a mark of the encoding at its beginning stays, and how its lines end."""
    text = content.removeprefix(_MARK)
    end = "\r\n" if "\r\n" in text else "\n"
    changed = with_setting(text.replace("\r\n", "\n"), key, value)
    return (_MARK if content.startswith(_MARK) else "") + changed.replace("\n", end)


def with_setting(text: str, key: str, value: str) -> str:
    """The text of a TOML file with one setting more, or another value for it.

    Raises:
        ValueError: the text is no TOML, or the setting can't be put in safely.
    """
    table, _, name = key.rpartition(".")
    wanted = _parsed(text)
    section = wanted.setdefault(table, {})
    changed = _changed(text, table, name, toml_text({name: value}).strip())
    if isinstance(section, dict):
        cast("dict[str, Any]", section)[name] = value
        with contextlib.suppress(ValueError):
            if _parsed(changed) == wanted:
                return changed
    raise ValueError(f'[{table}] can\'t be changed by a program; put this line in yourself: {name} = "{value}"')


def _parsed(text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"is no TOML: {error}") from None


def _changed(text: str, table: str, name: str, line: str) -> str:
    """The text with ``line`` in place of the setting's own, below its table's header, or in a table at the end."""
    lines = text.removesuffix("\n").split("\n") if text else []
    start = next((i for i, found in enumerate(map(_HEADER.fullmatch, lines)) if found and found[1] == table), None)
    if start is None:
        return "\n".join([*lines, *([""] if lines else []), f"[{table}]", line]) + "\n"
    end = next((i for i in range(start + 1, len(lines)) if _ANY_HEADER.match(lines[i])), len(lines))
    own = re.compile(rf"[ \t]*[\"']?{re.escape(name)}[\"']?[ \t]*=")
    old = next((i for i in range(start + 1, end) if own.match(lines[i])), None)
    if old is None:
        lines.insert(start + 1, line)
    else:
        lines[old] = line
    return "\n".join(lines) + "\n"
