"""Values inside of a JSON document, in their order."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import TypeAlias, cast

__all__ = ["Leaf", "added", "leaves"]

Leaf: TypeAlias = "str | int | float | bool | None"


def leaves(json: object) -> Iterator[tuple[str, Leaf]]:
    """Yield each value that is no object and no list, with its path, in the order of the document."""
    return _leaves(json, "")


def added(now: object, before: object) -> list[tuple[str, Leaf]]:
    """Return the values that one document has, and another has not at the same path."""
    rest = Counter((path, repr(value)) for path, value in leaves(before))
    found: list[tuple[str, Leaf]] = []
    for path, value in leaves(now):
        if rest[path, repr(value)]:
            rest[path, repr(value)] -= 1
        else:
            found.append((path, value))
    return found


def _leaves(json: object, path: str) -> Iterator[tuple[str, Leaf]]:
    if isinstance(json, Mapping):
        for name, value in cast("Mapping[str, object]", json).items():
            yield from _leaves(value, f"{path}.{name}")
    elif isinstance(json, list | tuple):
        for value in cast("list[object]", json):
            yield from _leaves(value, f"{path}[]")
    else:
        yield path, cast("Leaf", json)
