"""Author of a change, and its entry in the audit trail."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from tgllm.db.engine.unit import Connection
from tgllm.db.tables import audit

__all__ = ["CONFIG", "PROGRAM", "SHELL", "Actor", "Source", "note"]

Source = Literal["telegram", "shell", "config", "program"]


@dataclass(frozen=True, slots=True)
class Actor:
    """Author of a change. Shell commands have the rights of an owner."""

    id: int | None
    """Telegram user id; None for the shell, the config and the program itself."""
    source: Source


SHELL = Actor(None, "shell")
CONFIG = Actor(None, "config")
PROGRAM = Actor(None, "program")
"""The bot itself, such as when access expires."""


def note(
    conn: Connection, actor: Actor, action: str, target: str, now: int, details: Mapping[str, str | int | None]
) -> None:
    """Add an entry to the audit trail, in the transaction of the change.

    Args:
        conn: an open write transaction.
        actor: author of the change.
        action: name of the action, such as ``user.approve``.
        target: object of the action, such as a user id.
        now: UTC, in milliseconds.
        details: values before and after; no keys or tokens.
    """
    entry = audit.NewEntry(actor_id=actor.id, source=actor.source, action=action, target=target, details=details)
    audit.add(conn, entry, now)
