"""Where a setting came from."""

from dataclasses import dataclass
from typing import Literal

__all__ = ["DEFAULT", "LAYERS", "Source", "SourceKind", "Value"]

SourceKind = Literal["flag", "environment", "dotenv", "file", "default"]

LAYERS: tuple[SourceKind, ...] = ("file", "dotenv", "environment", "flag")
"""From the weakest to the strongest; a default is weaker than all."""


@dataclass(frozen=True, slots=True)
class Source:
    """A place that sets a value."""

    kind: SourceKind
    name: str = ""
    """What the value is called there: a flag, a variable, or a key of the file."""
    path: str = ""
    """The file, where there is one."""

    def __str__(self) -> str:
        match self.kind:
            case "flag":
                return f"flag --{self.name.replace('_', '-')}"
            case "environment":
                return f"environment variable {self.name}"
            case "dotenv" | "file":
                return f"{self.path} ({self.name})"
            case "default":
                return "default"


DEFAULT = Source("default")


@dataclass(frozen=True, slots=True)
class Value:
    """A value as it was found; its type is the source's (text, for environment variables)."""

    raw: object
    source: Source

    def __repr__(self) -> str:
        # The value may be a secret.
        return f"Value({self.source})"
