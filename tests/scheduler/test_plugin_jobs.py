"""One-shot jobs in a running bot: planned in the chat, run at their times, also after restarts; and forgotten."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tgllm import hookimpl
from tgllm.api import ChatCommand, CommandCall, DueJob, JobSpec, PluginContext, PluginInfo, UserInfo
from tgllm.db.engine.unit import Connection
from tgllm.db.tables.plugins import jobs
from tgllm.services.access.migration import move_chat
from tgllm.testing.bot import running_bot
from tgllm.testing.clock import ManualClock
from tgllm.testing.emulator import Emulator
from tgllm.testing.emulator.state.records import EmulatedMessage
from tgllm.testing.emulator.users import EmulatedUser
from tgllm.testing.scripted import GivenPlugin


@dataclass
class Remind:
    """A plugin that plans a reminder of a person, and notes what it gets."""

    ran: "asyncio.Queue[tuple[object, ...]]" = field(default_factory=asyncio.Queue)
    fails: bool = False

    @hookimpl
    def tgllm_plugin_info(self) -> PluginInfo:
        return PluginInfo(id="remind", title="Remind", api="1.0")

    @hookimpl
    def tgllm_commands(self) -> Sequence[ChatCommand]:
        return [ChatCommand("later", "Plan a reminder.", self._remind)]

    @hookimpl
    def tgllm_jobs(self) -> Sequence[JobSpec]:
        return [JobSpec("daily", "Daily", "0 4 * * *", self._daily)]

    async def _daily(self, ctx: PluginContext) -> None:
        self.ran.put_nowait(("daily", ctx.plugin_id))

    async def _remind(self, call: CommandCall) -> str:
        seconds, _, text = call.args.partition(" ")
        ctx = call.context
        owner = call.chat if call.chat.is_group else call.user
        await ctx.jobs.of(owner).at(ctx.clock.now() + float(seconds), text, {"text": text})
        await ctx.store.of(owner).update("planned", lambda value: [*(value if isinstance(value, list) else ()), text])
        zone = await ctx.people.timezone(call.user)
        return f"planned in {zone}, for {call.user.timezone or ctx.timezone}"

    @hookimpl
    async def tgllm_job(self, ctx: PluginContext, job: DueJob) -> None:
        if self.fails:
            raise ValueError(job.id)
        person = await ctx.people.get(job.owner or 0) if job.owner and job.owner > 0 else None
        self.ran.put_nowait((job.id, job.data, person.name if person else job.owner, job.is_late))

    @hookimpl
    async def tgllm_forget(self, user: UserInfo) -> None:
        self.ran.put_nowait(("forget", user.id, user.name))

    @hookimpl
    async def tgllm_chat_moved(self, old: int, new: int) -> None:
        self.ran.put_nowait(("moved", old, new))


@pytest.fixture
def plugin() -> Remind:
    return Remind()


@pytest.fixture
def ann(emu: Emulator) -> EmulatedUser:
    return emu.add_user(first_name="Ann", language_code="en")


async def ask(emu: Emulator, ann: EmulatedUser, text: str) -> EmulatedMessage:
    """Send a message, and return the bot's reply."""
    said = await ann.say(text)
    return await emu.wait_for_message(ann.private_chat(), lambda message: message.from_bot, after=said)


async def test_a_reminder_is_planned_in_the_chat_and_comes_at_its_time_after_a_restart(
    emu: Emulator, tmp_path: Path, ann: EmulatedUser, plugin: Remind
) -> None:
    plugins, clock = [GivenPlugin.of("remind", plugin)], ManualClock()
    async with running_bot(emu, tmp_path, admins=[ann.id], plugins=plugins, clock=clock):
        assert (await ask(emu, ann, "/later 600 tea")).text == "planned in UTC, for UTC"
        await clock.advance(599)
        assert plugin.ran.empty()
        await clock.advance(1)
        assert await plugin.ran.get() == ("tea", {"text": "tea"}, "Ann", False)
        await ask(emu, ann, "/later 600 bread")
    await clock.advance(3600)
    async with running_bot(emu, tmp_path, admins=[ann.id], plugins=plugins, clock=clock):
        assert await plugin.ran.get() == ("bread", {"text": "bread"}, "Ann", True)
    async with running_bot(emu, tmp_path, admins=[ann.id], plugins=plugins, clock=clock) as bot:
        assert await bot.core.database.read(jobs.all_ids) == []


async def test_jobs_are_run_by_hand(emu: Emulator, tmp_path: Path, ann: EmulatedUser, plugin: Remind) -> None:
    async with running_bot(emu, tmp_path, admins=[ann.id], plugins=[GivenPlugin.of("remind", plugin)]) as bot:
        await bot.run_job("daily")
        assert plugin.ran.get_nowait() == ("daily", "remind")
        await bot.run_job("remind.daily")
        assert plugin.ran.get_nowait() == ("daily", "remind")
        await ask(emu, ann, "/later 999999 tea")
        with pytest.raises(LookupError, match="there is no job 'coffee'; the jobs are: daily, tea"):
            await bot.run_job("coffee")
        plugin.fails = True
        with pytest.raises(ValueError, match="tea"):
            await bot.run_job("tea")
        plugin.fails = False
        await bot.run_job("tea")
        assert plugin.ran.get_nowait() == ("tea", {"text": "tea"}, "Ann", False)
        with pytest.raises(LookupError):
            await bot.run_job("tea")


async def test_forget_reaches_the_plugin_and_what_the_bot_keeps_for_it(
    emu: Emulator, tmp_path: Path, ann: EmulatedUser, plugin: Remind
) -> None:
    async with running_bot(emu, tmp_path, admins=[ann.id], plugins=[GivenPlugin.of("remind", plugin)]) as bot:
        context = bot.core.host.commands[-1].context
        assert context.plugin_id == "remind"
        await ask(emu, ann, "/later 999 tea")
        assert await context.store.of(ann.id).get("planned") == ["tea"]
        menu = await ask(emu, ann, "/forget")
        await ann.press(menu, "Delete my data")
        assert await plugin.ran.get() == ("forget", ann.id, "Ann")
        assert await context.store.of(ann.id).keys() == []
        assert await context.jobs.of(ann.id).list() == []


async def test_a_group_takes_its_values_and_jobs_with_it(
    emu: Emulator, tmp_path: Path, ann: EmulatedUser, plugin: Remind
) -> None:
    old, new = -5, -1005
    async with running_bot(emu, tmp_path, admins=[ann.id], plugins=[GivenPlugin.of("remind", plugin)]) as bot:
        context = bot.core.host.commands[-1].context
        await context.jobs.of(old).at(context.clock.now() + 999, "tea")
        await context.store.of(old).set("planned", ["tea"])

        def move(conn: Connection) -> None:
            move_chat(conn, old, new, 1)

        for _ in range(2):
            await bot.core.database.write(move)
        assert await plugin.ran.get() == ("moved", old, new)
        assert await context.store.of(new).get("planned") == ["tea"]
        assert [job.owner for job in await context.jobs.of(new).list()] == [new]
        assert await context.jobs.of(old).list() == []
        await bot.run_job("tea")
        assert await plugin.ran.get() == ("tea", None, new, False)
    assert plugin.ran.empty()
