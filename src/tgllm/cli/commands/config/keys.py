"""Settings of the bot and of its plugins, by dotted key."""

import ast
import inspect
import re
import textwrap
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import cast

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from tgllm.api.clock import SystemClock
from tgllm.api.context import PluginInfo
from tgllm.api.errors import ConfigError
from tgllm.api.types import Json
from tgllm.cli.options import Options
from tgllm.config.describe import is_number
from tgllm.config.load import LoadedConfig
from tgllm.config.show import HIDDEN, Setting, settings, visible_value
from tgllm.config.sources.keys import FIELDS, IN_FILES, SECRETS, nearest, variable
from tgllm.config.sources.layers import COMMON_NAMES
from tgllm.config.sources.plugin_values import PluginValue
from tgllm.config.sources.secret_files import FILE_VARIABLE_ENDING, SecretFile
from tgllm.config.sources.source import DEFAULT
from tgllm.config.sources.trust import is_secret_name
from tgllm.i18n import Catalogue
from tgllm.observe.logs import get_logger
from tgllm.plugins.discovery import discover
from tgllm.plugins.host import PluginHost
from tgllm.plugins.loading.assemble import PluginChoice
from tgllm.plugins.loading.contexts import HostServices
from tgllm.plugins.loading.settings import dotted_fields

__all__ = ["Key", "Keys", "read_keys"]

_HAS_PASSWORD = re.compile(r"://[^/\s]*@")
_PREFIX = "plugins."


@dataclass(frozen=True, slots=True)
class Key:
    """A setting that exists."""

    name: str
    """The dotted key."""
    field: FieldInfo
    meaning: str
    variables: tuple[str, ...]
    """The variable with the prefix, then the common ones."""
    in_file: bool
    """Whether the value may be in a file of its own."""
    is_secret: bool
    plugin: PluginInfo | None = None

    @property
    def plugin_field(self) -> str:
        """The dotted name of the field of a plugin."""
        return "" if self.plugin is None else self.name.removeprefix(f"{_PREFIX}{self.plugin.id}.")

    @property
    def file_variables(self) -> tuple[str, ...]:
        """The variables that name a file with the value."""
        return tuple(name + FILE_VARIABLE_ENDING for name in self.variables) if self.in_file else ()

    def matches(self, word: str) -> bool:
        """Return whether the key, the meaning or a variable contains the word."""
        texts = (self.name, self.meaning, *self.variables, *self.file_variables)
        return any(word.casefold() in text.casefold() for text in texts)


class Keys:
    """Every setting with its value."""

    def __init__(self, loaded: LoadedConfig, plugins: Mapping[str, PluginInfo]) -> None:
        """Create the table for the descriptions of the plugins, by id."""
        own = (_own(name, field) for name, field in FIELDS.items())
        others = (key for info in plugins.values() for key in _of_plugin(info))
        self.by_name = {key.name: key for key in (*own, *others)}
        self.loaded = loaded
        self._plugins = plugins

    @staticmethod
    def own(name: str) -> Key:
        """Return a setting of the bot by its dotted key."""
        return _own(name, FIELDS[name])

    def __iter__(self) -> Iterator[Key]:
        return iter(self.by_name.values())

    def known(self, name: str) -> Key:
        """Return the setting of a key, which may also be written as its variable.

        Raises:
            ConfigError: there is no such setting; the message suggests the nearest one.
        """
        found = self.by_name.get(name) or next(
            (key for key in self if name.upper() in {*key.variables, *key.file_variables}), None
        )
        if found is not None:
            return found
        near = nearest(name, self.by_name)
        cure = f"did you mean {near}?" if near else "search with tgllm config search"
        raise ConfigError(f"unknown setting {name}; {cure}")

    def settings(self) -> Iterator[Setting]:
        """Yield all settings for display: the bot's, those of plugins, and those of plugins that are not there."""
        yield from settings(self.loaded)
        for info in self._plugins.values():
            yield from self._of(info)
        for plugin in self.loaded.plugins.ids:
            if plugin not in self._plugins:
                for name, source in self.loaded.plugins.sources(plugin).items():
                    yield Setting(f"{_PREFIX}{plugin}.{name}", HIDDEN, str(source), "")

    def setting(self, key: Key) -> Setting:
        """Return one setting for display."""
        found = settings(self.loaded) if key.plugin is None else self._of(key.plugin)
        return next(setting for setting in found if setting.key == key.name)

    def _of(self, info: PluginInfo) -> Iterator[Setting]:
        values = dict(self.loaded.plugins.values_of(info.id, info.env, frozenset(dotted_fields(info.settings))))
        for key in self.by_name.values():
            if key.plugin is not info:
                continue
            value = values.pop(key.plugin_field, None)
            inner = [name for name in values if name.startswith(f"{key.plugin_field}.")]
            if value is None and inner:
                value = _joined(key.plugin_field, [values.pop(name) for name in inner])
            shown = _shown(key, value)
            yield Setting(key.name, shown, str(DEFAULT if value is None else value.source), key.meaning)
        for name, value in values.items():
            yield Setting(f"{_PREFIX}{info.id}.{name}", HIDDEN, str(value.source), "")


