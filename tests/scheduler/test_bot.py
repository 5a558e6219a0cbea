"""The scheduler runs as long as the bot does."""

from pathlib import Path

import pytest

from tgllm import hookimpl
from tgllm.api import ConfigError, JobSpec, PluginContext, PluginInfo
from tgllm.config.paths import database_path
from tgllm.db.database import Database
from tgllm.db.engine.unit import Connection
from tgllm.db.tables import models, schedules
from tgllm.db.tables.models import NewModel
from tgllm.scheduler.jobs import REFRESH_JOB
from tgllm.testing.bot import running_bot
from tgllm.testing.emulator import Emulator
from tgllm.testing.scripted import GivenPlugin, ScriptedProvider


async def test_a_refresh_that_was_missed_is_made_up_and_the_admin_is_told(emu: Emulator, tmp_path: Path) -> None:
    ann = emu.add_user(first_name="Ann", language_code="en")
    await ann.say("hello")

    def was_refreshed(conn: Connection) -> None:
        models.upsert(conn, [NewModel(provider="scripted", model="old", title="Old")], 1)
        schedules.start(conn, REFRESH_JOB, 1, 1)
        schedules.finish(conn, REFRESH_JOB, 1, "ok", 2)

    async with await Database.open(database_path(tmp_path)) as database:
        await database.write(was_refreshed)
    async with running_bot(emu, tmp_path, admins=[ann.id], provider=ScriptedProvider()):
        news = await emu.wait_for_message(ann.private_chat(), lambda message: "models" in message.text)

    assert news.text == ("The models have changed.\nNew: scripted/model\nNo longer offered: scripted/old")


async def test_a_wrong_time_of_the_refresh_keeps_the_bot_from_starting(emu: Emulator, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"refresh_cron \(REFRESH_CRON\)"):
        async with running_bot(emu, tmp_path, refresh_cron="0 25 * * *"):
            pass


class Sweeper:
    """A plugin with a job."""

    def __init__(self, cron: str) -> None:
        self._cron = cron

    @hookimpl
    def tgllm_plugin_info(self) -> PluginInfo:
        return PluginInfo("sweeper", "Sweeper", "1.0")

    @hookimpl
    def tgllm_jobs(self) -> list[JobSpec]:
        return [JobSpec("daily", "Sweep", "0 4 * * *", self._sweep), JobSpec("odd", "Sweep", self._cron, self._sweep)]

    async def _sweep(self, ctx: PluginContext) -> None: ...


@pytest.mark.parametrize(
    ("cron", "state", "reason"),
    [
        ("30 4 * * mon-fri", "active", ""),
        ("0 25 * * *", "quarantined", "the cron of job odd: '0 25 * * *' is no cron expression"),
        ("0 4 30 2 *", "quarantined", "the cron of job odd: '0 4 30 2 *' names a day that never comes"),
    ],
)
async def test_a_time_that_never_comes_is_told_of_the_plugin_that_gave_it(
    emu: Emulator, tmp_path: Path, cron: str, state: str, reason: str
) -> None:
    async with running_bot(emu, tmp_path, plugins=[GivenPlugin.of("sweeper", Sweeper(cron))]) as bot:
        (record,) = [record for record in bot.core.host.records if record.id == "sweeper"]

    assert (record.state, record.reason[: len(reason) or None]) == (state, reason)
