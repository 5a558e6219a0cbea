"""Table ``usage``: usage by user, day, group and model, for budgets and reports."""

from dataclasses import dataclass
from typing import Final

from tgllm.db.engine.rows import read, read_all
from tgllm.db.engine.unit import Connection

__all__ = [
    "EVER",
    "NEVER",
    "NO_GROUP",
    "NO_USER",
    "ModelTotal",
    "Spent",
    "Total",
    "Used",
    "UserTotal",
    "add",
    "by_model",
    "by_user",
    "total",
    "used",
]

NO_USER: Final = 0
"""User id of calls without a Telegram user, such as a question from the shell."""
NO_GROUP: Final = 0
"""Group id of calls outside of groups."""
EVER: Final = ""
"""Sorts before every day: totals since then include everything."""
NEVER: Final = "~"
"""Sorts after every day."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """Usage of one call of a model."""

    input_tokens: int | None = None
    """None if the provider does not report it; counted as 0."""
    output_tokens: int | None = None
    cost_micros: int | None = None
    """Millionths of a US dollar; None if the price is unknown, which is counted in ``unpriced_requests``."""


@dataclass(frozen=True, slots=True)
class Total:
    """Total usage."""

    requests: int
    input_tokens: int
    output_tokens: int
    cost_micros: int
    """Millionths of a US dollar, without the unpriced requests."""
    unpriced_requests: int


@dataclass(frozen=True, slots=True)
class Used:
    """Usage that budgets limit: of the current month and of the current day."""

    month_requests: int
    month_tokens: int
    """Input and output tokens."""
    month_cost: int
    """Millionths of a US dollar."""
    day_requests: int
    day_tokens: int
    day_cost: int


@dataclass(frozen=True, slots=True)
class UserTotal(Total):
    """Total usage of one user."""

    user_id: int


@dataclass(frozen=True, slots=True)
class ModelTotal(Total):
    """Total usage of one model."""

    provider: str
    model: str


_ADD = """
    INSERT INTO usage (user_id, group_id, day, provider, model, requests, input_tokens, output_tokens, cost_micros,
                       unpriced_requests)
    VALUES (?, ?, ?, ?, ?, 1, ?, ?, ?, ?)
    ON CONFLICT (user_id, day, group_id, provider, model) DO UPDATE
    SET requests = usage.requests + 1, input_tokens = usage.input_tokens + excluded.input_tokens,
        output_tokens = usage.output_tokens + excluded.output_tokens,
        cost_micros = usage.cost_micros + excluded.cost_micros,
        unpriced_requests = usage.unpriced_requests + excluded.unpriced_requests
"""


def add(
    conn: Connection,
    user_id: int | None,
    day: str,
    provider: str,
    model: str,
    spent: Spent,
    *,
    group_id: int = NO_GROUP,
) -> None:
    """Add one call of a model.

    Args:
        conn: an open write transaction.
        user_id: the user who asked; None is ``NO_USER``.
        day: ``YYYY-MM-DD`` in the bot's time zone.
        provider: id of the provider.
        model: id of the model.
        spent: usage of the call.
        group_id: the group in which the user asked.
    """
    values = (
        NO_USER if user_id is None else user_id,
        group_id,
        day,
        provider,
        model,
        spent.input_tokens or 0,
        spent.output_tokens or 0,
        spent.cost_micros or 0,
        spent.cost_micros is None,
    )
    conn.execute(_ADD, values)


_SUMS = """
    coalesce(sum(requests), 0) AS requests, coalesce(sum(input_tokens), 0) AS input_tokens,
    coalesce(sum(output_tokens), 0) AS output_tokens, coalesce(sum(cost_micros), 0) AS cost_micros,
    coalesce(sum(unpriced_requests), 0) AS unpriced_requests
"""
_TOTAL = f"SELECT {_SUMS} FROM usage WHERE day >= :since AND (:user_id IS NULL OR user_id = :user_id)"  # noqa: S608 (constants)
_BY_USER = f"SELECT user_id, {_SUMS} FROM usage WHERE day >= ? GROUP BY user_id ORDER BY cost_micros DESC, user_id"  # noqa: S608 (constants)
_BY_MODEL = f"""
    SELECT provider, model, {_SUMS} FROM usage WHERE day >= ? AND user_id = ? GROUP BY provider, model
    ORDER BY cost_micros DESC, requests DESC, provider, model
"""  # noqa: S608 (constants)


def total(conn: Connection, since: str, user_id: int | None = None) -> Total:
    """Return the usage since the day ``since``, inclusive, of one user or of all."""
    return read(Total, conn.execute(_TOTAL, {"since": since, "user_id": user_id}).fetchone())


def by_user(conn: Connection, since: str) -> list[UserTotal]:
    """Return the usage of each user since the day ``since``, most expensive first."""
    return read_all(UserTotal, conn.execute(_BY_USER, (since,)))


def by_model(conn: Connection, since: str, user_id: int) -> list[ModelTotal]:
    """Return one user's usage of each model since the day ``since``, most expensive first."""
    return read_all(ModelTotal, conn.execute(_BY_MODEL, (since, user_id)))


_TOKENS = "input_tokens + output_tokens"
_USED = f"""
    SELECT coalesce(sum(requests), 0) AS month_requests, coalesce(sum({_TOKENS}), 0) AS month_tokens,
           coalesce(sum(cost_micros), 0) AS month_cost,
           coalesce(sum(requests) FILTER (WHERE day >= :today), 0) AS day_requests,
           coalesce(sum({_TOKENS}) FILTER (WHERE day >= :today), 0) AS day_tokens,
           coalesce(sum(cost_micros) FILTER (WHERE day >= :today), 0) AS day_cost
    FROM usage WHERE day >= :since AND day < :before
"""  # noqa: S608 (constants)
_USED_BY_USER = f"{_USED} AND user_id = :user_id"
_USED_IN_PRIVATE = f"{_USED_BY_USER} AND group_id = {NO_GROUP}"
_USED_IN_GROUP = f"{_USED} AND group_id = :group_id AND group_id <> {NO_GROUP}"


def used(
    conn: Connection,
    since: str,
    today: str,
    *,
    user_id: int | None = None,
    group_id: int | None = None,
    private_only: bool = False,
    before: str = NEVER,
) -> Used:
    """Return the usage of a month and of a day: of one user, of one group, or of all.

    Args:
        conn: an open connection.
        since: the first day of the month; a later day if the month's totals are not needed.
        today: the current day.
        user_id: usage of this user only.
        group_id: usage in this group only, of all users.
        private_only: with ``user_id``, excludes the user's usage in groups.
        before: end of the month's totals, exclusive.
    """
    values = {"since": since, "today": today, "before": before, "user_id": user_id, "group_id": group_id}
    if user_id is not None:
        return read(Used, conn.execute(_USED_IN_PRIVATE if private_only else _USED_BY_USER, values).fetchone())
    return read(Used, conn.execute(_USED if group_id is None else _USED_IN_GROUP, values).fetchone())


def prune(conn: Connection, before: str, limit: int) -> int:
    """Delete up to ``limit`` totals of days before the day ``before``; return how many."""
    cursor = conn.execute(
        "DELETE FROM usage WHERE rowid IN (SELECT rowid FROM usage WHERE day < ? ORDER BY day LIMIT ?)", (before, limit)
    )
    return cursor.rowcount
