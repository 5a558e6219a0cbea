"""Group mode, set by an admin for each group: which of its messages the bot answers."""

from typing import Literal, get_args

from tgllm.api.clock import Clock, milliseconds
from tgllm.db.engine.unit import Connection, Unit
from tgllm.db.tables import audit, kv

__all__ = ["MODES", "GroupMode", "choose_group_mode", "group_mode", "move_group_mode", "parse_mode"]

GroupMode = Literal["always", "mention", "never"]
"""``always``: all messages; ``mention``: mentions, replies to the bot and commands; ``never``: commands only."""
MODES: tuple[GroupMode, ...] = get_args(GroupMode)

_DEFAULT: GroupMode = "mention"
_SCOPE = "group_mode"
"""Scope of the key-value store; the key is the group's Telegram id."""


def group_mode(conn: Connection, chat_id: int) -> GroupMode:
    """Return the mode of a group; ``mention`` if none was set."""
    return parse_mode(kv.get(conn, _SCOPE, str(chat_id))) or _DEFAULT


def parse_mode(value: object) -> GroupMode | None:
    """Return the mode of a name; None for an unknown one."""
    return next((mode for mode in MODES if mode == value), None)


def move_group_mode(conn: Connection, old: int, new: int, now: int) -> None:
    """Move the mode of a group to the supergroup that it was migrated to, unless one is set there."""
    mode = kv.get(conn, _SCOPE, str(old))
    if mode is not None and kv.get(conn, _SCOPE, str(new)) is None:
        kv.set_value(conn, _SCOPE, str(new), mode, now)
    kv.delete(conn, _SCOPE, str(old))


def choose_group_mode(clock: Clock, chat_id: int, mode: GroupMode, actor_id: int) -> Unit:
    """Return the unit of work that stores an admin's choice."""
    now = milliseconds(clock)

    def unit(conn: Connection) -> None:
        change = {"from": group_mode(conn, chat_id), "to": mode}
        kv.set_value(conn, _SCOPE, str(chat_id), mode, now)
        entry = audit.NewEntry(
            actor_id=actor_id, source="telegram", action="group.mode", target=str(chat_id), details=change
        )
        audit.add(conn, entry, now)

    return unit
