"""Sources of settings."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tgllm.config.sources.lines import spot

__all__ = ["DEFAULT", "Source", "SourceKind", "Value"]

SourceKind = Literal["flag", "given", "environment", "dotenv", "file", "default"]
"""``given`` is a value that is to be stored."""


@dataclass(frozen=True, slots=True)
class Source:
    """The source of a value."""

    kind: SourceKind
    name: str = ""
    """Name of the value in the source: a flag, a variable, or a key of the file."""
    path: str = ""
    """The file, if any."""
    secret_file: Path | None = None
    """The file that contains the value, if ``name`` names one: ``TGLLM_BOT_TOKEN_FILE``."""

    def __str__(self) -> str:
        return self.place if self.secret_file is None else f"{self.place}, which names {self.secret_file}"

    @property
    def place(self) -> str:
        """The source in words, without the secret's file."""
        match self.kind:
            case "flag":
                return f"flag --{self.name.replace('_', '-')}"
            case "given":
                return self.name
            case "environment":
                return f"environment variable {self.name}"
            case "dotenv" | "file":
                return f"{self.path} ({self.name})"
            case "default":
                return "default"

    @property
    def spot(self) -> str:
        """The source for an error message: in words, with the line of a file."""
        if self.kind == "flag" and "." in self.name:
            # The flag has a shorter name.
            return self.name
        if self.kind not in {"dotenv", "file"}:
            return self.place
        return f"{spot(self.path, self.name)} ({self.name})"


DEFAULT = Source("default")


@dataclass(frozen=True, slots=True)
class Value:
    """A raw value, with the type of its source (text for environment variables)."""

    raw: object
    source: Source

    def __repr__(self) -> str:
        # The value may be a secret.
        return f"Value({self.source})"
