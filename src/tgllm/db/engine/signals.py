"""Signals: what the commit of a unit of work tells the running program.

A function of the table modules that makes work for a loop of the program gives a signal on the connection. Listeners
are called once the unit is committed; a rollback discards the signals.
"""

import sqlite3
from typing import Literal

__all__ = ["NO_SIGNALS", "Signal", "SignalConnection", "signal", "take_signals"]

Signal = Literal["jobs", "menus", "outbox"]
"""``jobs``: a job of a plugin may be due earlier. ``menus``: a user's menu of commands may have changed. ``outbox``: a
row of the outbox may be ready to be sent."""

NO_SIGNALS: frozenset[Signal] = frozenset()


class SignalConnection(sqlite3.Connection):
    """A connection that keeps the signals of its transaction."""

    signals: frozenset[Signal] = NO_SIGNALS


def signal(conn: sqlite3.Connection, what: Signal) -> None:
    """Call the listeners of ``what`` when the transaction is committed."""
    if isinstance(conn, SignalConnection):
        conn.signals = conn.signals.union((what,))


def take_signals(conn: sqlite3.Connection) -> frozenset[Signal]:
    """Return the signals given since the last call, and forget them."""
    if not isinstance(conn, SignalConnection):
        return NO_SIGNALS
    taken, conn.signals = conn.signals, NO_SIGNALS
    return taken
