"""Reminders of people, kept as one-shot jobs of the bot."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from tgllm.api import ChatInfo, DueJob, Json, PlannedJob, PluginContext
from tgllm_remind.settings import Settings

__all__ = ["LONGEST_TEXT", "Context", "Reminder", "Reminders", "forget_person", "move_chat"]

Context = PluginContext[Settings]

LONGEST_TEXT = 800
"""In characters. A longer text is cut: with its buttons a message has room for 4 KiB of data each."""


@dataclass(frozen=True, slots=True)
class Reminder:
    """A reminder that is still to come, or is due now."""

    id: str
    due: float
    """UTC in seconds since 1970."""
    text: str
    chat: ChatInfo
    """Where it was asked for, and where it goes."""

    @classmethod
    def of(cls, job: PlannedJob | DueJob) -> "Reminder":
        """Return the reminder of a job that ``Reminders.add`` has planned."""
        data: Any = job.data
        return cls(job.id, job.due, data["text"], ChatInfo(**data["chat"]))

    @property
    def data(self) -> Json:
        """The data of its job."""
        return {"text": self.text, "chat": asdict(replace(self.chat, title=""))}


class Reminders:
    """The reminders of one person, in all chats. ``/forget`` deletes them with the person's jobs."""

    def __init__(self, ctx: Context, owner: int) -> None:
        self._ctx = ctx
        self._owner = owner
        self._jobs = ctx.jobs.of(owner)

    async def add(self, reminder: Reminder) -> Reminder | None:
        """Keep a reminder, and return it; None if the person has too many.

        One with the same id stays as it is: a command or a press may be handled again after a crash.
        """
        if known := await self.get(reminder.id):
            return known
        if len(await self._jobs.list()) >= self._ctx.settings.per_person:
            return None
        if not reminder.chat.is_private:
            # Before the job, so that none is missed when the group moves.
            await _update_members(self._ctx, reminder.chat.id, add=[self._owner])
        await self._jobs.at(reminder.due, reminder.id, reminder.data)
        return reminder

    async def get(self, reminder_id: str) -> Reminder | None:
        """Return a reminder that is still to come."""
        job = await self._jobs.get(reminder_id)
        return Reminder.of(job) if job else None

    async def cancel(self, reminder_id: str) -> Reminder | None:
        """Cancel a reminder, and return it; None if there is none."""
        found = await self.get(reminder_id)
        return found if await self._jobs.cancel(reminder_id) else None

    async def visible_in(self, chat: ChatInfo) -> Sequence[Reminder]:
        """Return what the person may see in a chat: in a group its own, so that others don't read the private ones."""
        found = [Reminder.of(job) for job in await self._jobs.list()]
        return [each for each in found if chat.is_private or each.chat.id == chat.id]

    async def move(self, old: int, new: int) -> None:
        """Let the reminders of a group go to its supergroup."""
        for job in await self._jobs.list():
            reminder = Reminder.of(job)
            if reminder.chat.id == old:
                moved = replace(reminder, chat=ChatInfo(new, "supergroup"))
                await self._jobs.at(job.due, job.id, moved.data)


async def forget_person(ctx: Context, user_id: int) -> None:
    """Remove a person from the lists of groups; the jobs are deleted by the bot."""
    for key in await ctx.store.keys(_PREFIX):
        await _update_members(ctx, int(key.removeprefix(_PREFIX)), remove=[user_id])


async def move_chat(ctx: Context, old: int, new: int) -> None:
    """Let all reminders of a group go to its supergroup. It does no harm if it is called again."""
    members = _members(await ctx.store.get(f"{_PREFIX}{old}"))
    await _update_members(ctx, new, add=members)
    for member in members:
        await Reminders(ctx, member).move(old, new)
    await ctx.store.delete(f"{_PREFIX}{old}")


_PREFIX = "group:"
"""Before the id of a group, the key of the people with reminders in it."""


def _members(value: Json) -> list[int]:
    return [each for each in value if isinstance(each, int)] if isinstance(value, list) else []


async def _update_members(ctx: Context, chat_id: int, *, add: Sequence[int] = (), remove: Sequence[int] = ()) -> None:
    def change(value: Json) -> Json:
        return sorted({*_members(value), *add} - {*remove}) or None

    await ctx.store.update(f"{_PREFIX}{chat_id}", change)
