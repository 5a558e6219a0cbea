"""Parameters of Bot API methods, read from aiogram's method classes.

The table follows aiogram, so methods and parameters of its next version need no change here. An entry
is built on first use of its method.
"""

import types
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from functools import cache
from typing import Annotated, Any, Union, get_args, get_origin

__all__ = ["Kind", "MethodSpec", "Parameter", "known_methods", "method_spec"]


class Kind(Enum):
    """Type and encoding of a parameter."""

    INTEGER = "Integer"
    FLOAT = "Float"
    BOOLEAN = "Boolean"
    STRING = "String"
    CHAT = "Integer or String"
    FILE = "InputFile or String"
    OBJECT = "JSON-serialized object"
    NUMBERS = "JSON-serialized array of Integer"
    STRINGS = "JSON-serialized array of String"
    OBJECTS = "JSON-serialized array of objects"


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of a method."""

    name: str
    kind: Kind
    required: bool


@dataclass(frozen=True, slots=True)
class MethodSpec:
    """A Bot API method; ``returns_true`` if its only possible result is a boolean."""

    name: str
    parameters: Mapping[str, Parameter]
    returns_true: bool


_KINDS: Mapping[frozenset[str], Kind] = {
    frozenset({"int"}): Kind.INTEGER,
    frozenset({"datetime", "timedelta", "int"}): Kind.INTEGER,
    frozenset({"DateTimeUnion"}): Kind.INTEGER,
    frozenset({"float"}): Kind.FLOAT,
    frozenset({"bool"}): Kind.BOOLEAN,
    frozenset({"str"}): Kind.STRING,
    frozenset({"ChatIdUnion"}): Kind.CHAT,
    frozenset({"int", "str"}): Kind.CHAT,
    frozenset({"InputFile"}): Kind.FILE,
    frozenset({"InputFileUnion"}): Kind.FILE,
    frozenset({"InputFile", "str"}): Kind.FILE,
    frozenset({"list[int]"}): Kind.NUMBERS,
    frozenset({"list[str]"}): Kind.STRINGS,
}
_NOT_A_KIND = frozenset({"None", "NoneType", "Default"})


def _leaves(annotation: object) -> set[str]:
    """Return the names of the alternatives of an annotation, which is a string or resolved."""
    if isinstance(annotation, str):
        return {part.strip() for part in annotation.split("|")}
    if get_origin(annotation) is Annotated:
        return _leaves(get_args(annotation)[0])
    if get_origin(annotation) in {Union, types.UnionType}:
        return set[str]().union(*(_leaves(arm) for arm in get_args(annotation)))
    if get_origin(annotation) is list:
        return {f"list[{next(iter(_leaves(get_args(annotation)[0])))}]"}
    return {getattr(annotation, "__name__", str(annotation))}


def _kind(annotation: object) -> Kind:
    leaves = _leaves(annotation) - _NOT_A_KIND
    is_array = all(leaf.startswith("list[") for leaf in leaves)
    return _KINDS.get(frozenset(leaves), Kind.OBJECTS if is_array else Kind.OBJECT)


@cache
def _classes() -> dict[str, Any]:
    """Return the method classes of aiogram by lower-case API name."""
    from aiogram import methods  # noqa: PLC0415 - costs seconds of CPU, so only when a request arrives

    found: dict[str, Any] = {}
    for name in methods.__all__:
        api_name = getattr(getattr(methods, name), "__api_method__", None)
        if isinstance(api_name, str):
            found[api_name.lower()] = getattr(methods, name)
    return found


def known_methods() -> list[str]:
    """Return the names of all methods, spelled as in the Bot API."""
    return sorted(str(cls.__api_method__) for cls in _classes().values())


@cache
def method_spec(name: str) -> MethodSpec | None:
    """Return the method called ``name`` in any case, or None. Source: Bot API, "Available methods"."""
    cls = _classes().get(name.lower())
    if cls is None:
        return None
    namespace: Mapping[str, Any] = cls.__dict__
    unresolved: Mapping[str, object] = namespace.get("__annotations__", {})
    parameters = {
        field: Parameter(field, _kind(unresolved.get(field, info.annotation)), info.is_required())
        for field, info in cls.model_fields.items()
    }
    return MethodSpec(str(cls.__api_method__), parameters, cls.__returning__ is bool)
