"""Table ``turn_orders``: what replicas ask of each other: to stop a turn, or to look at its question again.

A row is for the replica that runs the turn, which deletes it when it carries it out. A crash of that replica ends the
turn as well, so that nothing is lost with the row.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from tgllm.db.engine.rows import read_all
from tgllm.db.engine.signals import signal
from tgllm.db.engine.unit import Connection

__all__ = ["Kind", "TurnOrder", "add", "forget", "has_any", "take"]

Kind = Literal["stop", "outdate"]
"""``stop``: a person stops the turn. ``outdate``: its question may have been edited."""


@dataclass(frozen=True, slots=True)
class TurnOrder:
    """An order; the fields are the columns of the table."""

    id: int
    lane: str
    turn_id: str
    kind: Kind
    holder: int
    """The replica that carries it out."""
    created_at: int


def add(conn: Connection, lane: str, turn_id: str, kind: Kind, holder: int, now: int) -> None:
    """Add an order for the replica with the number ``holder``, and wake it."""
    conn.execute(
        "INSERT INTO turn_orders (lane, turn_id, kind, holder, created_at) VALUES (?, ?, ?, ?, ?)",
        (lane, turn_id, kind, holder, now),
    )
    signal(conn, "orders")


def has_any(conn: Connection, holder: int) -> bool:
    """Return whether there is an order for a replica."""
    return conn.execute("SELECT 1 FROM turn_orders WHERE holder = ? LIMIT 1", (holder,)).fetchone() is not None


def take(conn: Connection, holder: int) -> Sequence[TurnOrder]:
    """Delete the orders for a replica, and return them, oldest first."""
    cursor = conn.execute("DELETE FROM turn_orders WHERE holder = ? RETURNING *", (holder,))
    return sorted(read_all(TurnOrder, cursor), key=lambda order: order.id)


def forget(conn: Connection, holder: int) -> None:
    """Delete the orders for a replica that is gone."""
    conn.execute("DELETE FROM turn_orders WHERE holder = ?", (holder,))
