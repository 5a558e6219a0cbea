"""Raw settings of plugins, merged from all sources; the plugin host validates them with each plugin's model."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import cast

from tgllm.api.errors import ConfigError
from tgllm.config.sources.keys import PLUGIN_PREFIX
from tgllm.config.sources.layers import Layer, Table
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

    @property
    def files(self) -> tuple[Path, ...]:
        """The files that set anything, of the bot or of plugins."""
        return tuple(
            Path(layer.path)
            for layer in self._layers
            if layer.path and (layer.values or layer.plugins or layer.variables)
        )

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
        """Return these settings with others on top, by plugin id and field."""
        layer = Layer("flag", plugins={plugin: dict(fields) for plugin, fields in values.items()})
        return PluginSettings((*self._layers, layer), self._trust)

    def for_plugin(self, plugin_id: str, env_names: Mapping[str, str]) -> Mapping[str, object]:
        """Return the settings of one plugin, by field.

        Args:
            plugin_id: the plugin.
            env_names: field -> common variable (``GEMINI_API_KEY``). Within one source
                ``TGLLM_PLUGINS__<ID>__<FIELD>`` overrides these.

        Raises:
            ConfigError: an untrusted source sets an address, and another one a key.
        """
        if self._trust and (problem := field_problem(plugin_id, self._layers, env_names, self._trust)):
            raise ConfigError(problem)
        merged: Table = {}
        for layer in self._layers:
            known = {field: layer.variables.get(name, "").strip() for field, name in env_names.items()}
            _merge(merged, {field: text for field, text in known.items() if text})
            _merge(merged, layer.plugins.get(plugin_id, {}))
        return merged

    def sources(self, plugin_id: str) -> Mapping[str, Source]:
        """Return the sources of one plugin's settings by field, without those from common variables."""
        return {
            field: Source(layer.kind, _name(layer, plugin_id, field), layer.path)
            for layer in self._layers
            for field in layer.plugins.get(plugin_id, {})
        }

    def __repr__(self) -> str:
        return f"PluginSettings({', '.join(self.ids)})"


def _name(layer: Layer, plugin_id: str, field: str) -> str:
    if layer.kind == "file":
        return f"plugins.{plugin_id}.{field}"
    return f"{PLUGIN_PREFIX}{plugin_id}__{field}".upper()


def _merge(target: Table, table: Mapping[str, object]) -> None:
    for name, value in table.items():
        if isinstance(value, dict):
            inner = target.get(name)
            copy: Table = cast("Table", inner) if isinstance(inner, dict) else {}
            _merge(copy, cast("Table", value))
            target[name] = copy
        else:
            target[name] = value
