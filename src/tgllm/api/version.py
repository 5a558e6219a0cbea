"""Version of the plugin API, independent of the version of tgllm."""

from dataclasses import dataclass
from typing import Self

__all__ = ["API_VERSION", "ApiVersion"]


@dataclass(frozen=True, slots=True, order=True)
class ApiVersion:
    """Version of the plugin API. A new ``major`` version may break plugins; a new ``minor`` version only adds."""

    major: int
    minor: int = 0

    @classmethod
    def parse(cls, text: str) -> Self:
        """Parse a version such as ``"1"`` or ``"1.2"``.

        Raises:
            ValueError: for anything else.
        """
        major, dot, minor = text.partition(".")
        if not major.isdecimal() or (dot and not minor.isdecimal()):
            raise ValueError(f"{text!r} is not an API version; write it like '1.0'")
        return cls(int(major), int(minor or 0))

    def serves(self, wanted: Self) -> bool:
        """Return whether a host with this version supports a plugin written for ``wanted``."""
        return self.major == wanted.major and self.minor >= wanted.minor

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}"


API_VERSION = ApiVersion(1, 2)
"""The version that tgllm provides."""
