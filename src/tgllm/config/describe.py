"""Unit, range, default and example of a setting, from the settings model."""

import re
from typing import Final

import annotated_types
from pydantic.fields import FieldInfo

from tgllm.config.sources.keys import FIELDS

__all__ = ["allowed", "default_text", "example", "unit_of"]

_BOUNDS: Final = {
    annotated_types.Ge: ("at least", "ge"),
    annotated_types.Gt: ("more than", "gt"),
    annotated_types.Le: ("at most", "le"),
    annotated_types.Lt: ("less than", "lt"),
}
_UNIT: Final = re.compile(r"\b(seconds|minutes|hours|days|MiB|characters)\b", re.IGNORECASE)
_UNIT_OF_NAME: Final = {"seconds": "seconds", "minutes": "minutes", "days": "days", "mb": "MiB"}
_RATES: Final = re.compile(r"per (?:second|minute|hour)|share", re.IGNORECASE)


def unit_of(key: str) -> str:
    """Return the unit of a number; empty for other settings and for counts."""
    field = FIELDS[key]
    if not isinstance(field.default, int | float) or isinstance(field.default, bool):
        return ""
    name = key.rpartition("_")[2]
    if name in _UNIT_OF_NAME:
        return _UNIT_OF_NAME[name]
    about = field.description or ""
    found = None if _RATES.search(about) else _UNIT.search(about)
    return "" if found is None else found[0] if found[0] == "MiB" else found[0].lower()


def allowed(field: FieldInfo) -> str:
    """Return the range of a number in words; empty if there is none."""
    bounds = ((*_BOUNDS[type(bound)], bound) for bound in field.metadata if type(bound) in _BOUNDS)
    return ", ".join(f"{words} {getattr(bound, name):g}" for words, name, bound in bounds)


def default_text(field: FieldInfo) -> str:
    """Return the default as text; empty if there is none or if it depends on the machine."""
    value: object = field.default
    if field.default_factory is not None or value is None or value == ():
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:g}" if isinstance(value, float) else str(value)


def example(key: str) -> str:
    """Return a right value of a number or a switch, as the end of a sentence; empty for other settings."""
    field = FIELDS[key]
    if not isinstance(field.default, bool | int | float):
        return ""
    unit = unit_of(key)
    return f"such as {default_text(field)}{f' {unit}' if unit else ''}"
