"""Sets a value in a config file that people have written, and keeps the rest of it: comments, order and spacing."""

import contextlib
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from tgllm.api.errors import ConfigError
from tgllm.config.sources.config_files import read_toml
from tgllm.config.write import TomlValue, replace_file, toml_text, write_config

if TYPE_CHECKING:
    from tomlkit.container import Container
    from tomlkit.items import Table

__all__ = ["in_file", "set_in_file", "toml_place", "unset_in_file", "with_setting", "without_setting"]

MOST_MODE = 0o660
"""Widest permissions of a config file, which contains keys."""
_MARK = "\ufeff"
_BARE_NEWLINE = re.compile(r"(?<!\r)\n")


def set_in_file(path: Path, key: str, value: TomlValue) -> None:
    """Set ``key`` (dotted) in the config file at ``path``; create the file if it is missing.

    The file is replaced atomically, so that a crash leaves the old one or the new one. Owner, group and their
    permissions are kept; all others lose theirs.

    Raises:
        ConfigError: the file can't be read or written, is not TOML, or has something else in the place of the table
            or of the value; it is unchanged then.
    """
    if not path.exists():
        write_config(path, toml_text({key: value}))
        return
    _rewrite(path, lambda text: with_setting(text, key, value))


def unset_in_file(path: Path, key: str) -> None:
    """Remove ``key`` (dotted) from the config file at ``path``, as ``set_in_file`` changes it; comments stay.

    Raises:
        ConfigError: the file can't be read or written, is not TOML, or does not contain the key; it is unchanged then.
    """
    _rewrite(path, lambda text: without_setting(text, key))


def in_file(path: Path, key: str) -> bool:
    """Return whether the config file at ``path`` contains ``key`` (dotted).

    Raises:
        ConfigError: the file can't be read or is not TOML.
    """
    return toml_place(read_toml(path), key) is not None


def toml_place(root: Mapping[str, Any], key: str) -> tuple[str, ...] | None:
    """Return the names that lead to a dotted key, which themselves may contain dots; None if it is missing."""
    steps = key.split(".")
    for end in range(1, len(steps) + 1):
        name, rest = ".".join(steps[:end]), ".".join(steps[end:])
        if name not in root:
            continue
        if not rest:
            return (name,)
        inner: object = root[name]
        if isinstance(inner, dict) and (found := toml_place(cast("dict[str, Any]", inner), rest)):
            return (name, *found)
    return None


def _rewrite(path: Path, change: Callable[[str], str]) -> None:
    """Replace the text of a config file atomically.

    Raises:
        ConfigError: the file can't be read or written, or ``change`` raised a ValueError; it is unchanged then.
    """
    try:
        content = path.read_bytes().decode()
        text = content.removeprefix(_MARK)
        mark = content[: len(content) - len(text)]
        replace_file(path, mark + change(text), mode=path.stat().st_mode & MOST_MODE)
    except OSError as error:
        raise ConfigError(f"{path}: can't be written: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{path}: is not UTF-8 text; save it as UTF-8") from None
    except ValueError as error:
        raise ConfigError(f"{path}: {error}") from None


def with_setting(text: str, key: str, value: TomlValue) -> str:
    """Return the text of a TOML file with a setting added or changed.

    Raises:
        ValueError: the text is not TOML, or has something else in the place of the table or of the value.
    """
    from tomlkit.exceptions import TOMLKitError  # noqa: PLC0415  short commands do without it

    *tables, name = key.split(".")
    wanted = _parsed(text)
    section = _section(wanted, tables)
    old: object = section.get(name)
    if isinstance(old, dict) or (isinstance(old, list) and not isinstance(value, list)):
        kind = "a string" if isinstance(value, str) else "a single value"
        raise ValueError(f"{key} must be {kind}")  # noqa: TRY004  what is wrong is the file
    is_new = name not in section
    section[name] = str(value) if isinstance(value, float) else value
    ended = f"{text}\n" if is_new and text and not text.endswith("\n") else text
    for way in (_below_header, _in_new_table, _assigned) if is_new and tables else (_assigned,):
        with contextlib.suppress(TOMLKitError):
            changed = _with_ends_of(text, way(ended, tables, name, value))
            if _reads_as(changed, wanted):
                return changed
    raise ValueError(f"{key} can't be set in this file; it is as it was")


