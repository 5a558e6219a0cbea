"""Last known username of the bot, stored for shell commands that make links without calling Telegram."""

from collections.abc import Mapping
from typing import Final

from tgllm.db.engine.unit import Connection
from tgllm.db.tables import kv

__all__ = ["known_username", "remember_username"]

_SCOPE: Final = "bot"
_KEY: Final = "account"


def remember_username(conn: Connection, bot_id: int, username: str, now: int) -> None:
    """Store the username, without the @, of the bot that uses this database."""
    account = {"id": bot_id, "username": username}
    if kv.get(conn, _SCOPE, _KEY) != account:
        kv.set_value(conn, _SCOPE, _KEY, account, now)


def known_username(conn: Connection, bot_id: int | None) -> str | None:
    """Return the bot's username, without the @.

    Args:
        conn: an open connection.
        bot_id: id of the bot; None: the bot that used this database last.

    Returns:
        None if that bot has not used this database yet.
    """
    account = kv.get(conn, _SCOPE, _KEY)
    if not isinstance(account, Mapping) or (bot_id is not None and bot_id != account.get("id")):
        return None
    return str(account.get("username") or "") or None
