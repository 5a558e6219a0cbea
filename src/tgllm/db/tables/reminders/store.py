"""Table ``reminders``: texts to send, and questions to ask, at a time or by a rule of times.

A single one is deleted in the transaction that sends it, and one with a rule gets its next time there, so that each
time comes once.
"""

from dataclasses import dataclass, field
from typing import Literal

from tgllm.db.engine.rows import BOOL, clean, read_all, read_one
from tgllm.db.engine.signals import signal
from tgllm.db.engine.unit import Connection

__all__ = [
    "Kind",
    "NewReminder",
    "Reminder",
    "add",
    "advance",
    "count",
    "delete",
    "due",
    "forget",
    "get",
    "in_lane",
    "next_at",
    "of_person",
    "set_paused",
]

Kind = Literal["text", "prompt"]
"""``text``: it is sent to the chat. ``prompt``: the model is asked it, as if the person had written it there."""


@dataclass(frozen=True, slots=True)
class NewReminder:
    """A reminder to store."""

    user_id: int
    lane: str
    message_id: int
    """Telegram's id of the message with which it was set; 0 if it is unknown."""
    kind: Kind
    text: str
    due_at: int
    days: int = 0
    """Days of the week as bits, the lowest one is Monday; 0: once."""
    minute: int | None = None
    """Minute of the person's day; None for once."""


@dataclass(frozen=True, slots=True)
class Reminder:
    """A stored reminder; the fields are the columns of the table ``reminders``."""

    id: int
    user_id: int
    lane: str
    message_id: int
    kind: Kind
    text: str
    days: int
    minute: int | None
    due_at: int
    paused: bool = field(metadata=BOOL)
    created_at: int

    @property
    def is_prompt(self) -> bool:
        """Whether the model is asked its text."""
        return self.kind == "prompt"


def add(conn: Connection, new: NewReminder, now: int) -> int:
    """Store a reminder, and return its id."""
    cursor = conn.execute(
        "INSERT INTO reminders (user_id, lane, message_id, kind, text, days, minute, due_at, created_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id",
        (
            new.user_id,
            new.lane,
            new.message_id,
            new.kind,
            clean(new.text),
            new.days,
            new.minute,
            new.due_at,
            now,
        ),
    )
    (found,) = cursor.fetchall()
    signal(conn, "jobs")
    return int(found[0])


def get(conn: Connection, reminder_id: int) -> Reminder | None:
    """Return a reminder; None if there is none."""
    return read_one(Reminder, conn.execute("SELECT * FROM reminders WHERE id = ?", (reminder_id,)))


def of_person(conn: Connection, user_id: int) -> list[Reminder]:
    """Return the reminders of a person in all chats, by time."""
    return read_all(Reminder, conn.execute("SELECT * FROM reminders WHERE user_id = ? ORDER BY due_at, id", (user_id,)))


def in_lane(conn: Connection, lane: str) -> list[Reminder]:
    """Return the reminders of all people in a lane, by time."""
    return read_all(Reminder, conn.execute("SELECT * FROM reminders WHERE lane = ? ORDER BY due_at, id", (lane,)))


def count(conn: Connection, user_id: int, kind: Kind) -> int:
    """Return the number of a person's reminders of a kind."""
    row = conn.execute("SELECT count(*) FROM reminders WHERE user_id = ? AND kind = ?", (user_id, kind)).fetchone()
    return int(row[0])


def due(conn: Connection, now: int, limit: int) -> list[Reminder]:
    """Return reminders whose time has come, the earliest first; without paused ones."""
    cursor = conn.execute(
        "SELECT * FROM reminders WHERE paused = 0 AND due_at <= ? ORDER BY due_at, id LIMIT ?", (now, limit)
    )
    return read_all(Reminder, cursor)


def next_at(conn: Connection) -> int | None:
    """Return when the first reminder is due, in UTC milliseconds; None for none."""
    row = conn.execute("SELECT min(due_at) FROM reminders WHERE paused = 0").fetchone()
    return None if row[0] is None else int(row[0])


def advance(conn: Connection, reminder_id: int, due_at: int) -> None:
    """Set the next time of a reminder."""
    conn.execute("UPDATE reminders SET due_at = ? WHERE id = ?", (due_at, reminder_id))
    signal(conn, "jobs")


def set_paused(conn: Connection, reminder_id: int, *, paused: bool) -> None:
    """Pause a reminder, or go on with it."""
    conn.execute("UPDATE reminders SET paused = ? WHERE id = ?", (paused, reminder_id))
    signal(conn, "jobs")


def delete(conn: Connection, reminder_id: int) -> bool:
    """Delete a reminder; return False if there is none."""
    return conn.execute("DELETE FROM reminders WHERE id = ?", (reminder_id,)).rowcount == 1


def forget(conn: Connection, user_id: int) -> None:
    """Delete the reminders of a person in all chats."""
    conn.execute("DELETE FROM reminders WHERE user_id = ?", (user_id,))
