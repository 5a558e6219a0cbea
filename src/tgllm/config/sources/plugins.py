"""Raw settings of plugins, merged from all sources; the plugin host validates them with each plugin's model."""

import re
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import cast

from tgllm.api.errors import ConfigError
from tgllm.config.sources.keys import PLUGIN_PREFIX
from tgllm.config.sources.layers import Layer, Table
from tgllm.config.sources.lines import spot
from tgllm.config.sources.plugin_values import PluginValue, plugin_values
from tgllm.config.sources.secret_files import SecretFile, read_secret
from tgllm.config.sources.source import Source
from tgllm.config.sources.trust import Trust, field_problem

__all__ = ["PluginSettings"]

_NAMES_FILE = re.compile(r"(?:^|_)(?:file|path|credentials|certificate|cert|pem)$", re.IGNORECASE)


class PluginSettings:
    """Settings of plugins. They contain secrets, so ``repr`` hides the values."""

    def __init__(self, layers: Sequence[Layer] = (), trust: Trust | None = None) -> None:
        """Store the layers, in increasing precedence; None trusts all of them."""
        self._layers = tuple(layers)
        self._trust = trust
        self._secret_files: set[Path] = set()

    @property
    def files(self) -> tuple[Path, ...]:
        """The files that set anything, of the bot or of plugins."""
        return tuple(
            Path(layer.path)
            for layer in self._layers
            if layer.path and (layer.values or layer.plugins or layer.variables)
        )

    @property
    def secret_files(self) -> tuple[Path, ...]:
        """The files with secrets that have been read."""
        return tuple(sorted(self._secret_files))

    @property
    def key_files(self) -> tuple[Path, ...]:
        """Files that the settings of plugins name, such as keys and certificates; they may not exist."""
        named = (item for layer in self._layers for table in layer.plugins.values() for item in table.items())
        return tuple(Path(value) for name, value in named if isinstance(value, str) and _NAMES_FILE.search(name))

    @property
    def ids(self) -> tuple[str, ...]:
        """Sorted ids with a section or a ``TGLLM_PLUGINS__`` variable; the plugins may not exist."""
        return tuple(sorted({plugin for layer in self._layers for plugin in layer.plugins}))

    def with_values(self, values: Mapping[str, Mapping[str, object]]) -> "PluginSettings":
        """Return these settings with others on top, by plugin id and dotted field."""
        layer = Layer("flag", plugins={plugin: _nested(fields) for plugin, fields in values.items()})
        return PluginSettings((*self._layers, layer), self._trust)

    def for_plugin(self, plugin_id: str, env_names: Mapping[str, str]) -> Mapping[str, object]:
        """Return the settings of one plugin, by field; see ``for_fields``."""
        return self.for_fields(plugin_id, env_names, tuple(env_names))

    def for_fields(self, plugin_id: str, env_names: Mapping[str, str], fields: Collection[str]) -> Mapping[str, object]:
        """Return the settings of one plugin, by field, with secrets read from their files.

        Args:
            plugin_id: the plugin.
            env_names: field -> common variable (``GEMINI_API_KEY``). Within one source
                ``TGLLM_PLUGINS__<ID>__<FIELD>`` overrides these.
            fields: dotted names of the plugin's settings, each of which may be in a file that ``<FIELD>_file`` names.

        Raises:
            ConfigError: an untrusted source sets an address, and another one a key; or a secret can't be read from
                its file.
        """
        values = [item for layer in self._layers for item in plugin_values(layer, plugin_id, env_names, fields)]
        if self._trust and (problem := field_problem(plugin_id, values, self._trust)):
            raise ConfigError(problem)
        merged: Table = {}
        for item in values:
            _put(merged, item.steps, item.value)
        return self._with_secrets(merged)

    def _with_secrets(self, table: Mapping[str, object]) -> Table:
        """Return the table with the contents of secret files; only those of applying values are read."""
        read: Table = {}
        for name, value in table.items():
            if isinstance(value, SecretFile):
                self._secret_files.add(value.path)
                read[name] = read_secret(value)
            else:
                read[name] = self._with_secrets(cast("Table", value)) if isinstance(value, dict) else value
        return read

    def values_of(
        self, plugin_id: str, env_names: Mapping[str, str], fields: Collection[str]
    ) -> Mapping[str, PluginValue]:
        """Return the settings of one plugin that apply, by dotted field, with their sources; no secret file is read.

        Args:
            plugin_id: the plugin.
            env_names: field -> common variable (``GEMINI_API_KEY``).
            fields: dotted names of the plugin's settings.

        Raises:
            ConfigError: a value and its file are both set, or a path is invalid.
        """
        values = (item for layer in self._layers for item in plugin_values(layer, plugin_id, env_names, fields))
        return {item.field: item for item in values}

    def place(self, plugin_id: str, env_names: Mapping[str, str], fields: Collection[str], field: str) -> str:
        """Return where a setting of a plugin is set, for an error message; empty if it is not set.

        Args:
            plugin_id: the plugin.
            env_names: field -> common variable (``GEMINI_API_KEY``).
            fields: dotted names of the plugin's settings.
            field: the dotted name of the setting, or of a value in it.
        """
        values = self.values_of(plugin_id, env_names, fields)
        steps = field.split(".")
        outer = (".".join(steps[:end]) for end in range(len(steps), 0, -1))
        inner = (name for name in values if name.startswith(f"{field}."))
        name = next((name for name in (*outer, *inner) if name in values), None)
        if name is None or (source := values[name].source).kind == "flag":
            return ""
        return spot(source.path, source.name) if source.path else source.place

    def sources(self, plugin_id: str) -> Mapping[str, Source]:
        """Return the sources of one plugin's settings by field, without those from common variables."""
        return {
            field: Source(layer.kind, _name(layer, plugin_id, field), layer.path)
            for layer in self._layers
            for field in layer.plugins.get(plugin_id, {})
        }

    def __repr__(self) -> str:
        return f"PluginSettings({', '.join(self.ids)})"


def _nested(values: Mapping[str, object]) -> Table:
    nested: Table = {}
    for name, value in values.items():
        _put(nested, name.split("."), value)
    return nested


def _name(layer: Layer, plugin_id: str, field: str) -> str:
    if layer.kind == "file":
        return f"plugins.{plugin_id}.{field}"
    return f"{PLUGIN_PREFIX}{plugin_id}__{field}".upper()


def _put(target: Table, steps: Sequence[str], value: object) -> None:
    """Set a value in nested tables, which are created; it replaces one that is no table."""
    *before, last = steps
    for step in before:
        inner = target.get(step)
        if not isinstance(inner, dict):
            inner = target[step] = {}
        target = cast("Table", inner)
    if not (value == {} and isinstance(target.get(last), dict)):
        target[last] = value
