"""Reminders in words: when they come."""

from datetime import datetime, tzinfo

from tgllm.db.tables.reminders.store import Reminder
from tgllm.i18n import Catalogue
from tgllm.services.reminders.rules import EVERY_DAY, WEEKDAYS, WEEKEND, days_in

__all__ = ["moment_in_words", "rule_in_words", "when_in_words"]

_SETS = {EVERY_DAY: "every_day", WEEKDAYS: "on_weekdays", WEEKEND: "on_weekends"}


def moment_in_words(texts: Catalogue, due_at: int, zone: tzinfo, language: str) -> str:
    """Return a time, in UTC milliseconds, with its weekday in a zone."""
    at = datetime.fromtimestamp(due_at / 1000, zone)
    return f"{texts(f'reminders.day_{at.weekday()}', language)} {at:%Y-%m-%d %H:%M}"


def rule_in_words(texts: Catalogue, days: int, minute: int, language: str) -> str:
    """Return a rule, such as ``every day at 09:00``."""
    time = f"{minute // 60:02}:{minute % 60:02}"
    if days in _SETS:
        return texts(f"reminders.{_SETS[days]}", language, time=time)
    names = ", ".join(texts(f"reminders.day_{day}", language) for day in days_in(days))
    return texts("reminders.on_days", language, days=names, time=time)


def when_in_words(texts: Catalogue, reminder: Reminder, zone: tzinfo, language: str) -> str:
    """Return when a reminder comes: its rule, or its only time."""
    if reminder.minute is not None:
        return rule_in_words(texts, reminder.days, reminder.minute, language)
    return moment_in_words(texts, reminder.due_at, zone, language)
