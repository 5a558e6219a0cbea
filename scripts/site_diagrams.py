"""Diagrams of the documentation site."""

import re
from collections.abc import Iterator
from typing import NamedTuple

ENTITY = re.compile(r"^    (\w+) \{\n(.*?)^    \}\n", re.MULTILINE | re.DOTALL)
COLUMN = re.compile(r'^ +(?P<type>\w+) (?P<name>\w+)(?P<keys>(?: (?:PK|FK|UK),?)*)(?: "(?P<about>.*)")?$', re.MULTILINE)
RELATION = re.compile(r"^    (\w+) [|}o{.-]+ (\w+) :", re.MULTILINE)


class Column(NamedTuple):
    """A column of a table in an entity diagram."""

    name: str
    type: str
    keys: str
    about: str


def columns(source: str) -> tuple[str, str]:
    """Take the columns out of an entity diagram, where they would be too small to read on a page.

    Returns:
        The diagram with the related tables only, and a Markdown table for each entity; another diagram is returned as
        it is, with an empty text.
    """
    if not source.startswith("erDiagram"):
        return source, ""
    entities = {name: list(read_columns(body)) for name, body in ENTITY.findall(source)}
    rest = ENTITY.sub("", source)
    keys = {name: entity(name, found) for name, found in entities.items() if name in related(rest)}
    tables = [table(name, found) for name, found in entities.items()]
    return rest.rstrip("\n") + "\n" + "".join(keys.values()), "\n" + "\n".join(tables)


def read_columns(body: str) -> Iterator[Column]:
    """Yield the columns of an entity."""
    for found in COLUMN.finditer(body):
        yield Column(found["name"], found["type"], found["keys"].strip(), found["about"] or "")


def related(source: str) -> set[str]:
    """Return the entities that a diagram relates to others."""
    return {name for pair in RELATION.findall(source) for name in pair}


def entity(name: str, found: list[Column]) -> str:
    """Return an entity with its keys only."""
    lines = [f"        {column.type} {column.name} {column.keys}\n" for column in found if column.keys]
    return f"    {name} {{\n{''.join(lines)}    }}\n"


def table(name: str, found: list[Column]) -> str:
    """Return the columns of an entity as a Markdown table."""
    rows = [
        f"| `{column.name}` | {column.type} | {column.keys} | {column.about.replace('|', chr(92) + '|')} |"
        for column in found
    ]
    return "\n".join([f"**`{name}`**\n", "| column | type | key | meaning |", "| --- | --- | --- | --- |", *rows, ""])
