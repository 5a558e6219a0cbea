"""Lengths of the queues: updates to handle and Bot API calls to make."""

from dataclasses import dataclass

from tgllm.db.engine.unit import Connection

__all__ = ["Queues", "queues"]


@dataclass(frozen=True, slots=True)
class Queues:
    """Numbers of what is not finished; control updates that run are left out."""

    queued: int
    running: int
    """Also the number of lanes with running updates: there is one in each."""
    waiting_lanes: int
    oldest: int | None
    """When the oldest queued update was received, UTC in milliseconds; None if none is queued."""
    ready: int
    sending: int
    uncertain: int


# Each part uses a partial index, which holds only what is not finished.
_QUEUED = """
    SELECT count(*), count(DISTINCT lane), min(received_at) FROM (
        SELECT lane, received_at FROM inbox WHERE state = 'queued' AND control = 0
        UNION ALL SELECT lane, received_at FROM inbox WHERE state = 'queued' AND control = 1)
"""
_COUNTS = """
    SELECT (SELECT count(*) FROM inbox WHERE state = 'running' AND control = 0),
           (SELECT count(*) FROM outbox WHERE state = 'ready'),
           (SELECT count(*) FROM outbox WHERE state = 'sending'),
           (SELECT count(*) FROM outbox WHERE state = 'uncertain')
"""


def queues(conn: Connection) -> Queues:
    """Return the lengths of the queues."""
    queued, lanes, oldest = conn.execute(_QUEUED).fetchone()
    running, ready, sending, uncertain = conn.execute(_COUNTS).fetchone()
    return Queues(queued, running, lanes, oldest, ready, sending, uncertain)
