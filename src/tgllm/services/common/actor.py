"""Who makes a change, and from where."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from tgllm.db.engine.unit import Connection
from tgllm.db.tables import audit

__all__ = ["CONFIG", "PROGRAM", "SHELL", "Actor", "Source", "note"]

Source = Literal["telegram", "shell", "config", "program"]


@dataclass(frozen=True, slots=True)
class Actor:
    """The one who makes a change. Whoever works in the shell of the bot's machine may do what an owner may."""

    id: int | None
    """Telegram's user id; None for the shell, the config and the program itself."""
    source: Source


SHELL = Actor(None, "shell")
CONFIG = Actor(None, "config")
PROGRAM = Actor(None, "program")
"""The bot itself, when something has run out."""


def note(
    conn: Connection, actor: Actor, action: str, target: str, now: int, details: Mapping[str, str | int | None]
) -> None:
    """Write a change into the audit trail, in the transaction that makes it.

    Args:
        conn: an open write transaction.
        actor: who makes it.
        action: what is done, such as ``user.approve``.
        target: to whom or what, such as a user id.
        now: UTC, in milliseconds.
        details: values before and after; never a key or a token.
    """
    entry = audit.NewEntry(actor_id=actor.id, source=actor.source, action=action, target=target, details=details)
    audit.add(conn, entry, now)
