"""Messages with their buttons, in the language and the time zone of their reader."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

from tgllm.api import Button, Reply, UserInfo
from tgllm_remind.reminders import Context, Reminder

__all__ = ["Writer", "writer_for"]

_SHOWN = 8
"""Reminders in a list; Telegram shows eight buttons in a row."""


async def writer_for(ctx: Context, user: UserInfo) -> "Writer":
    """Return the writer of messages to a person."""
    return Writer(ctx, user, await ctx.people.timezone(user))


@dataclass(frozen=True, slots=True)
class Writer:
    """Writes messages to one person."""

    ctx: Context
    user: UserInfo
    zone: tzinfo

    def say(self, key: str, **params: object) -> str:
        """Return one of the plugin's texts."""
        return self.ctx.texts(f"remind.{key}", self.user.language, **params)

    def when(self, due: float) -> str:
        """Return a time in words."""
        moment, now = (datetime.fromtimestamp(each, self.zone) for each in (due, self.ctx.clock.now()))
        days = (moment.date() - now.date()) // timedelta(days=1)
        name = {0: "today", 1: "tomorrow"}.get(days, "later")
        return self.say(f"when.{name}", time=f"{moment:%H:%M}", date=f"{moment:%Y-%m-%d}")

    def with_cancel(self, key: str, reminder: Reminder) -> Reply:
        """Return a text about a reminder to come, with a button to cancel it."""
        text = self.say(key, when=self.when(reminder.due), text=reminder.text)
        return Reply(text, buttons=[[Button(self.say("button.cancel"), "cancel", reminder.id)]])

    def due(self, reminder: Reminder, *, is_late: bool) -> Reply:
        """Return the reminder itself, with buttons to put it off."""
        name = f"@{self.user.username}" if self.user.username else self.user.name
        text = self.say("due" if reminder.chat.is_private else "due_in_group", text=reminder.text, name=name)
        if is_late:
            text += f"\n\n{self.say('late', when=self.when(reminder.due))}"
        spans = [(self._span(minutes), f"{minutes}m") for minutes in self.ctx.settings.snooze_minutes]
        spans.append((self.say("button.tomorrow"), "1d"))
        snooze = [Button(label, "snooze", {"span": span, "text": reminder.text}) for label, span in spans]
        return Reply(text, buttons=[snooze, [Button(self.say("button.done"), "done", reminder.text)]])

    def listing(self, reminders: Sequence[Reminder], empty: str) -> Reply:
        """Return the list of reminders with buttons to cancel them; without any, the text with the key ``empty``."""
        if not reminders:
            return Reply(self.say(empty))
        shown = list(enumerate(reminders[:_SHOWN], 1))
        lines = [self.say("line", number=number, when=self.when(each.due), text=each.text) for number, each in shown]
        if more := len(reminders) - len(shown):
            lines.append(self.say("more", count=more))
        buttons = [Button(self.say("button.cancel_number", number=number), "drop", each.id) for number, each in shown]
        rows = [buttons[start : start + 4] for start in range(0, len(buttons), 4)]
        return Reply("\n".join([self.say("list", zone=self.zone), *lines]), buttons=rows)

    def _span(self, minutes: int) -> str:
        hours, rest = divmod(minutes, 60)
        return self.say("button.minutes", number=minutes) if rest else self.say("button.hours", number=hours)
