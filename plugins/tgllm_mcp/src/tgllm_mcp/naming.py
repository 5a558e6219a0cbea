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


def _cleaned(value: Json, depth: int) -> Json:
    if depth > _MOST_DEPTH:
        raise RecursionError
    if isinstance(value, Mapping):
        return {key: _keyword(key, member, depth) for key, member in value.items() if not _is_dropped(key, member)}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_cleaned(member, depth + 1) for member in value]
    return value


def _keyword(key: str, value: Json, depth: int) -> Json:
    if key in _AS_IS:
        return value
    if key in _BY_NAME and isinstance(value, Mapping):
        return {name: _cleaned(member, depth + 2) for name, member in cast("Mapping[str, Json]", value).items()}
    return _cleaned(value, depth + 1)


def _is_dropped(key: str, value: Json) -> bool:
    return key in _DROPPED or (key == "default" and value is None)
