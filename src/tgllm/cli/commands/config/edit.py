"""``tgllm config set``, ``unset`` and ``password``: changes of the config file."""

import contextlib
import json
import os
import sys
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from operator import attrgetter
from pathlib import Path
from typing import Annotated, cast, get_args, get_origin

from pydantic import SecretStr, TypeAdapter, ValidationError

from tgllm.api.errors import ConfigError
from tgllm.cli.commands.config.keys import Key, Keys
from tgllm.cli.failure import tell
from tgllm.cli.options import Options
from tgllm.cli.output import ask, say
from tgllm.config.edit import in_file, set_in_file, unset_in_file
from tgllm.config.load import LoadedConfig, config_place, find_config, load_config
from tgllm.config.password_hash import LONGEST, SHORTEST, Unfit, hash_password, why_unfit
from tgllm.config.sources.config_files import is_there
from tgllm.config.sources.keys import FIELDS, SECTIONS, nearest, variable
from tgllm.config.sources.secret_files import FILE_ENDING, FILE_VARIABLE_ENDING
from tgllm.config.write import TomlValue
from tgllm.i18n import Catalogue
from tgllm.plugins.loading.settings import read_setting

__all__ = ["PASSWORD_KEY", "change_password", "change_setting", "load_for_edit", "remove_setting"]

PASSWORD_KEY = "admin.password_hash"  # noqa: S105  a key of the settings
_SEVERAL = (list, tuple, set, frozenset)


def load_for_edit(options: Options, given: Mapping[str, object] | None = None) -> LoadedConfig:
    """Load the settings; a config file that is named and does not exist is made later."""
    path = options.config
    named = path if path is None or is_there(path) else None
    return load_config(options.flags, config_path=named, given=given)


def change_setting(options: Options, keys: Keys | None, key: Key, given: str | None) -> None:
    """Store a valid value in the config file; without one it is asked for, or read from standard input.

    Args:
        options: the shared options.
        keys: the settings; None: those of plugins are not needed.
        key: what to set.
        given: the value from the command line.

    Raises:
        ConfigError: the value is invalid, or a secret is on the command line.
    """
    if key.is_secret and given is not None:
        raise ConfigError(
            f"{key.name} is a secret, which others could read in the list of processes; leave out the value"
        )
    text = _asked(key) if given is None else given
    if key.is_secret and not text:
        raise ConfigError(f"{key.name}: the value is empty; to remove it, run tgllm config unset {key.name}")
    path = _file_to_write(options.config)
    if keys is None or key.plugin is None:
        value: object = _own_value(key.name, options, text)
    else:
        value = _plugin_value(key, keys, text)
    set_in_file(path, key.name, _toml_value(key.name, value))
    if key.in_file and in_file(path, key.name + FILE_ENDING):
        # Both would be an error.
        unset_in_file(path, key.name + FILE_ENDING)
    say(f"{path}: {key.name}")
    _tell_of_variables((*key.variables, *key.file_variables))


def _own_value(key: str, options: Options, text: str) -> object:
    return attrgetter(key)(load_for_edit(options, {key: text}).config)


def _plugin_value(key: Key, keys: Keys, text: str) -> object:
    assert key.plugin is not None  # noqa: S101  for the type checker
    value: object = _several(text) if get_origin(_kind(key)) in _SEVERAL else text
    for step in reversed(key.plugin_field.split(".")):
        value = {step: value}
    source = keys.loaded.plugins.with_values({key.plugin.id: cast("Mapping[str, object]", value)})
    found = read_setting(key.plugin, source, key.plugin_field)
    if found is not text:
        return found
    # Another setting is missing or invalid, so that the model has converted nothing.
    with contextlib.suppress(ValidationError):
        kind = Annotated[(key.field.annotation, *(key.field.metadata or [None]))]
        return TypeAdapter[object](kind).validate_python(text)
    return text


def _kind(key: Key) -> object:
    """Return the type of the values, without None."""
    kind: object = key.field.annotation
    kinds = [each for each in get_args(kind) if each is not type(None)]
    return kinds[0] if get_origin(kind) not in _SEVERAL and len(kinds) == 1 else kind


def _several(text: str) -> list[object]:
    """Return the items of a list, written as JSON or with commas."""
    if text.lstrip().startswith("["):
        try:
            return cast("list[object]", json.loads(text))
        except ValueError:
            raise ConfigError('a list is written as ["one", "two"] or as one,two') from None
    return [item.strip() for item in text.split(",") if item.strip()]


