"""Migrations from one version of the schema to the next.

A migration is a file ``NNNN_name.sql`` in this folder, where NNNN is the version that it leads to, numbered from
``FIRST_VERSION`` without gaps. It runs once, in a transaction that it neither begins nor ends; foreign keys are checked
before the commit. ``models.sql`` always contains the result of all migrations.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

__all__ = ["FIRST_VERSION", "Migration", "load", "shipped"]

FIRST_VERSION = 1
"""Version of a database without migrations."""

_NAME = re.compile(r"(?P<version>\d{4})_(?P<name>[a-z0-9_]+)\.sql")


@dataclass(frozen=True, slots=True)
class Migration:
    """A migration file."""

    version: int
    """Schema version after the migration."""
    name: str
    """Short description, with underscores between the words."""
    sql: str


def load(folder: Path, first: int = FIRST_VERSION) -> Sequence[Migration]:
    """Read the migrations of a folder, in order of version.

    Args:
        folder: the folder; other files in it are ignored.
        first: version of a database without migrations.

    Raises:
        ValueError: a version is missing, or two migrations have the same one.
    """
    named = ((_NAME.fullmatch(entry.name), entry) for entry in folder.iterdir())
    steps = [Migration(int(m["version"]), m["name"], entry.read_text(encoding="utf-8")) for m, entry in named if m]
    steps.sort(key=lambda step: step.version)
    versions = [step.version for step in steps]
    if versions != list(range(first + 1, first + 1 + len(steps))):
        raise ValueError(f"migrations have to count on from {first + 1} without a gap, found {versions}")
    return tuple(steps)


@cache
def shipped() -> Sequence[Migration]:
    """Return the migrations of this program."""
    # No importlib.resources: its import takes longer than all other work of a short shell command.
    return load(Path(__file__).parent)
