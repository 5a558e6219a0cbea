"""The language that a person has chosen for the bot, instead of that of their Telegram."""

from collections.abc import Mapping

from tgllm.api.clock import Clock, milliseconds
from tgllm.db.engine.signals import signal
from tgllm.db.engine.unit import Connection, Unit
from tgllm.db.tables import kv

__all__ = ["choose_language", "chosen_language", "chosen_languages"]

_SCOPE = "language"
"""In it, the key is the person's Telegram id."""


def chosen_language(conn: Connection, user_id: int) -> str | None:
    """The language of their choice; None if they have chosen none."""
    language = kv.get(conn, _SCOPE, str(user_id))
    return language if isinstance(language, str) else None


def chosen_languages(conn: Connection) -> Mapping[int, str]:
    """The languages of all who have chosen one, by their Telegram id."""
    chosen = kv.items(conn, _SCOPE)
    return {int(user_id): str(language) for user_id, language in chosen.items()}


def choose_language(clock: Clock, user_id: int, language: str | None) -> Unit:
    """The piece of work that keeps a person's choice; None takes it back."""
    now = milliseconds(clock)

    def unit(conn: Connection) -> None:
        if language is None:
            kv.delete(conn, _SCOPE, str(user_id))
        else:
            kv.set_value(conn, _SCOPE, str(user_id), language, now)
        signal(conn, "menus")

    return unit
