"""Table ``budget_reservations``: what the running turns of all replicas may still use of budgets.

Empty where there is one process only, which has them in memory. The rows of a replica go with it.
"""

from collections.abc import Collection, Iterable, Mapping

from tgllm.db.engine.rows import dumps
from tgllm.db.engine.signals import signal
from tgllm.db.engine.unit import Connection

__all__ = ["add", "forget", "release", "sums"]


def add(conn: Connection, turn_id: str, amounts: Mapping[str, int], holder: int, now: int) -> None:
    """Add a reservation, by the keys of budgets.

    Args:
        conn: a write transaction.
        turn_id: id of the reservation, which begins with that of its turn.
        amounts: the amounts by the keys of budgets.
        holder: number of the replica.
        now: UTC in milliseconds.
    """
    conn.executemany(
        "INSERT INTO budget_reservations (turn_id, key, holder, amount, created_at) VALUES (?, ?, ?, ?, ?)",
        [(turn_id, key, holder, amount, now) for key, amount in amounts.items()],
    )


def sums(conn: Connection, keys: Collection[str]) -> Mapping[str, int]:
    """Return the sums of all reservations of these budgets; those without any are left out."""
    cursor = conn.execute(
        "SELECT key, sum(amount) FROM budget_reservations WHERE key IN (SELECT value FROM json_each(?)) GROUP BY key",
        (dumps([*keys]),),
    )
    return {str(key): int(amount) for key, amount in cursor}


def release(conn: Connection, turn_ids: Iterable[str]) -> None:
    """Remove reservations, and wake the turns that wait for the rest of a budget."""
    conn.executemany("DELETE FROM budget_reservations WHERE turn_id = ?", [(each,) for each in turn_ids])
    signal(conn, "budgets")


def forget(conn: Connection, holder: int) -> None:
    """Remove the reservations of a replica that is gone."""
    conn.execute("DELETE FROM budget_reservations WHERE holder = ?", (holder,))
    signal(conn, "budgets")
