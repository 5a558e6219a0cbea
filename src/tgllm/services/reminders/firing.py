"""Sends the reminders that are due, and starts the turns of prompts, in one transaction with their next times.

What a crash costs: nothing while a reminder waits in the table. One that is due leaves the table, or gets its next
time, in the transaction that adds its message to the outbox or its question to the inbox. So a crash before the commit
repeats all of it, and a crash after it nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, time, tzinfo
from typing import Any

from tgllm.api import UserInfo
from tgllm.config.sections.reminders import RemindersSection
from tgllm.db.engine.unit import Connection
from tgllm.db.tables import outbox
from tgllm.db.tables.outbox import NewOutbox
from tgllm.db.tables.plugins import unreachable
from tgllm.db.tables.reminders import store
from tgllm.db.tables.reminders.store import Reminder
from tgllm.i18n import Catalogue
from tgllm.services.common.lane import Lane
from tgllm.services.messaging.rows import message_row
from tgllm.services.people.standing import find_person, may_talk
from tgllm.services.reminders.rules import next_time, zone_named
from tgllm.services.reminders.words import moment_in_words

__all__ = ["Fired", "Firing", "first_time", "move_to_zone"]

MOST_AT_ONCE = 50
"""Reminders of one transaction."""
LATE_MS = 2 * 60 * 1000
"""Lateness from which on a reminder says when it was due."""
_HOUR_MS = 3_600_000

AskLater = Callable[[Connection, Reminder, UserInfo, int], bool]
"""Queues the question of a prompt, asked by a person at a time in UTC milliseconds; False if its chat takes none."""


@dataclass(frozen=True, slots=True)
class Fired:
    """Result of a transaction."""

    sent: int = 0
    asked: int = 0


@dataclass(frozen=True, slots=True)
class Firing:
    """Sends reminders and asks prompts."""

    texts: Catalogue
    usual_zone: str
    """Time zone of people who have chosen none."""
    limits: RemindersSection
    ask: AskLater

    def fire(self, conn: Connection, now: int) -> Fired:
        """Send and ask what is due.

        Args:
            conn: an open write transaction.
            now: UTC in milliseconds.
        """
        found = store.due(conn, now, MOST_AT_ONCE)
        ended = [self._one(conn, each, now) for each in found]
        return Fired(ended.count("sent"), ended.count("asked"))

    def _one(self, conn: Connection, reminder: Reminder, now: int) -> str:
        lane, person = Lane.parse(reminder.lane), find_person(conn, reminder.user_id, now)
        if person is None or not may_talk(conn, person.id, lane.access_id, now):
            # It stays in the list, for the case that the person gets access again.
            store.set_paused(conn, reminder.id, paused=True)
            return "paused"
        if unreachable.is_unreachable(conn, lane.chat_id):
            # No model is paid for an answer that can't be sent. A rule goes on when the bot may write there again.
            if reminder.days:
                self._put_on(conn, reminder, person, now)
            else:
                store.set_paused(conn, reminder.id, paused=True)
            return "left out"
        self._put_on(conn, reminder, person, now)
        # The worker is always a little late, also where no lateness is allowed.
        is_old = now - reminder.due_at > max(self.limits.late_hours * _HOUR_MS, LATE_MS)
        if reminder.days and is_old:
            return "left out"
        if not reminder.is_prompt:
            outbox.add(conn, [self._row("reminder", reminder, person, lane, now)], now)
            return "sent"
        asks = not is_old and self.ask(conn, reminder, person, now)
        outbox.add(conn, [self._row("asked" if asks else "not_asked", reminder, person, lane, now)], now)
        return "asked" if asks else "sent"

    def _put_on(self, conn: Connection, reminder: Reminder, person: UserInfo, now: int) -> None:
        """Set the next time, or delete a reminder that came for the only time."""
        if reminder.minute is None:
            store.delete(conn, reminder.id)
        else:
            zone = zone_named(person.timezone, self.usual_zone)
            store.advance(conn, reminder.id, first_time(reminder.days, reminder.minute, now, zone))

    def _row(self, key: str, reminder: Reminder, person: UserInfo, lane: Lane, now: int) -> NewOutbox:
        language = person.language
        # In a group a mention notifies the person, also one without a username.
        name = "" if lane.chat_id > 0 else f"{person.name}: "
        head = self.texts(f"reminders.{key}", language)
        text = f"{head} {name}{reminder.text}"
        if now - reminder.due_at > LATE_MS:
            zone = zone_named(person.timezone, self.usual_zone)
            at = moment_in_words(self.texts, reminder.due_at, zone, language)
            text += f"\n\n{self.texts('reminders.late', language, time=at)}"
        mention: list[dict[str, Any]] = [
            {
                "type": "text_mention",
                "offset": _utf16(head) + 1,
                "length": _utf16(person.name),
                "user": {"id": person.id, "is_bot": False, "first_name": person.name},
            }
        ]
        return message_row(lane, text, {"entities": mention} if name and person.name else None)


def _utf16(text: str) -> int:
    """Return the length that entities count. Bot API: MessageEntity."""
    return len(text.encode("utf-16-le", errors="replace")) // 2


def first_time(days: int, minute: int, now: int, zone: tzinfo) -> int:
    """Return the first time of a rule after now; both in UTC milliseconds."""
    after = datetime.fromtimestamp(now / 1000, zone)
    return int(next_time(days, time(minute // 60, minute % 60), after).timestamp() * 1000)


def move_to_zone(conn: Connection, user_id: int, zone: tzinfo, now: int) -> None:
    """Compute the next times of a person's rules anew, who has chosen another time zone."""
    for reminder in store.of_person(conn, user_id):
        if reminder.minute is not None:
            store.advance(conn, reminder.id, first_time(reminder.days, reminder.minute, now, zone))
