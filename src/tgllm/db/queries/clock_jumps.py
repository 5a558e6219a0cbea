"""Stored times of what is under way, after the system's clock was set."""

from tgllm.db.engine.unit import Connection

__all__ = ["bring_forward", "shift"]


def shift(conn: Connection, milliseconds: int, before: int) -> None:
    """Shift the times of waiting updates and of calls that were put off, so that their age and their pause stay true.

    Args:
        conn: an open write transaction.
        milliseconds: how far the clock was set forward; negative if it was set back.
        before: the time before that, UTC in milliseconds.
    """
    conn.execute(
        "UPDATE inbox SET received_at = max(0, received_at + ?) WHERE state IN ('queued', 'running')", (milliseconds,)
    )
    # 0 means at once, and what was due is due in any case.
    conn.execute(
        "UPDATE outbox SET not_before = max(1, not_before + ?) WHERE state = 'ready' AND not_before > ?",
        (milliseconds, before),
    )


def bring_forward(conn: Connection, latest: int, now: int) -> int:
    """Let calls that were put off beyond ``latest`` be due ``now``, and return their number.

    No pause is that long: the clock was wrong when it began. Times are UTC in milliseconds.
    """
    return conn.execute(
        "UPDATE outbox SET not_before = ? WHERE state = 'ready' AND not_before > ?", (now, latest)
    ).rowcount
