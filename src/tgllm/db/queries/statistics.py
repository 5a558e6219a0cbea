"""Statistics over all people: access, usage by day and model, failures, and response times."""

from dataclasses import dataclass

from tgllm.db.engine.rows import read_all
from tgllm.db.engine.unit import Connection
from tgllm.db.tables.usage import NO_USER, ModelTotal, Total
from tgllm.db.tables.users import Status

__all__ = [
    "Answered",
    "DayTotal",
    "Failed",
    "active_people",
    "answered",
    "by_day",
    "by_model",
    "failed",
    "known_people",
    "people",
]


@dataclass(frozen=True, slots=True)
class DayTotal(Total):
    """Usage of all people on one day."""

    day: str
    """``YYYY-MM-DD`` in the bot's time zone."""


@dataclass(frozen=True, slots=True)
class Failed:
    """Number of failed calls of a model for one person."""

    user_id: int | None
    provider: str
    model: str
    count: int


@dataclass(frozen=True, slots=True)
class Answered:
    """Response time of a complete answer."""

    user_id: int | None
    provider: str
    model: str
    latency_ms: int


def people(conn: Connection) -> dict[Status, int]:
    """Return the number of people by status, without zeros. Only people who have asked count as pending."""
    cursor = conn.execute(
        "SELECT status, count(*) FROM users WHERE status <> 'pending' OR requested_at IS NOT NULL GROUP BY status"
    )
    return {row[0]: row[1] for row in cursor}


def known_people(conn: Connection) -> int:
    """Return the number of known people."""
    return int(conn.execute("SELECT count(*) FROM users").fetchone()[0])


def active_people(conn: Connection, since: str) -> int:
    """Return how many people have used a model since the day ``since``, inclusive."""
    cursor = conn.execute("SELECT count(DISTINCT user_id) FROM usage WHERE day >= ? AND user_id <> ?", (since, NO_USER))
    return int(cursor.fetchone()[0])


def by_day(conn: Connection, since: str) -> list[DayTotal]:
    """Return the usage of each day since ``since``, oldest first; days without usage are left out."""
    cursor = conn.execute(
        "SELECT day, sum(requests) AS requests, sum(input_tokens) AS input_tokens,"
        " sum(output_tokens) AS output_tokens, sum(cost_micros) AS cost_micros,"
        " sum(unpriced_requests) AS unpriced_requests FROM usage WHERE day >= ? GROUP BY day ORDER BY day",
        (since,),
    )
    return read_all(DayTotal, cursor)


def by_model(conn: Connection, since: str) -> list[ModelTotal]:
    """Return the usage of each model since the day ``since``, most expensive first."""
    cursor = conn.execute(
        "SELECT provider, model, sum(requests) AS requests, sum(input_tokens) AS input_tokens,"
        " sum(output_tokens) AS output_tokens, sum(cost_micros) AS cost_micros,"
        " sum(unpriced_requests) AS unpriced_requests FROM usage WHERE day >= ? GROUP BY provider, model"
        " ORDER BY sum(cost_micros) DESC, sum(requests) DESC, provider, model",
        (since,),
    )
    return read_all(ModelTotal, cursor)


def failed(conn: Connection, since: int) -> list[Failed]:
    """Return the failed or interrupted model calls since a time (UTC, milliseconds), by person and model."""
    cursor = conn.execute(
        "SELECT user_id, provider, model, count(*) AS count FROM requests"
        " WHERE status IN ('failed', 'interrupted') AND created_at >= ? GROUP BY user_id, provider, model",
        (since,),
    )
    return read_all(Failed, cursor)


_ANSWERED = """
    SELECT user_id, provider, model, latency_ms
    FROM (SELECT * FROM requests ORDER BY id DESC LIMIT :latest)
    WHERE status = 'ok' AND created_at >= :since AND latency_ms IS NOT NULL ORDER BY latency_ms
"""


def answered(conn: Connection, since: int, latest: int) -> list[Answered]:
    """Return the complete answers since a time among the ``latest`` calls, fastest first."""
    return read_all(Answered, conn.execute(_ANSWERED, {"since": since, "latest": latest}))
