"""What providers are told of who asks: a hash that is the same each time and says nothing about the person."""

import hashlib
import hmac
import secrets

from tgllm.db.engine.unit import Connection
from tgllm.db.tables import kv

__all__ = ["make_secret", "read_secret", "user_key"]

_SCOPE, _KEY = "bot", "user_key_secret"
_LENGTH = 32
"""Hex digits of a key: 128 bits."""


def user_key(secret: str, user_id: int) -> str:
    """The key of a person, in hex digits. Without the secret nobody can find out whose it is by trying all ids."""
    return hmac.new(secret.encode(), str(user_id).encode(), hashlib.sha256).hexdigest()[:_LENGTH]


def read_secret(conn: Connection) -> str | None:
    """The secret of this installation; None before the first question."""
    secret = kv.get(conn, _SCOPE, _KEY)
    return secret if isinstance(secret, str) else None


def make_secret(conn: Connection, now: int) -> str:
    """The secret of this installation, made if there is none.

    Args:
        conn: in a write transaction.
        now: UTC, in milliseconds.
    """
    secret = read_secret(conn)
    if secret is None:
        secret = secrets.token_hex(_LENGTH)
        kv.set_value(conn, _SCOPE, _KEY, secret, now)
    return secret
