"""Sets reminders: what may be set, and by whom they may be changed."""

from datetime import datetime, timedelta, tzinfo

from tgllm.api import TgllmError, UserInfo
from tgllm.config.sections.reminders import RemindersSection
from tgllm.db.engine.unit import Connection
from tgllm.db.tables.reminders import store
from tgllm.db.tables.reminders.store import Kind, Reminder
from tgllm.services.reminders.reading import Wanted, read_reminder

__all__ = ["MOST_LENGTH", "ReminderRefused", "check_room", "is_theirs", "wanted_by"]

MOST_LENGTH = 1_000
"""Most characters of a text."""


class ReminderRefused(TgllmError):
    """The reminder can't be set."""

    default_code = "reminder_unclear"


def wanted_by(words: str, reply: str, now: float, zone: tzinfo, limits: RemindersSection) -> Wanted:
    """Read what a person has written.

    Args:
        words: the text of the command.
        reply: text of the message that it replies to, for a command without a text of its own.
        now: when the person sent it, in seconds since 1970.
        zone: the person's time zone.
        limits: the settings.

    Raises:
        ReminderRefused: there is no time in it or no text, or the time is over or too far away.
    """
    try:
        wanted = read_reminder(words, now, zone)
        if wanted is None:
            raise ReminderRefused("the words begin with no time")
        latest = datetime.fromtimestamp(now, zone) + timedelta(days=limits.days_ahead)
    except (OverflowError, ValueError):
        raise _too_far(limits) from None
    text = wanted.text or reply.strip()
    if not text:
        raise ReminderRefused("there is no text behind the time", code="reminder_without_text")
    if len(text) > MOST_LENGTH:
        raise ReminderRefused("the text is too long", code="reminder_too_long", count=MOST_LENGTH)
    if wanted.is_prompt and text.startswith("/"):
        raise ReminderRefused("a command can't be scheduled", code="reminder_command")
    if wanted.due.timestamp() <= now:
        raise ReminderRefused("the time is over", code="reminder_past")
    if wanted.due.timestamp() > latest.timestamp():
        raise _too_far(limits)
    return Wanted(wanted.due, text, wanted.is_prompt, wanted.days, wanted.clock)


def check_room(conn: Connection, user_id: int, kind: Kind, limits: RemindersSection) -> None:
    """Check whether a person may have one more.

    Raises:
        ReminderRefused: they have as many as they may have, or the bot has none of this kind.
    """
    most = limits.prompts_per_person if kind == "prompt" else limits.per_person
    if not most:
        raise ReminderRefused("turned off", code="prompts_off" if kind == "prompt" else "reminders_off")
    if store.count(conn, user_id, kind) >= most:
        code = "prompts_full" if kind == "prompt" else "reminders_full"
        raise ReminderRefused("the person has as many as they may have", code=code, count=most)


def is_theirs(reminder: Reminder, user: UserInfo) -> bool:
    """Return whether a person may pause or delete a reminder: their own, and as an admin all."""
    return reminder.user_id == user.id or user.is_admin


def _too_far(limits: RemindersSection) -> ReminderRefused:
    return ReminderRefused("the time is too far away", code="reminder_too_far", count=limits.days_ahead)