def without_setting(text: str, key: str) -> str:
    """Return the text of a TOML file without a setting or table.

    Raises:
        ValueError: the text is not TOML, or does not contain the key.
    """
    import tomlkit  # noqa: PLC0415  short commands do without it
    from tomlkit.exceptions import TOMLKitError  # noqa: PLC0415  short commands do without it

    wanted = _parsed(text)
    place = toml_place(wanted, key)
    if place is None:
        raise ValueError(f"{key} is not in this file")
    *tables, name = place
    del _section(wanted, tables)[name]
    with contextlib.suppress(TOMLKitError):
        document = tomlkit.parse(text)
        section: Any = document
        for table in tables:
            section = section[table]
        del section[name]
        changed = _with_ends_of(text, document.as_string())
        if _same(_parsed(changed), wanted):
            return changed
    raise ValueError(f"{key} can't be removed from this file; it is as it was")


def _same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Return whether two files set the same; tables without settings don't count."""
    return _without_empty(one) == _without_empty(other)


def _without_empty(table: dict[str, Any]) -> dict[str, Any]:
    inner = {
        name: _without_empty(cast("dict[str, Any]", value)) if isinstance(value, dict) else value
        for name, value in table.items()
    }
    return {name: value for name, value in inner.items() if value != {}}


def _parsed(text: str) -> dict[str, Any]:
    try:
        # As texts, floats are equal to themselves even if they are no numbers.
        return tomllib.loads(text, parse_float=str)
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"is no TOML: {error}") from None


def _section(root: dict[str, Any], tables: Sequence[str]) -> dict[str, Any]:
    """Return the table at that path; create it if it is missing."""
    section = root
    for depth, table in enumerate(tables, 1):
        found: object = section.setdefault(table, {})
        if not isinstance(found, dict):
            raise ValueError(f"{'.'.join(tables[:depth])} must be a table")  # noqa: TRY004  what is wrong is the file
        section = cast("dict[str, Any]", found)
    return section


def _reads_as(text: str, wanted: dict[str, Any]) -> bool:
    try:
        return _parsed(text) == wanted
    except ValueError:
        return False


def _with_ends_of(text: str, changed: str) -> str:
    """Return the changed text, with CRLF line endings if all lines of the old text have them."""
    return changed if _BARE_NEWLINE.search(text) or "\n" not in text else _BARE_NEWLINE.sub("\r\n", changed)


def _below_header(text: str, tables: Sequence[str], name: str, value: TomlValue) -> str:
    """Add the setting as the first line of its table, if the table has a header; comments keep their places."""
    import tomlkit  # noqa: PLC0415  short commands do without it

    document = tomlkit.parse(text)
    for table in _with_header(document, tables):
        item = cast("Any", tomlkit.item(value))
        item.trivia.indent = next((own.trivia.indent for key, own in table.value.body if key is not None), "")
        table.value.body.insert(0, (tomlkit.key(name), item))
        break
    return document.as_string()


def _with_header(container: "Container", tables: Sequence[str]) -> "Iterator[Table]":
    """The tables of that path that have a header of their own."""
    from tomlkit.items import Table  # noqa: PLC0415  short commands do without it

    for key, item in container.body:
        if key is None or key.key != tables[0] or not isinstance(item, Table):
            continue
        if len(tables) > 1:
            yield from _with_header(item.value, tables[1:])
        elif not item.is_super_table():
            yield item


def _in_new_table(text: str, tables: Sequence[str], name: str, value: TomlValue) -> str:
    """With the setting in a table of its own at the end."""
    before = f"{text}\n" if text else ""
    return before + toml_text({".".join([*tables, name]): value})


def _assigned(text: str, tables: Sequence[str], name: str, value: TomlValue) -> str:
    """With the setting wherever tomlkit puts it: in the place of its old value, or in an inline or dotted table."""
    import tomlkit  # noqa: PLC0415  short commands do without it

    document = tomlkit.parse(text)
    section: Any = document
    for table in tables:
        section = section.setdefault(table, {})
    section[name] = value
    return document.as_string()
