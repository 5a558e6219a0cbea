"""Validation of a plugin's settings by the plugin's pydantic model."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Protocol, TypeAlias, cast, get_args, get_origin, runtime_checkable

from tgllm.api.context import PluginInfo
from tgllm.api.errors import ConfigError
from tgllm.observe.redaction import redact, redactor
from tgllm.plugins.calls.outcome import Breach, explain
from tgllm.plugins.loading.registration import nearest

if TYPE_CHECKING:
    from pydantic import BaseModel
    from pydantic_core import ErrorDetails

__all__ = ["NO_SETTINGS", "FieldsSource", "PluginSettingsSource", "dotted_fields", "read_setting", "read_settings"]


class PluginSettingsSource(Protocol):
    """Source of the operator's settings for plugins."""

    def for_plugin(self, plugin_id: str, env_names: Mapping[str, str], /) -> Mapping[str, object]:
        """Return the values that are set for one plugin, by field.

        Args:
            plugin_id: the plugin.
            env_names: field -> environment variable, for fields with a variable name of their own.
        """
        ...


@runtime_checkable
class FieldsSource(Protocol):
    """Source that also reads values from files that ``<FIELD>_file`` names."""

    def for_fields(
        self, plugin_id: str, env_names: Mapping[str, str], fields: Collection[str], /
    ) -> Mapping[str, object]:
        """Return the values that are set for one plugin, by field.

        Args:
            plugin_id: the plugin.
            env_names: field -> environment variable, for fields with a variable name of their own.
            fields: dotted names of the plugin's settings.
        """
        ...


@runtime_checkable
class PlacesSource(Protocol):
    """Source that knows where a setting is set: in a line of a file, or in a variable."""

    def place(self, plugin_id: str, env_names: Mapping[str, str], fields: Collection[str], field: str, /) -> str:
        """Return the place of a setting, for an error message; empty if it is not set."""
        ...


class _NoSettings:
    def for_plugin(self, plugin_id: str, env_names: Mapping[str, str], /) -> Mapping[str, object]:  # noqa: ARG002  no source, whatever is asked
        return {}


_SEVERAL = {"dict_type", "frozen_set_type", "list_type", "set_type", "tuple_type"}
"""Pydantic's error types for a value that is no collection."""

_Place: TypeAlias = Callable[[str], str]
"""Returns the place of a setting as the start of an error message, or nothing."""

NO_SETTINGS: PluginSettingsSource = _NoSettings()
"""Source without any settings."""


def read_settings(info: PluginInfo, source: PluginSettingsSource) -> "BaseModel | None":
    """Return the validated settings of a plugin, and register its secrets for redaction in the log.

    Raises:
        ConfigError: names the key, and the problem or the closest valid key; never a value.
        Breach: the plugin's settings model or its ``env`` is invalid.
    """
    model = info.settings
    fields = _fields(model)
    for field in info.env:
        if field.partition(".")[0] not in fields:
            raise Breach(f"its env names {field}, which is no field of its settings")
    dotted = frozenset(dotted_fields(model))

    def place(field: str) -> str:
        found = source.place(info.id, info.env, dotted, field) if isinstance(source, PlacesSource) else ""
        return f"{found}: " if found else ""

    if isinstance(source, FieldsSource):
        raw = source.for_fields(info.id, info.env, dotted)
    else:
        raw = source.for_plugin(info.id, info.env)
    if model is None:
        _refuse_keys(info.id, raw, (), place)
        return None
    if model.model_config.get("extra") != "allow":
        _refuse_keys(info.id, raw, fields, place)
    return _validated(model, info.id, raw, place)


def read_setting(info: PluginInfo, source: PluginSettingsSource, field: str) -> object:
    """Return one validated setting of a plugin; errors in its other settings are ignored.

    Args:
        info: the plugin.
        source: the operator's settings.
        field: the dotted name.

    Raises:
        ConfigError: this setting is invalid, or the settings as a whole with it.
        Breach: the plugin's settings model is invalid.
    """
    from pydantic import ValidationError  # noqa: PLC0415  slow to import, and needed by plugins with settings only

    model = info.settings
    dotted = frozenset(dotted_fields(model))
    if isinstance(source, FieldsSource):
        raw = source.for_fields(info.id, info.env, dotted)
    else:
        raw = source.for_plugin(info.id, info.env)
    steps = field.split(".")
    found: object = raw
    try:
        if model is not None:
            found = model.model_validate({_key(model, name): value for name, value in raw.items()})
    except ValidationError as error:
        concerned = [details for details in error.errors(include_url=False) if _concerns(details, steps)]
        if concerned:
            problems = (_problem(info.id, details, raw, lambda _field: "") for details in concerned)
            raise ConfigError("; ".join(problems)) from None
    except Exception as error:  # noqa: BLE001  a validator of the plugin may raise anything
        raise _raised(error, raw) from None
    for step in steps:
        found = _inner(found, step)
    return found


def _inner(value: object, name: str) -> object:
    if isinstance(value, Mapping):
        return cast("Mapping[str, object]", value).get(name)
    return getattr(value, name, None)


def _concerns(details: "ErrorDetails", steps: Sequence[str]) -> bool:
    """Return whether an error is about that setting, or about the settings as a whole."""
    location = [str(part) for part in details["loc"]]
    return all(here == there for here, there in zip(location, steps, strict=False))


