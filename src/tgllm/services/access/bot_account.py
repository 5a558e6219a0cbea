"""The bot's own account as Telegram told it last: kept for the shell, which makes links and does not ask Telegram."""

from collections.abc import Mapping
from typing import Final

from tgllm.db.engine.unit import Connection
from tgllm.db.tables import kv

__all__ = ["known_username", "remember_username"]

_SCOPE: Final = "bot"
_KEY: Final = "account"


def remember_username(conn: Connection, bot_id: int, username: str, now: int) -> None:
    """Keep the name of the bot that works with this database, without the @."""
    account = {"id": bot_id, "username": username}
    if kv.get(conn, _SCOPE, _KEY) != account:
        kv.set_value(conn, _SCOPE, _KEY, account, now)


def known_username(conn: Connection, bot_id: int | None) -> str | None:
    """The bot's username, without the @.

    Args:
        conn: an open connection.
        bot_id: of the bot that is meant; None: whichever worked with this database last.

    Returns:
        None where that bot has not worked with this database yet.
    """
    account = kv.get(conn, _SCOPE, _KEY)
    if not isinstance(account, Mapping) or (bot_id is not None and bot_id != account.get("id")):
        return None
    return str(account.get("username") or "") or None
