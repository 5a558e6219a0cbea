"""Single settings of a plugin in one source, with the secrets that are in files of their own."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import cast

from tgllm.api.errors import ConfigError
from tgllm.config.sources.keys import variable
from tgllm.config.sources.layers import Layer, Table
from tgllm.config.sources.lines import spot
from tgllm.config.sources.secret_files import FILE_ENDING, FILE_VARIABLE_ENDING, secret_file
from tgllm.config.sources.source import Source

__all__ = ["PluginValue", "plugin_values"]


@dataclass(frozen=True, slots=True)
class PluginValue:
    """A value, which may be a ``SecretFile`` and may itself be a secret."""

    steps: tuple[str, ...]
    """The field; after it the keys within its value."""
    value: object
    source: Source

    @property
    def field(self) -> str:
        """The dotted field."""
        return ".".join(self.steps)

    def __repr__(self) -> str:
        return f"PluginValue({self.field}, {self.source})"


def plugin_values(
    layer: Layer, plugin_id: str, env_names: Mapping[str, str], fields: Collection[str]
) -> Iterator[PluginValue]:
    """Yield the settings of a plugin in one source, in increasing precedence.

    Args:
        layer: the source.
        plugin_id: the plugin.
        env_names: dotted field -> common variable, such as ``GEMINI_API_KEY``.
        fields: dotted names of the plugin's settings, with ``*`` for the name of a table among several.
            ``api_key_file`` names the file with ``api_key`` if only ``api_key`` is one of them.

    Raises:
        ConfigError: a value and its file are both set, or a path is invalid.
    """
    yield from _common(layer, env_names)
    given = list(_walk(layer, plugin_id, layer.plugins.get(plugin_id, {}), ()))
    named = {item.steps for item in given}
    for item in given:
        *before, last = item.steps
        steps = (*before, last.removesuffix(FILE_ENDING))
        if _is_in(fields, item.steps) or not last.endswith(FILE_ENDING) or not _is_in(fields, steps):
            yield item
            continue
        if steps in named:
            _refuse_both(layer, _name(layer, plugin_id, steps), item.source.name)
        yield _in_file(replace(item, steps=steps))


def _common(layer: Layer, env_names: Mapping[str, str]) -> Iterator[PluginValue]:
    for field, name in env_names.items():
        steps = tuple(field.split("."))
        text = layer.variables.get(name, "").strip()
        file_name = name + FILE_VARIABLE_ENDING
        path = layer.variables.get(file_name, "").strip()
        if text and path:
            _refuse_both(layer, name, file_name)
        if text:
            yield PluginValue(steps, text, Source(layer.kind, name, layer.path))
        elif path:
            yield _in_file(PluginValue(steps, path, Source(layer.kind, file_name, layer.path)))


def _is_in(fields: Collection[str], steps: tuple[str, ...]) -> bool:
    if ".".join(steps) in fields:
        return True
    patterns = (name.split(".") for name in fields if "*" in name)
    return any(
        len(pattern) == len(steps) and all(sign in {"*", step} for sign, step in zip(pattern, steps, strict=True))
        for pattern in patterns
    )


def _walk(layer: Layer, plugin_id: str, table: Mapping[str, object], before: tuple[str, ...]) -> Iterator[PluginValue]:
    for name, value in table.items():
        steps = (*before, name)
        given: object = value
        if isinstance(value, dict) and value:
            yield from _walk(layer, plugin_id, cast("Table", value), steps)
        else:
            yield PluginValue(steps, given, Source(layer.kind, _name(layer, plugin_id, steps), layer.path))


def _name(layer: Layer, plugin_id: str, steps: tuple[str, ...]) -> str:
    key = ".".join(("plugins", plugin_id, *steps))
    return key if layer.kind == "file" else variable(key)


def _in_file(item: PluginValue) -> PluginValue:
    file = secret_file(item.value, item.source)
    return replace(item, value=file, source=file.source)


def _refuse_both(layer: Layer, plain: str, in_file: str) -> None:
    where = spot(layer.path, in_file) if layer.path else "environment"
    raise ConfigError(f"{where}: both {plain} and {in_file} are set; keep one of them")
