"""Parses one source of settings into values, plugin settings and errors."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import cast

from tgllm.api.errors import ConfigError
from tgllm.config.sources.keys import (
    FIELDS,
    IN_FILES,
    PLUGIN_PREFIX,
    PREFIX,
    SECTIONS,
    SPECIAL_VARIABLES,
    nearest,
    variable,
)
from tgllm.config.sources.lines import spot
from tgllm.config.sources.secret_files import FILE_ENDING, FILE_VARIABLE_ENDING, secret_file
from tgllm.config.sources.source import Source, SourceKind, Value

__all__ = ["COMMON_NAMES", "Layer", "Table", "file_layer", "flag_layer", "variable_layer"]

Table = dict[str, object]
"""A table of the config file, as parsed from TOML."""

COMMON_NAMES = {
    "REFRESH_CRON": "refresh_cron",
    "SENTRY_DSN": "errors.sentry_dsn",
    "SENTRY_ENVIRONMENT": "errors.environment",
}
"""Common variables without the prefix; within one source, the variable with the prefix takes precedence."""
_VARIABLES = {variable(key): key for key in FIELDS} | COMMON_NAMES
_FILE_VARIABLES = {name + FILE_VARIABLE_ENDING: key for name, key in _VARIABLES.items() if key in IN_FILES}
_FILE_KEYS = {key + FILE_ENDING: key for key in IN_FILES}
_COMMON = tuple(name for name in (*_VARIABLES, *_FILE_VARIABLES) if not name.startswith(PREFIX))


@dataclass(frozen=True, slots=True)
class Layer:
    """Settings of one source."""

    kind: SourceKind
    path: str = ""
    """The file that was read, if any."""
    values: dict[str, Value] = field(default_factory=dict[str, Value], repr=False)
    """By dotted key."""
    plugins: dict[str, Table] = field(default_factory=dict[str, Table], repr=False)
    """By plugin id."""
    variables: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    """All variables of an environment, for the common variables of plugins."""
    problems: list[str] = field(default_factory=list[str])
    """Error messages, one sentence each."""


def _hint(name: str, known: list[str]) -> str:
    best = nearest(name, known)
    return f"did you mean {best}?" if best else "`tgllm config show` lists all settings"


def flag_layer(flags: Mapping[str, object], kind: SourceKind = "flag") -> Layer:
    """Parse settings from the command line, by dotted key; None means that a flag was not given."""
    layer = Layer(kind)
    for key, raw in flags.items():
        if raw is None:
            continue
        if key in FIELDS:
            layer.values[key] = Value(raw, Source(kind, key))
        else:
            layer.problems.append(f"flag --{key}: unknown setting; {_hint(key, list(FIELDS))}")
    return layer


def variable_layer(kind: SourceKind, variables: Mapping[str, str], path: str = "") -> Layer:
    """Parse variables with the prefix ``TGLLM_`` and common variables; an empty value counts as unset."""
    layer = Layer(kind, path, variables=dict(variables))
    given = {name: text for name, text in variables.items() if text.strip()}
    for name in _COMMON:
        if name in given:
            _take_variable(layer, name, given[name])
    for name, text in given.items():
        if not name.startswith(PREFIX) or name in SPECIAL_VARIABLES:
            continue
        if name in _VARIABLES or name in _FILE_VARIABLES:
            _take_variable(layer, name, text)
        elif name.startswith(PLUGIN_PREFIX):
            _plugin_variable(layer, name, text)
        else:
            known = [*_VARIABLES, *_FILE_VARIABLES, *SPECIAL_VARIABLES]
            layer.problems.append(f"{_spot(layer, name)}: unknown variable {name}; {_hint(name, known)}")
    for name in _FILE_VARIABLES:
        plain = name.removesuffix(FILE_VARIABLE_ENDING)
        if name in given and plain in given:
            layer.problems.append(f"{_spot(layer, name)}: both {plain} and {name} are set; keep one of them")
    return layer


def _spot(layer: Layer, name: str) -> str:
    return spot(layer.path, name) if layer.path else "environment"


def _take_variable(layer: Layer, name: str, text: str) -> None:
    source = Source(layer.kind, name, layer.path)
    if name in _FILE_VARIABLES:
        _take_file(layer, _FILE_VARIABLES[name], text, source)
    else:
        layer.values[_VARIABLES[name]] = Value(text, source)


def _take_file(layer: Layer, key: str, text: object, source: Source) -> None:
    try:
        file = secret_file(text, source)
    except ConfigError as error:
        layer.problems.append(str(error))
    else:
        layer.values[key] = Value(file, file.source)


def _plugin_variable(layer: Layer, name: str, text: str) -> None:
    plugin, *fields = name.removeprefix(PLUGIN_PREFIX).lower().split("__")
    if not plugin or not fields or not all(fields):
        layer.problems.append(
            f"{_spot(layer, name)}: {name} names no setting of a plugin; write {PLUGIN_PREFIX}<ID>__<FIELD>"
        )
        return
    table = layer.plugins.setdefault(plugin, {})
    for step in fields[:-1]:
        inner = table.setdefault(step, {})
        if not isinstance(inner, dict):
            layer.problems.append(
                f"{_spot(layer, name)}: {name} and a shorter name set the same setting; keep one of them"
            )
            return
        table = cast("Table", inner)
    if isinstance(table.get(fields[-1]), dict):
        layer.problems.append(f"{_spot(layer, name)}: {name} and a longer name set the same setting; keep one of them")
        return
    table[fields[-1]] = text


def file_layer(tables: Mapping[str, object], path: str) -> Layer:
    """Parse the tables of a TOML file."""
    layer = Layer("file", path)
    _take(layer, tables, path, "")
    return layer


def _take(layer: Layer, table: Mapping[str, object], path: str, prefix: str) -> None:
    for name, raw in table.items():
        key = prefix + name
        if key in FIELDS:
            layer.values[key] = Value(raw, Source("file", key, path))
        elif key in _FILE_KEYS:
            _take_file(layer, _FILE_KEYS[key], raw, Source("file", key, path))
            if _FILE_KEYS[key].removeprefix(prefix) in table:
                layer.problems.append(f"{spot(path, key)}: both {_FILE_KEYS[key]} and {key} are set; keep one of them")
        elif key not in SECTIONS:
            layer.problems.append(f"{spot(path, key)}: unknown key {key}; {_hint(key, [*FIELDS, *SECTIONS])}")
        elif not isinstance(raw, dict):
            layer.problems.append(f"{spot(path, key)}: {key} is a table; write it as [{key}] with its settings below")
        elif key == "plugins":
            _take_plugins(layer, cast("Table", raw), path)
        else:
            _take(layer, cast("Table", raw), path, f"{key}.")


def _take_plugins(layer: Layer, table: Table, path: str) -> None:
    for plugin, settings in table.items():
        if isinstance(settings, dict):
            layer.plugins[plugin] = cast("Table", settings)
        else:
            layer.problems.append(
                f"{spot(path, f'plugins.{plugin}')}: plugins.{plugin} is a table; write it as [plugins.{plugin}]"
            )
