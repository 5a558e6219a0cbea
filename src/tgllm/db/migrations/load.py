"""The steps from one version of the schema to the next.

A step is a file ``NNNN_name.sql`` in this folder, where NNNN is the version that it leads to, counted on from
``FIRST_VERSION`` without a gap. It runs once, in a transaction that is not its own to begin or end, with foreign keys
checked at its end. ``models.sql`` always holds the result of all steps.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

__all__ = ["FIRST_VERSION", "Migration", "load", "shipped"]

FIRST_VERSION = 1
"""The version of a database that has had no migration."""

_NAME = re.compile(r"(?P<version>\d{4})_(?P<name>[a-z0-9_]+)\.sql")


@dataclass(frozen=True, slots=True)
class Migration:
    """One step."""

    version: int
    """The version of the schema after it."""
    name: str
    """What it does, in a few words joined by underscores."""
    sql: str


def load(folder: Path) -> Sequence[Migration]:
    """Read the steps of a folder, in order.

    Raises:
        ValueError: two steps lead to one version, or a version is left out.
    """
    named = ((_NAME.fullmatch(entry.name), entry) for entry in folder.iterdir())
    steps = [Migration(int(m["version"]), m["name"], entry.read_text(encoding="utf-8")) for m, entry in named if m]
    steps.sort(key=lambda step: step.version)
    versions = [step.version for step in steps]
    if versions != list(range(FIRST_VERSION + 1, FIRST_VERSION + 1 + len(steps))):
        raise ValueError(f"migrations have to count on from {FIRST_VERSION + 1} without a gap, found {versions}")
    return tuple(steps)


@cache
def shipped() -> Sequence[Migration]:
    """The steps of this program."""
    # No importlib.resources: it takes longer to import than a short command needs for the rest of its work.
    return load(Path(__file__).parent)
