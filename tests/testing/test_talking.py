"""Conversations of tests with a running bot."""

from collections.abc import Sequence
from pathlib import Path

from pydantic import BaseModel

from tgllm import hookimpl
from tgllm.api import ChatCommand, CommandCall, DueJob, PluginContext, PluginInfo
from tgllm.testing.bot import running_bot
from tgllm.testing.clock import ManualClock
from tgllm.testing.emulator import Emulator
from tgllm.testing.scripted import GivenPlugin


class Settings(BaseModel):
    minutes: int = 1
    leaves: tuple[str, ...] = ()


class Tea:
    """Says that the tea is ready, some minutes after the command."""

    def __init__(self) -> None:
        self.settings: list[Settings] = []

    @hookimpl
    def tgllm_plugin_info(self) -> PluginInfo:
        return PluginInfo("tea", "Tea", "1.1", settings=Settings)

    @hookimpl
    def tgllm_commands(self, ctx: PluginContext[Settings]) -> Sequence[ChatCommand]:
        self.settings.append(ctx.settings)
        return [ChatCommand("tea", "Brew tea", self.brew)]

    async def brew(self, call: CommandCall) -> str:
        ctx: PluginContext[Settings] = call.context
        await ctx.jobs.of(call.user).at(ctx.clock.now() + 60 * ctx.settings.minutes, call.id)
        return "brewing"

    @hookimpl
    async def tgllm_job(self, ctx: PluginContext[Settings], job: DueJob) -> None:
        assert job.owner is not None
        await ctx.chats.send(job.owner, "ready", key=job.id)


async def test_settled_waits_for_the_messages_of_jobs_that_are_due(
    emu: Emulator, tmp_path: Path, clock: ManualClock
) -> None:
    ann, tea = emu.add_user(first_name="Ann"), Tea()
    given = {"plugins__tea__minutes": 3, "plugins__tea__leaves": ["green"]}
    async with running_bot(
        emu, tmp_path, admins=[ann.id], plugins=[GivenPlugin.of("tea", tea)], clock=clock, **given
    ) as bot:
        said = await bot.talk.say(ann, "/tea")
        await clock.advance(179)
        await bot.talk.settled()
        assert said.chat.messages[-1].text == "brewing"
        await clock.advance(1)
        await bot.talk.settled()
        assert said.chat.messages[-1].text == "ready"
    assert tea.settings == [Settings(minutes=3, leaves=("green",))]
