"""Hooks of the reminders."""

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from tgllm import hookimpl
from tgllm.api import (
    ChatCommand,
    ChatUnavailable,
    CommandCall,
    DueJob,
    PluginInfo,
    Press,
    PressResult,
    Reply,
    UserInfo,
)
from tgllm_remind.messages import Writer, writer_for
from tgllm_remind.reminders import LONGEST_TEXT, Context, Reminder, Reminders, forget_person, move_chat
from tgllm_remind.settings import Settings
from tgllm_remind.times import parse_when

__all__ = ["tgllm_button", "tgllm_chat_moved", "tgllm_commands", "tgllm_forget", "tgllm_job", "tgllm_plugin_info"]


@hookimpl
def tgllm_plugin_info() -> PluginInfo:
    """Return the description of the plugin."""
    texts = Path(__file__).parent / "texts"
    return PluginInfo(id="remind", title="Reminders", api="1.1", settings=Settings, texts=texts)


@hookimpl
def tgllm_commands(ctx: Context) -> Sequence[ChatCommand]:
    """Return the command ``/later``."""
    descriptions = {"ru": ctx.texts("remind.about", "ru")}
    return [ChatCommand("later", ctx.texts("remind.about"), remind, aliases=("reminders",), descriptions=descriptions)]


async def remind(call: CommandCall) -> Reply | str:
    """Plan a reminder; without arguments, list the person's reminders."""
    ctx: Context = call.context
    writer, own = await writer_for(ctx, call.user), Reminders(ctx, call.user.id)
    if not call.args:
        return writer.listing(await own.visible_in(call.chat), empty="help")
    # The time of the message counts: "20m" of a message that waited while the bot was down is partly over.
    now = call.sent_at or ctx.clock.now()
    try:
        when = parse_when(call.args, now, writer.zone)
    except OverflowError:
        return _too_far(writer)
    if when is None:
        return writer.say("help")
    text = when.text or (call.reply_to.text if call.reply_to else "")
    if not text.strip():
        return writer.say("no_text")
    due = when.due.timestamp()
    if due <= now:
        return writer.say("over")
    if due > now + timedelta(days=ctx.settings.days_ahead).total_seconds():
        return _too_far(writer)
    added = await own.add(Reminder(call.id, due, _cut(text.strip()), call.chat))
    return writer.with_cancel("set", added) if added else _full(writer)


@hookimpl
async def tgllm_job(ctx: Context, job: DueJob) -> None:
    """Send a reminder that is due."""
    person = None if job.owner is None else await ctx.people.get(job.owner)
    if person is None:
        return
    reminder = Reminder.of(job)
    reply = (await writer_for(ctx, person)).due(reminder, is_late=job.is_late)
    try:
        # The key sends it once, also if this runs again after a crash.
        await ctx.chats.send(reminder.chat, reply, key=f"{person.id} {job.id}", recipient=person)
    except ChatUnavailable as error:
        # Later attempts would fail, too.
        ctx.log.info("remind.unavailable", reason=error.reason)


@hookimpl
async def tgllm_button(ctx: Context, press: Press) -> PressResult | str | None:
    """Cancel a reminder, put it off, or mark it as done."""
    writer, own = await writer_for(ctx, press.user), Reminders(ctx, press.user.id)
    data: Any = press.data
    match press.button:
        case "cancel":
            cancelled = await own.cancel(data)
            return PressResult(edit=Reply(writer.say("cancelled", text=cancelled.text))) if cancelled else _gone(writer)
        case "drop":
            cancelled = await own.cancel(data)
            left = writer.listing(await own.visible_in(press.chat), empty="none_left")
            return PressResult("" if cancelled else _gone(writer), edit=left)
        case "snooze":
            when = parse_when(data["span"], ctx.clock.now(), writer.zone)
            if when is None:
                return None
            added = await own.add(Reminder(press.id, when.due.timestamp(), data["text"], press.chat))
            return PressResult(edit=writer.with_cancel("snoozed", added)) if added else _full(writer)
        case "done":
            return PressResult(edit=Reply(writer.say("done", text=data)))
        case _:
            return None


@hookimpl
async def tgllm_forget(ctx: Context, user: UserInfo) -> None:
    """Delete what is kept beside the person's jobs."""
    await forget_person(ctx, user.id)


@hookimpl
async def tgllm_chat_moved(ctx: Context, old: int, new: int) -> None:
    """Let the reminders of a group go to its supergroup."""
    await move_chat(ctx, old, new)


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST_TEXT else f"{text[: LONGEST_TEXT - 1]}…"


def _too_far(writer: Writer) -> str:
    return writer.say("too_far", count=writer.ctx.settings.days_ahead)


def _full(writer: Writer) -> str:
    return writer.say("full", count=writer.ctx.settings.per_person)


def _gone(writer: Writer) -> str:
    return writer.say("gone")
