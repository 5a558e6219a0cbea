"""Names, descriptions and schemas of tools, as all services and the host accept them."""

import hashlib
import json
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, cast

from tgllm.api.types import Json, JsonObject

__all__ = ["clean_schema", "clean_text", "tool_names"]

_LONGEST_NAME = 64
_MOST_DEPTH = 32
_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9_-]")
_SPACES = re.compile(r"[ \t\u00a0]{2,}")
_BY_NAME: Final = frozenset({"properties", "patternProperties", "$defs", "definitions", "dependentSchemas"})
"""Keywords whose keys are names, not keywords."""
_AS_IS: Final = frozenset({"enum", "const", "examples", "default", "required", "dependentRequired"})
"""Keywords whose values are no schemas."""
_ALTERNATIVES: Final = frozenset({"allOf", "anyOf", "oneOf"})
_SCHEMAS: Final = _ALTERNATIVES | {
    *("additionalProperties", "contains", "else", "if", "items", "not", "prefixItems", "propertyNames", "then"),
}
"""Keywords whose values are schemas, or lists of them."""
_TYPES: Final = frozenset({"array", "boolean", "integer", "null", "number", "object", "string"})
_DROPPED: Final = frozenset({"title", "$schema", "$id", "$comment", "examples"})
"""Keywords that cost tokens and say nothing, or that services refuse."""


def tool_names(names: Iterable[str], prefix: str) -> Mapping[str, str]:
    """Return a valid and unique name for each name of a server; it depends on the other names only if two collide.

    Args:
        names: the server's own names.
        prefix: what the names begin with; not added to a name that begins with it already.
    """
    found: dict[str, str] = {}
    taken: set[str] = set()
    for name in sorted(set(names)):
        # Many servers repeat their own name in those of their tools.
        valid = _NOT_IN_NAMES.sub("_", name if name.startswith(prefix) else prefix + name)
        if not valid or not (valid[0].isalpha() or valid[0] == "_"):
            valid = f"_{valid}"
        if len(valid) > _LONGEST_NAME or valid in taken:
            digest = hashlib.sha256(name.encode("utf-8", "backslashreplace")).hexdigest()[:8]
            valid = f"{valid[: _LONGEST_NAME - 9]}_{digest}"
        if valid not in taken:
            taken.add(valid)
            found[name] = valid
    return found


def clean_text(text: str, longest: int) -> str:
    """Return a text of a server without control and invisible characters, cut to ``longest`` characters."""
    kept = "".join(
        char
        for char in text[: longest * 4]
        if char == "\n" or unicodedata.category(char) not in {"Cc", "Cf", "Cs", "Co"}
    )
    kept = _SPACES.sub(" ", kept).strip()
    return kept if len(kept) <= longest else f"{kept[: longest - 1].rstrip()}…"


def clean_schema(schema: Mapping[str, object]) -> JsonObject | None:
    """Return a schema of arguments without what costs tokens or is refused; None if it is not usable as one."""
    try:
        cleaned = _cleaned(json.loads(json.dumps(schema, allow_nan=False)), 0)
    except (TypeError, ValueError, RecursionError):
        return None
    if not isinstance(cleaned, dict) or cleaned.get("type", "object") != "object":
        return None
    return {"type": "object", "properties": {}, **cleaned}


def _cleaned(value: Json, depth: int, *, is_schema: bool = True) -> Json:
    if depth > _MOST_DEPTH:
        raise RecursionError
    if isinstance(value, Mapping):
        if is_schema:
            _check(value)
        return {key: _keyword(key, member, depth) for key, member in value.items() if not _is_dropped(key, member)}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_cleaned(member, depth + 1, is_schema=is_schema) for member in value]
    return value


def _keyword(key: str, value: Json, depth: int) -> Json:
    if key in _AS_IS:
        return value
    if key in _BY_NAME and isinstance(value, Mapping):
        return {name: _cleaned(member, depth + 2) for name, member in cast("Mapping[str, Json]", value).items()}
    return _cleaned(value, depth + 1, is_schema=key in _SCHEMAS)


def _check(schema: JsonObject) -> None:
    """Refuse what services refuse: one tool with such a schema would fail every request.

    Raises:
        ValueError: a keyword has a value of the wrong kind, or refers to another document.
    """
    types = schema.get("type", "object")
    required = schema.get("required", [])
    named = [schema[key] for key in _BY_NAME & schema.keys()]
    members = [member for value in named if isinstance(value, Mapping) for member in value.values()]
    if (
        not (isinstance(types, str | list) and types and set(_list(types)) <= _TYPES)
        or not (isinstance(required, list) and all(isinstance(name, str) for name in required))
        or not all(isinstance(value, Mapping) for value in named)
        or not all(isinstance(member, Mapping | bool) for member in members)
        or not all(isinstance(schema[key], list) and schema[key] for key in _ALTERNATIVES & schema.keys())
        or not isinstance(schema.get("enum", []), list)
        or not str(schema.get("$ref", "#")).startswith("#")
    ):
        raise ValueError("no valid schema")


def _list(types: Json) -> list[str]:
    return [str(each) for each in types] if isinstance(types, list) else [str(types)]


def _is_dropped(key: str, value: Json) -> bool:
    return key in _DROPPED or (key == "default" and value is None)
