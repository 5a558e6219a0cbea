"""Settings of a plugin that have to be asked for before its provider answers."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from tgllm.api.context import PluginInfo

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo

__all__ = ["Field", "address_field", "key_field", "missing_fields"]

_SECRET: Final = re.compile(r"(?:^|_)(?:key|token|secret|password)s?$")
_ADDRESS: Final = ("base_url", "url", "api_base", "endpoint", "host", "address")


@dataclass(frozen=True, slots=True)
class Field:
    """A setting of a plugin."""

    name: str
    is_secret: bool
    variable: str = ""
    """Common environment variable of it, such as ``GEMINI_API_KEY``."""
    meaning: str = ""


def missing_fields(info: PluginInfo, given: Mapping[str, object]) -> Sequence[Field]:
    """Return the required settings that are not given."""
    found = info.settings.model_fields.items() if info.settings is not None else ()
    return [_field(info, name, field) for name, field in found if field.is_required() and name not in given]


def key_field(info: PluginInfo) -> Field | None:
    """Return the setting that holds the key of the service; None if there is none."""
    found = {} if info.settings is None else info.settings.model_fields
    named = [name for name in (*info.env, *found) if name in found and _is_secret(name, found[name])]
    # A proxy may be secret because of its password.
    keys = [name for name in named if _SECRET.search(name)] or [name for name in info.env if name in named]
    return _field(info, keys[0], found[keys[0]]) if keys else None


def address_field(info: PluginInfo) -> Field | None:
    """Return the setting that holds the address of the service; None if there is none."""
    found = {} if info.settings is None else info.settings.model_fields
    name = next((name for name in _ADDRESS if name in found), None)
    return None if name is None else _field(info, name, found[name])


def _field(info: PluginInfo, name: str, field: "FieldInfo") -> Field:
    return Field(name, _is_secret(name, field), info.env.get(name, ""), field.description or "")


def _is_secret(name: str, field: "FieldInfo") -> bool:
    return "Secret" in str(field.annotation) or _SECRET.search(name) is not None
