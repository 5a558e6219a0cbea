"""Signals: what the commit of a unit of work tells the running program.

A function of the table modules that makes work for a loop of the program gives a signal on the connection. Listeners
are called once the unit is committed; a rollback discards the signals.
"""

import sqlite3
from typing import Literal, get_args

from tgllm.db.engine.unit import Connection

__all__ = [
    "ALL_SIGNALS",
    "NO_SIGNALS",
    "WAKING",
    "KeepsSignals",
    "Signal",
    "SignalConnection",
    "signal",
    "take_signals",
]

Signal = Literal["approvals", "budgets", "inbox", "jobs", "leader", "menus", "orders", "outbox", "sent"]
"""``approvals``: a call of a tool was decided. ``budgets``: a reservation was released. ``inbox``: updates may be
waiting to be claimed. ``jobs``: a job of a plugin may be due earlier. ``leader``: no process leads. ``menus``: a user's
menu of commands may have changed. ``orders``: another process should stop a turn. ``outbox``: a row of the outbox may
be ready to be sent. ``sent``: a message was sent, for whose id another process may wait."""

ALL_SIGNALS: frozenset[Signal] = frozenset(get_args(Signal))

WAKING: tuple[Signal, ...] = ("approvals", "budgets", "jobs", "orders")
"""Signals that a write of another process may stand for, besides those to which the runtime reacts itself."""

NO_SIGNALS: frozenset[Signal] = frozenset()


class KeepsSignals:
    """Base of connections that keep the signals of their transaction."""

    signals: frozenset[Signal] = NO_SIGNALS


class SignalConnection(KeepsSignals, sqlite3.Connection):
    """A connection of SQLite that keeps them."""


def signal(conn: Connection, what: Signal) -> None:
    """Call the listeners of ``what`` when the transaction is committed."""
    if isinstance(conn, KeepsSignals):
        conn.signals = conn.signals.union((what,))


def take_signals(conn: Connection) -> frozenset[Signal]:
    """Return the signals given since the last call, and forget them."""
    if not isinstance(conn, KeepsSignals):
        return NO_SIGNALS
    taken, conn.signals = conn.signals, NO_SIGNALS
    return taken