def _asked(key: Key) -> str:
    return ask(key.name, hidden=key.is_secret) if sys.stdin.isatty() else sys.stdin.readline().rstrip("\r\n")


def _toml_value(key: str, value: object) -> TomlValue:
    """Return a valid value as one of TOML.

    Raises:
        ConfigError: it is a table, which a person writes into the file.
    """
    match value:
        case SecretStr():
            return value.get_secret_value()
        case Path():
            return str(value)
        case bool() | int() | float() | str():
            return value
        case list() | tuple() | AbstractSet() if _is_flat(cast("Iterable[object]", value)):
            return list(cast("Iterable[int]", value))
        case None:
            raise ConfigError(f"{key} has no value; to remove it, run tgllm config unset {key}")
        case _:
            raise ConfigError(f"{key} is a table: write it into the config file (tgllm config path)")


def _is_flat(items: Iterable[object]) -> bool:
    return all(isinstance(item, int | str) for item in items)


def remove_setting(options: Options, name: str) -> None:
    """Remove a setting from the config file, also one that is unknown or invalid.

    Raises:
        ConfigError: there is no such setting, and the file doesn't contain it; or it can't be removed.
    """
    path = _file_to_write(options.config)
    by_variable = {variable(key): key for key in FIELDS}
    key = by_variable.get(name.upper(), name)
    if key in SECTIONS:
        raise ConfigError(f"{key} is a table of settings; name one of them, such as {_first(key)}")
    found = [each for each in (key, key + FILE_ENDING) if is_there(path) and in_file(path, each)]
    if not found and key not in FIELDS and not key.startswith("plugins."):
        near = nearest(key, FIELDS)
        raise ConfigError(f"unknown setting {name}" + (f"; did you mean {near}?" if near else f" in {path}"))
    texts = Catalogue()
    for each in found:
        unset_in_file(path, each)
    say(texts("shell.setting_removed" if found else "shell.setting_not_there", path=path, setting=key))
    _tell_of_variables((variable(key), variable(key) + FILE_VARIABLE_ENDING))


def _first(section: str) -> str:
    return next((key for key in FIELDS if key.startswith(f"{section}.")), "plugins.gemini.api_key")


def change_password(options: Options, *, remove: bool) -> None:
    """Store the hash of a new password for dangerous actions, or remove it."""
    path = _file_to_write(options.config)
    texts = Catalogue()
    if remove:
        found = [each for each in (PASSWORD_KEY, PASSWORD_KEY + FILE_ENDING) if is_there(path) and in_file(path, each)]
        for each in found:
            unset_in_file(path, each)
        say(texts("shell.password_removed" if found else "shell.password_not_set", path=path))
    else:
        set_in_file(path, PASSWORD_KEY, str(hash_password(_new_password())))
        if in_file(path, PASSWORD_KEY + FILE_ENDING):
            unset_in_file(path, PASSWORD_KEY + FILE_ENDING)
        say(texts("shell.password_set", path=path))
    _tell_of_variables((variable(PASSWORD_KEY), variable(PASSWORD_KEY) + FILE_VARIABLE_ENDING))


def _tell_of_variables(names: Iterable[str]) -> None:
    """Warn of variables that override the config file."""
    for name in names:
        if os.environ.get(name, "").strip():
            tell(Catalogue()("shell.password_overridden", variable=name))


def _file_to_write(named: Path | None) -> Path:
    """Return the config file that the other commands would read; a path from ``--config`` need not exist."""
    return find_config() if named is None else config_place(named)[0]


def _new_password() -> str:
    """Prompt for a password, in a terminal until it is valid; otherwise read a line from standard input.

    Raises:
        ConfigError: the line is not a valid password.
    """
    texts = Catalogue()
    if not sys.stdin.isatty():
        given = sys.stdin.readline().rstrip("\r\n")
        if reason := why_unfit(given):
            raise ConfigError(_unfit(reason, texts))
        return given
    while True:
        asked = ask(texts("shell.password_new"), hidden=True)
        if reason := why_unfit(asked):
            tell(_unfit(reason, texts))
        elif asked == ask(texts("shell.password_again"), hidden=True):
            return asked
        else:
            tell(texts("shell.password_differs"))


def _unfit(reason: Unfit, texts: Catalogue) -> str:
    match reason:
        case "length":
            return texts("shell.password_length", least=SHORTEST, most=LONGEST)
        case "spaces":
            return texts("shell.password_spaces")
        case "slash":
            return texts("shell.password_slash")
