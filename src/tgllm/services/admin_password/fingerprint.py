"""Fingerprint of the admin password, so that its repetitions are found without the slow hash.

It is made when the password was entered correctly, with a key that is only in memory. It ends with the process.
"""

import hashlib
import secrets
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, Self

__all__ = ["Fingerprint"]

MOST_SEARCHED: Final = 40_000
"""Longest text in which each position is tried; in longer ones, only whole words are. Bot API: Message, at most 32,768
characters."""
_MARKS: Final = " \t\r\n\"'`*_~|<>()[]{}«»“”„\u2018\u2019.,;:!?"


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """Keyed hash of the password, with its length."""

    key: bytes = field(repr=False)
    digest: bytes = field(repr=False)
    length: int = field(repr=False)
    total: int = field(repr=False)
    """Sum of its characters' codes: few positions of a text have the same, and only those are hashed."""
    words: int = field(repr=False)

    @classmethod
    def of(cls, password: str) -> Self:
        """Return the fingerprint of the password."""
        text, key = _normal(password), secrets.token_bytes(32)
        return cls(key, _digest(text, key), len(text), sum(map(ord, text)), len(text.split()))

    def fits(self, text: str) -> bool:
        """Return whether a text is as long as the password."""
        return len(_normal(text)) == self.length

    def is_in(self, text: str) -> bool:
        """Return whether a text is or contains the password."""
        text = _normal(text)
        if len(text) < self.length:
            return False
        if len(text) <= MOST_SEARCHED:
            return any(self._is(text[start : start + self.length]) for start in self._starts(text))
        words = text.split()
        runs = (" ".join(words[start : start + self.words]) for start in range(len(words) - self.words + 1))
        return any(self._is(run) or self._is(run.strip(_MARKS)) for run in runs)

    def _starts(self, text: str) -> Iterator[int]:
        """Yield the positions at which the password may begin."""
        codes = [*map(ord, text)]
        total = sum(codes[: self.length])
        for start, code in enumerate(codes[: len(codes) - self.length + 1]):
            if total == self.total:
                yield start
            end = start + self.length
            total += (codes[end] if end < len(codes) else 0) - code

    def _is(self, text: str) -> bool:
        return len(text) == self.length and secrets.compare_digest(_digest(text, self.key), self.digest)


def _normal(text: str) -> str:
    return unicodedata.normalize("NFKC", text.strip())


def _digest(text: str, key: bytes) -> bytes:
    return hashlib.blake2b(text.encode(errors="surrogatepass"), key=key, digest_size=32).digest()