def _joined(field: str, values: Iterable[PluginValue]) -> PluginValue:
    """Return the values of the names in a table as one."""
    given = list(values)
    texts = {value.field.removeprefix(f"{field}."): value.value for value in given}
    return PluginValue(tuple(field.split(".")), texts, given[-1].source)


def _shown(key: Key, value: PluginValue | None) -> Json:
    if value is None:
        default: object = key.field.get_default(call_default_factory=True) if not key.field.is_required() else None
        # An empty table of secrets holds none.
        return HIDDEN if key.is_secret and default not in (None, {}, ()) else visible_value(default)
    if key.is_secret or isinstance(value.value, SecretFile) or _hides(value.value):
        return HIDDEN
    return visible_value(value.value)


def _hides(value: object) -> bool:
    """Return whether a value contains a password, or something under the name of a secret."""
    match value:
        case str():
            return _HAS_PASSWORD.search(value) is not None
        case dict():
            items = cast("dict[str, object]", value).items()
            return any(is_secret_name(str(name)) or _hides(inner) for name, inner in items)
        case list() | tuple():
            return any(map(_hides, cast("Iterable[object]", value)))
        case _:
            return False


async def read_keys(loaded: LoadedConfig, options: Options) -> Keys:
    """Return all settings, with those of the installed plugins; their code is imported, nothing else is called."""
    config = loaded.config
    services = HostServices(None, config.data_dir, SystemClock(), Catalogue(config.language), get_logger)
    choice = PluginChoice(others=options.plugins, disabled=frozenset(config.disable_plugins))
    return Keys(loaded, await PluginHost.describe(discover(), services, choice=choice))


def _own(name: str, field: FieldInfo) -> Key:
    common = (each for each, key in COMMON_NAMES.items() if key == name)
    variables = (variable(name), *common)
    return Key(name, field, field.description or "", variables, name in IN_FILES, name in SECRETS)


def _of_plugin(info: PluginInfo) -> Iterator[Key]:
    if info.settings is None:
        return
    common = {field: (name,) for field, name in info.env.items()}
    for field, found, meaning in _walk(info.settings):
        name = f"{_PREFIX}{info.id}.{field}"
        is_secret = "Secret" in str(found.annotation) or (is_secret_name(field) and not is_number(found))
        yield Key(name, found, meaning, (variable(name), *common.get(field, ())), True, is_secret, info)


def _walk(model: type[BaseModel], prefix: str = "") -> Iterator[tuple[str, FieldInfo, str]]:
    """Yield the fields of a model and of the models in it, by dotted name, with their meaning."""
    docs = _docstrings(model)
    for name, field in model.model_fields.items():
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            yield from _walk(kind, f"{prefix}{name}.")
        else:
            yield prefix + name, field, field.description or docs.get(name, "")


def _docstrings(model: type[BaseModel]) -> Mapping[str, str]:
    """Return the texts below the fields of a class, which pydantic leaves out unless the class asks for them."""
    found: dict[str, str] = {}
    for one in reversed(model.__mro__):
        if not issubclass(one, BaseModel) or one is BaseModel:
            continue
        try:
            body = cast("ast.ClassDef", ast.parse(textwrap.dedent(inspect.getsource(one))).body[0]).body
        except (OSError, TypeError, SyntaxError, IndexError):
            continue
        for field, text in pairwise(body):
            match field, text:
                case ast.AnnAssign(target=ast.Name(name)), ast.Expr(value=ast.Constant(value=str(about))):
                    found[name] = " ".join(about.replace("``", "").split())
                case _:
                    pass
    return found