def _fields(model: "type[BaseModel] | None") -> set[str]:
    if model is None:
        return set()
    aliases = (alias for field in model.model_fields.values() for alias in (field.alias, field.validation_alias))
    return {*model.model_fields, *(name for alias in aliases for name in _names(alias))}


def dotted_fields(model: "type[BaseModel] | None", prefix: str = "") -> Iterable[str]:
    """Yield the settings of a model and of the tables in it; ``*`` stands for the name of a table among several."""
    if model is None:
        return
    from pydantic import BaseModel  # noqa: PLC0415  slow to import, and needed by plugins with settings only

    yield from (prefix + name for name in _fields(model))
    for name, field in model.model_fields.items():
        several = "*." if isinstance(kind := get_origin(field.annotation), type) and issubclass(kind, Mapping) else ""
        for kind in (field.annotation, *get_args(field.annotation)):
            if isinstance(kind, type) and issubclass(kind, BaseModel):
                yield from dotted_fields(kind, f"{prefix}{name}.{several}")


def _names(alias: object) -> Iterable[str]:
    """Yield the keys that a pydantic alias (a text, AliasPath or AliasChoices) reads."""
    if isinstance(alias, str):
        yield alias
    for choice in cast("Iterable[object]", getattr(alias, "choices", ())):
        yield from _names(choice)
    # The first step of a path is the key; the other steps are within its value.
    yield from (str(step) for step in cast("list[object]", getattr(alias, "path", []))[:1])


def _refuse_keys(plugin_id: str, raw: Mapping[str, object], fields: Iterable[str], place: _Place) -> None:
    known = sorted(fields)
    for key in raw:
        if key not in known:
            rest = nearest(key, known) or (f": it takes {', '.join(known)}" if known else ": it takes none")
            raise ConfigError(f"{place(key)}plugins.{plugin_id}.{key} is no setting of the plugin {plugin_id}{rest}")


def _validated(model: "type[BaseModel]", plugin_id: str, raw: Mapping[str, object], place: _Place) -> "BaseModel":
    from pydantic import ValidationError  # noqa: PLC0415  slow to import, and needed by plugins with settings only

    try:
        settings = model.model_validate({_key(model, name): value for name, value in raw.items()})
    except ValidationError as error:
        problems = (_problem(plugin_id, details, raw, place) for details in error.errors(include_url=False))
        # Without the cause, which contains the values.
        raise ConfigError("; ".join(problems)) from None
    except Exception as error:  # noqa: BLE001  a validator of the plugin may raise anything
        raise _raised(error, raw) from None
    for secret in _secrets(settings):
        redactor.add(secret)
    return settings


def _raised(error: Exception, raw: Mapping[str, object]) -> Breach:
    """Return the breach for a validator that has failed; without its cause, which contains the values."""
    from tgllm.observe.errors import facts_of  # noqa: PLC0415  a plugin that does not fail needs none

    breach = Breach(f"its settings model raised {_hidden(explain(error), raw)}")
    breach.at = facts_of(error, "", is_own=lambda module: not module.startswith(("pydantic", "tgllm."))).place
    return breach


def _key(model: "type[BaseModel]", name: str) -> str:
    """Return the key that the model reads for a field name: its alias if it has one."""
    field = model.model_fields.get(name)
    alias = None if field is None else field.validation_alias
    return alias if isinstance(alias, str) else name


def _problem(plugin_id: str, details: "ErrorDetails", raw: Mapping[str, object], place: _Place) -> str:
    field = ".".join(str(part) for part in details["loc"])
    key = f"plugins.{plugin_id}.{field}" if field else f"plugins.{plugin_id}"
    if details["type"] == "missing":
        variable = f"TGLLM_{key.replace('.', '__').upper()}"
        return f"{key} is missing: set it in the config file, or {variable} in the environment"
    # A text for a collection usually comes from an environment variable.
    by_variable = details["type"] in _SEVERAL and isinstance(details["input"], str)
    cure = "; it can't be set by a variable, write it in the config file" if by_variable else ""
    return f"{place(field)}{key} is wrong: {_hidden(redact(details['msg']), raw)}{cure}"


def _hidden(words: str, raw: Mapping[str, object]) -> str:
    """Remove the given values from a validator's message, which may repeat them."""
    for value in sorted(_texts(raw), key=len, reverse=True):
        words = words.replace(value, "…")
    return words


def _texts(value: object) -> Iterable[str]:
    if isinstance(value, Mapping):
        for inner in cast("Mapping[object, object]", value).values():
            yield from _texts(inner)
    elif isinstance(value, list | tuple):
        for inner in cast("Iterable[object]", value):
            yield from _texts(inner)
    elif isinstance(value, str) and len(value) > 1:
        yield value


def _secrets(value: object) -> Iterable[str]:
    from pydantic import BaseModel, SecretBytes, SecretStr  # noqa: PLC0415  the caller has imported it

    match value:
        case SecretStr():
            yield value.get_secret_value()
        case SecretBytes():
            yield value.get_secret_value().decode(errors="replace")
        case BaseModel():
            # A field may be called ``keys``, which dict() would take for the method of a mapping.
            yield from _secrets([inner for _, inner in value])
        case Mapping():
            yield from _secrets(list(cast("Mapping[object, object]", value).values()))
        case list() | tuple() | set() | frozenset():
            for inner in cast("Iterable[object]", value):
                yield from _secrets(inner)
        case _:
            return
