"""What each Bot API method takes, read from aiogram's method classes.

The table follows aiogram: a method or a parameter of its next version is known here without a
line of code. It is built method by method, on first use.
"""

import json
import types
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from functools import cache
from typing import Annotated, Any, Union, cast, get_args, get_origin

from tgllm.testing.emulator.errors import BotApiError, bad_request

__all__ = ["Kind", "MethodSpec", "Parameter", "known_methods", "method_spec", "read_parameters"]


class Kind(Enum):
    """How a parameter travels."""

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
    """One parameter of a method."""

    name: str
    kind: Kind
    required: bool


@dataclass(frozen=True, slots=True)
class MethodSpec:
    """One Bot API method; ``returns_true`` when its only possible result is a boolean."""

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

# Bot API server: the words it uses when these are missing.
_MISSING: Mapping[str, str] = {
    "chat_id": "chat_id is empty",
    "text": "message text is empty",
    "message_id": "message identifier is not specified",
    "user_id": "invalid user_id specified",
    "callback_query_id": "query is too old and response timeout expired or query ID is invalid",
}


def _leaves(annotation: object) -> set[str]:
    """The names of the alternatives of an annotation, as a string or resolved."""
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
    """The method classes of aiogram by lower-case API name."""
    from aiogram import methods  # noqa: PLC0415 - costs seconds of CPU: only when a request arrives

    found: dict[str, Any] = {}
    for name in methods.__all__:
        api_name = getattr(getattr(methods, name), "__api_method__", None)
        if isinstance(api_name, str):
            found[api_name.lower()] = getattr(methods, name)
    return found


def known_methods() -> list[str]:
    """The names of all methods, as the Bot API spells them."""
    return sorted(str(cls.__api_method__) for cls in _classes().values())


@cache
def method_spec(name: str) -> MethodSpec | None:
    """The method called ``name`` in any case, or None. Source: Bot API, "Available methods"."""
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


def read_parameters(spec: MethodSpec, raw: Mapping[str, object]) -> dict[str, Any]:
    """Turn what arrived into Python values; unknown names are ignored, as Telegram does.

    Raises BotApiError 400 for a missing required parameter and for a value of the wrong type.
    """
    values: dict[str, Any] = {}
    for name, value in raw.items():
        parameter = spec.parameters.get(name)
        if parameter is not None and value is not None and value != "":
            values[name] = _READERS[parameter.kind](parameter, value)
    for parameter in spec.parameters.values():
        if parameter.required and parameter.name not in values:
            raise _missing(parameter)
    return values


def _missing(parameter: Parameter) -> BotApiError:
    words = _MISSING.get(parameter.name, f'parameter "{parameter.name}" is required')
    return bad_request(words)


def _wrong_type(parameter: Parameter) -> BotApiError:
    words = f'field "{parameter.name}" must be of type {parameter.kind.value}'
    return bad_request(f"can't parse parameter: {words}")


def _integer(parameter: Parameter, value: object) -> int:
    if isinstance(value, bool):
        raise _wrong_type(parameter)
    try:
        return int(value) if isinstance(value, int) else int(str(value).strip())
    except ValueError:
        raise _wrong_type(parameter) from None


def _float(parameter: Parameter, value: object) -> float:
    try:
        return float(str(value))
    except ValueError:
        raise _wrong_type(parameter) from None


def _boolean(parameter: Parameter, value: object) -> bool:
    word = str(value).lower()
    if word in {"true", "1", "yes", "t", "y"}:
        return True
    if word in {"false", "0", "no", "f", "n"}:
        return False
    raise _wrong_type(parameter)


def _string(parameter: Parameter, value: object) -> str:
    if isinstance(value, dict | list):
        raise _wrong_type(parameter)
    return str(value)


def _chat(parameter: Parameter, value: object) -> int | str:
    del parameter
    word = str(value).strip()
    return int(word) if word.lstrip("-").isdigit() else word


def _file(parameter: Parameter, value: object) -> object:
    del parameter
    return value


def _json(parameter: Parameter, value: object) -> object:
    """A nested value: JSON in a form, the value itself in a JSON body."""
    parsed = _parsed(parameter, value) if isinstance(value, str) else value
    if parsed is not None and not _has_shape(parameter.kind, parsed):
        raise bad_request(_MISSHAPEN.get(parameter.name, f"can't parse {parameter.name}: wrong type of value"))
    return parsed


def _parsed(parameter: Parameter, value: str) -> object:
    try:
        return json.loads(value)
    except ValueError:
        words = _UNPARSABLE.get(parameter.name, f"{parameter.name} JSON object")
        raise bad_request(f"can't parse {words}") from None


def _has_shape(kind: Kind, value: object) -> bool:
    if kind is Kind.OBJECT:
        return isinstance(value, dict)
    element = _ELEMENTS[kind]
    return isinstance(value, list) and all(isinstance(item, element) for item in cast("list[object]", value))


_ELEMENTS: Mapping[Kind, type] = {Kind.NUMBERS: int, Kind.STRINGS: str, Kind.OBJECTS: dict}

_MISSHAPEN: Mapping[str, str] = {
    "reply_markup": "object expected as reply markup",
    "entities": "can't parse entities: expected an Array of MessageEntity",
    "caption_entities": "can't parse entities: expected an Array of MessageEntity",
}


# Bot API server: what it calls these objects when they are no JSON.
_UNPARSABLE: Mapping[str, str] = {
    "reply_markup": "reply keyboard markup JSON object",
    "entities": "message entities JSON object",
    "caption_entities": "message entities JSON object",
    "allowed_updates": "allowed updates JSON object",
}

_READERS = {
    Kind.INTEGER: _integer,
    Kind.FLOAT: _float,
    Kind.BOOLEAN: _boolean,
    Kind.STRING: _string,
    Kind.CHAT: _chat,
    Kind.FILE: _file,
    Kind.OBJECT: _json,
    Kind.NUMBERS: _json,
    Kind.STRINGS: _json,
    Kind.OBJECTS: _json,
}
