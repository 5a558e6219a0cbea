"""Conversion of raw request parameters to Python values, by the table of the method's parameters."""

import re
from collections.abc import Mapping
from typing import Any, cast

from tgllm.testing.emulator.protocol.errors import BotApiError, bad_request
from tgllm.testing.emulator.protocol.parameters import Kind, MethodSpec, Parameter
from tgllm.testing.emulator.server.reading import read_json

__all__ = ["read_parameters"]

# Bot API server: its descriptions of these errors.
_MISSING: Mapping[str, str] = {
    "chat_id": "chat_id is empty",
    "text": "message text is empty",
    "message_id": "message identifier is not specified",
    "user_id": "invalid user_id specified",
    "callback_query_id": "query is too old and response timeout expired or query ID is invalid",
}


_CHAT_ID = re.compile(r"-?[0-9]{1,19}")


def read_parameters(spec: MethodSpec, raw: Mapping[str, object]) -> tuple[dict[str, Any], BotApiError | None]:
    """Return the parameters as Python values, and the first error; unknown names are ignored, as by Telegram.

    Errors are a missing required parameter and a value of another type, which stays unconverted.
    """
    values: dict[str, Any] = {}
    wrong: list[BotApiError] = []
    for name, value in raw.items():
        parameter = spec.parameters.get(name)
        if parameter is None or value is None or value == "":
            continue
        try:
            values[name] = _READERS[parameter.kind](parameter, value)
        except BotApiError as error:
            values[name] = value
            wrong.append(error)
    wrong += (_missing(p) for p in spec.parameters.values() if p.required and p.name not in values)
    return values, next(iter(wrong), None)


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
    return int(word) if _CHAT_ID.fullmatch(word) else word


def _file(parameter: Parameter, value: object) -> object:
    del parameter
    return value


def _json(parameter: Parameter, value: object) -> object:
    """Read a nested value: JSON text in a form, the value itself in a JSON body."""
    parsed = _parsed(parameter, value) if isinstance(value, str) else value
    if parsed is not None and not _has_shape(parameter.kind, parsed):
        raise bad_request(_MISSHAPEN.get(parameter.name, f"can't parse {parameter.name}: wrong type of value"))
    return parsed


def _parsed(parameter: Parameter, value: str) -> object:
    try:
        return read_json(value)
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


# Bot API server: names of these objects in errors about invalid JSON.
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
