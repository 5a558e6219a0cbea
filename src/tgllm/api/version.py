"""The version of the plugin contract, apart from the version of the program."""

from dataclasses import dataclass
from typing import Self

__all__ = ["API_VERSION", "ApiVersion"]


@dataclass(frozen=True, slots=True, order=True)
class ApiVersion:
    """A version of the contract. A change of ``major`` may break plugins; a change of ``minor`` only adds."""

    major: int
    minor: int = 0

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``"1"`` or ``"1.2"``.

        Raises:
            ValueError: for anything else.
        """
        major, dot, minor = text.partition(".")
        if not major.isdecimal() or (dot and not minor.isdecimal()):
            raise ValueError(f"{text!r} is not an API version; write it like '1.0'")
        return cls(int(major), int(minor or 0))

    def serves(self, wanted: Self) -> bool:
        """Whether a host with this version can run a plugin written for ``wanted``."""
        return self.major == wanted.major and self.minor >= wanted.minor

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}"


API_VERSION = ApiVersion(1, 0)
"""What this program offers to plugins."""
