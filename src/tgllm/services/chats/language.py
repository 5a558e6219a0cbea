"""Interface language that a person has chosen, in place of the language of their Telegram client."""

from collections.abc import Mapping

from tgllm.api.clock import Clock, milliseconds
from tgllm.db.engine.signals import signal
from tgllm.db.engine.unit import Connection, Unit
from tgllm.db.tables import kv

__all__ = ["choose_language", "chosen_language", "chosen_languages"]

_SCOPE = "language"
"""Scope of the key-value store; the key is the person's Telegram id."""


def chosen_language(conn: Connection, user_id: int) -> str | None:
    """Return the language that a person has chosen; None without a choice."""
    language = kv.get(conn, _SCOPE, str(user_id))
    return language if isinstance(language, str) else None


def chosen_languages(conn: Connection) -> Mapping[int, str]:
    """Return all chosen languages by Telegram user id."""
    chosen = kv.items(conn, _SCOPE)
    return {int(user_id): str(language) for user_id, language in chosen.items()}


def choose_language(clock: Clock, user_id: int, language: str | None) -> Unit:
    """Return the unit of work that stores a person's choice; None removes it."""
    now = milliseconds(clock)

    def unit(conn: Connection) -> None:
        if language is None:
            kv.delete(conn, _SCOPE, str(user_id))
        else:
            kv.set_value(conn, _SCOPE, str(user_id), language, now)
        signal(conn, "menus")

    return unit
