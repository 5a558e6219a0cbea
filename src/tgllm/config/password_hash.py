"""Hash of the admin password, as stored in the settings.

scrypt (RFC 7914) makes guesses expensive in memory and time. The hash contains its parameters, so old hashes stay valid
when the parameters of new hashes change.
"""

import base64
import binascii
import hashlib
import hmac
import re
import secrets
import unicodedata
from dataclasses import dataclass
from typing import Final, Literal, Self

__all__ = ["LONGEST", "SHORTEST", "Cost", "PasswordHash", "Unfit", "hash_password", "why_unfit"]

SHORTEST: Final = 8
LONGEST: Final = 256
"""Maximum characters of a password."""

Unfit = Literal["length", "spaces", "slash"]
"""Why a password is unsuitable: its length, white space at its ends or in lines, or a slash at its beginning."""

_FORM = re.compile(r"scrypt:(\d{1,2}):(\d{1,2}):(\d{1,2}):([\w-]{22,86}):([\w-]{43})", re.ASCII)
_BYTES = 32
_MOST_MEMORY = 2**28


@dataclass(frozen=True, slots=True)
class Cost:
    """Parameters of scrypt. RFC 7914: N = 2 to the power of ``log_n``; 128 * N * r bytes of memory, p times."""

    log_n: int = 15
    r: int = 8
    p: int = 3

    @property
    def memory(self) -> int:
        """Memory of one hash in bytes."""
        return 128 * self.r * 2**self.log_n


@dataclass(frozen=True, slots=True)
class PasswordHash:
    """A hash with its parameters and salt."""

    cost: Cost
    salt: bytes
    digest: bytes

    @classmethod
    def parse(cls, text: str) -> Self:
        """Parse a hash as formatted by ``str``.

        Raises:
            ValueError: the text is not a valid hash.
        """
        found = _FORM.fullmatch(text.strip())
        if found is None:
            raise ValueError("no hash of a password")
        cost = Cost(int(found[1]), int(found[2]), int(found[3]))
        if not (cost.log_n and cost.r and cost.p) or cost.memory > _MOST_MEMORY:
            raise ValueError("a hash with invalid parameters")
        return cls(cost, _decoded(found[4]), _decoded(found[5]))

    def __str__(self) -> str:
        """Format the hash for the settings, without characters that are special in shells or TOML."""
        cost = self.cost
        return f"scrypt:{cost.log_n}:{cost.r}:{cost.p}:{_encoded(self.salt)}:{_encoded(self.digest)}"

    def matches(self, password: str) -> bool:
        """Return whether the password matches; takes a fraction of a second, so call it in a thread."""
        return hmac.compare_digest(self.digest, _digest(password, self.salt, self.cost))


def hash_password(password: str, cost: Cost | None = None) -> PasswordHash:
    """Hash a password with a new salt; takes as long as ``matches``."""
    cost = cost or Cost()
    salt = secrets.token_bytes(16)
    return PasswordHash(cost, salt, _digest(password, salt, cost))


def why_unfit(password: str) -> Unfit | None:
    """Return why a new password is unsuitable; None if it is suitable."""
    if not SHORTEST <= len(password) <= LONGEST:
        return "length"
    if password != password.strip() or len(password.splitlines()) != 1:
        # Telegram removes spaces at the ends of a message.
        return "spaces"
    if password.startswith("/"):
        # Telegram and the bot take it for a command.
        return "slash"
    return None


def _digest(password: str, salt: bytes, cost: Cost) -> bytes:
    # Keyboards encode the same accented character in several ways.
    text = unicodedata.normalize("NFKC", password.strip()).encode(errors="surrogatepass")
    return hashlib.scrypt(
        text, salt=salt, n=2**cost.log_n, r=cost.r, p=cost.p, maxmem=2 * cost.memory + 2**20, dklen=_BYTES
    )


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except binascii.Error:
        raise ValueError("no hash of a password") from None
