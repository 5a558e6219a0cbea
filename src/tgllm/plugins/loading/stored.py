"""What the stores of a plugin have in common: checks of JSON, of names and of owners."""

import json
from typing import TYPE_CHECKING

from tgllm.api.errors import DatabaseError, PluginError
from tgllm.api.people import ChatInfo, UserInfo
from tgllm.api.types import Json
from tgllm.db.engine.json_depth import check_depth

if TYPE_CHECKING:
    from tgllm.db.database import Database

__all__ = ["checked_json", "checked_text", "opened", "owner_id"]

MOST_ID = 2**52
"""Bot API, User and Chat: an id has at most 52 significant bits."""


def opened(database: "Database | None") -> "Database":
    """Return the database.

    Raises:
        DatabaseError: there is none.
    """
    if database is None:
        raise DatabaseError("there is no database here for the plugin's values: run tgllm db init")
    return database


def checked_text(text: object, role: str) -> str:
    """Return a text that can be stored.

    Raises:
        PluginError: it is of another type, or contains what UTF-8 can't encode.
    """
    if isinstance(text, str):
        try:
            text.encode()
        except ValueError:
            pass
        else:
            return text
    raise PluginError(f"{text!r} is no text that can be a {role}")


def checked_json(value: Json, whose: str, most: int) -> None:
    """Check that a value is JSON, and not longer than ``most`` bytes.

    Raises:
        PluginError: it is not; the message names it as ``whose``.
    """
    try:
        check_depth(value)
        size = len(json.dumps(value, ensure_ascii=False, allow_nan=False).encode())
    except (TypeError, ValueError, RecursionError) as error:
        raise PluginError(f"{whose} is no JSON: {error}") from error
    if size > most:
        raise PluginError(f"{whose} is longer than {most} bytes of JSON")


def owner_id(owner: UserInfo | ChatInfo | int) -> int:
    """Return Telegram's id of a person or chat.

    Raises:
        PluginError: it is none.
    """
    found = owner.id if isinstance(owner, UserInfo | ChatInfo) else owner
    is_id = isinstance(found, int) and not isinstance(found, bool)  # pyright: ignore[reportUnnecessaryIsInstance]  from a plugin
    if not is_id or not 0 < abs(found) < MOST_ID:
        raise PluginError(f"{found!r} is no id of a person or group: use the user or chat of a command")
    return found
