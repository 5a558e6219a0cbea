"""Answers and replies that have not been sent yet, for a person who stops them."""

from tgllm.api.types import JsonObject
from tgllm.db.engine.rows import dumps, read_all
from tgllm.db.engine.signals import signal
from tgllm.db.engine.unit import Connection
from tgllm.db.tables.outbox import OutboxRow

__all__ = ["replace_unsent", "stop_after_this", "unsent_in"]

# Turn ids of updates; those of invite links and of cards for admins are others.
_OF_UPDATES = "turn_id GLOB 'u[-0-9]*'"
_READY = f"SELECT * FROM outbox WHERE lane = :lane AND state = 'ready' AND {_OF_UPDATES} ORDER BY id"  # noqa: S608 (constants)
_SENDING = f"SELECT * FROM outbox WHERE lane = :lane AND state = 'sending' AND {_OF_UPDATES}"  # noqa: S608 (constants)


def unsent_in(conn: Connection, lane: str) -> tuple[list[OutboxRow], list[OutboxRow]]:
    """Return the rows of answers and long replies in a lane: those that wait, in order, and those being sent."""
    values = {"lane": lane}
    waiting = read_all(OutboxRow, conn.execute(_READY, values))
    return waiting, read_all(OutboxRow, conn.execute(_SENDING, values))


def replace_unsent(conn: Connection, row_id: int, payload: JsonObject) -> None:
    """Replace the parameters of a waiting row, which is due at once, so that nothing behind it waits."""
    conn.execute(
        "UPDATE outbox SET payload = ?, not_before = 0 WHERE id = ? AND state = 'ready'", (dumps(payload), row_id)
    )
    signal(conn, "outbox")


def stop_after_this(conn: Connection, row_id: int) -> None:
    """Drop what a row being sent would send after its present message, and its retries."""
    # See ``outbox.drop_erased``.
    conn.execute("UPDATE outbox SET payload = '{}' WHERE id = ? AND state = 'sending'", (row_id,))
