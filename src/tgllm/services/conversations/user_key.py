"""Pseudonymous key of a person for providers: a stable keyed hash of the user id."""

import hashlib
import hmac
import secrets

from tgllm.db.engine.unit import Connection
from tgllm.db.tables import kv

__all__ = ["make_secret", "read_secret", "user_key"]

_SCOPE, _KEY = "bot", "user_key_secret"
_LENGTH = 32
"""Length of a key in hex digits: 128 bits."""


def user_key(secret: str, user_id: int) -> str:
    """Return the key of a person in hex digits. The secret prevents a brute-force search over all user ids."""
    return hmac.new(secret.encode(), str(user_id).encode(), hashlib.sha256).hexdigest()[:_LENGTH]


def read_secret(conn: Connection) -> str | None:
    """Return the secret of this installation; None before the first question."""
    secret = kv.get(conn, _SCOPE, _KEY)
    return secret if isinstance(secret, str) else None


def make_secret(conn: Connection, now: int) -> str:
    """Return the secret of this installation; create it if there is none.

    Args:
        conn: an open write transaction.
        now: UTC, in milliseconds.
    """
    secret = read_secret(conn)
    if secret is None:
        secret = secrets.token_hex(_LENGTH)
        kv.set_value(conn, _SCOPE, _KEY, secret, now)
    return secret
