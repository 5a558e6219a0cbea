"""The examples of the page on jobs work as they stand there."""

from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from docs_support import blocks
from tgllm.testing.bot import running_bot
from tgllm.testing.clock import ManualClock
from tgllm.testing.emulator import Emulator
from tgllm.testing.scripted import GivenPlugin

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

ONE_SHOT, REPEATED, TEST = blocks("howto/write-a-job.md")


def plugin(plugin_id: str, source: str) -> GivenPlugin:
    module = ModuleType(f"tgllm_{plugin_id}")
    exec(source, vars(module))
    return GivenPlugin.of(plugin_id, module)


async def test_a_reminder_comes_at_its_time_in_the_test_of_the_page(emu: Emulator, tmp_path: Path) -> None:
    space: dict[str, Any] = {}
    exec(TEST, space)
    test: Callable[..., Awaitable[None]] = space["test_a_reminder_comes_at_its_time"]
    await test(emu, tmp_path, plugin("remind", ONE_SHOT))


async def test_two_reminders_at_one_time_both_come(emu: Emulator, tmp_path: Path) -> None:
    ann, clock = emu.add_user(first_name="Ann"), ManualClock()
    async with running_bot(emu, tmp_path, admins=[ann.id], plugins=[plugin("remind", ONE_SHOT)], clock=clock):
        for text in ("tea", "cake"):
            said = await ann.say(f"/later 18:30 {text}")
            await emu.wait_for_answer(said)
        await clock.advance(18.5 * 3600)
        for text in ("tea", "cake"):
            await emu.wait_for_message(ann.private_chat(), lambda message, text=text: text in message.text, after=said)


async def test_days_are_counted(emu: Emulator, tmp_path: Path) -> None:
    async with running_bot(emu, tmp_path, plugins=[plugin("counter", REPEATED)]) as bot:
        (job,) = bot.core.host.jobs
        for day in (1, 2):
            await bot.run_job("count")
            assert await job.context.store.get("days") == day
