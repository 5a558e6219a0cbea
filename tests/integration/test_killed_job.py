"""``kill -9`` between the start of a one-shot job and its end: the next start runs it again, and then it is gone."""

import os
import signal
from pathlib import Path

import pytest

from plugin_support import write_distribution
from program_support import PATIENCE, Launch
from tgllm.config.paths import database_path
from tgllm.db.database import Database
from tgllm.db.tables.plugins import jobs
from tgllm.testing.emulator import Emulator

pytestmark = pytest.mark.timeout(300)

PLUGIN = """
import asyncio
from tgllm import hookimpl
from tgllm.api import ChatCommand, PluginInfo

@hookimpl
def tgllm_plugin_info(): return PluginInfo("remind", "Remind", "1.1")

@hookimpl
def tgllm_commands(): return [ChatCommand("later", "Plan a job.", remind)]

async def remind(call):
    await call.context.jobs.of(call.user).at(0, "tea", {"text": "tea"})
    return "planned"

@hookimpl
async def tgllm_job(ctx, job):
    ctx.log.info("remind.attempt", number=job.attempt, data=job.data)
    if job.attempt == 1:
        await asyncio.sleep(600)
"""


async def test_it_runs_again_after_the_next_start(emu: Emulator, tmp_path: Path, launch: Launch) -> None:
    ann, site = emu.add_user(first_name="Ann", language_code="en"), tmp_path / "site"
    write_distribution(site, "tgllm-remind", {"tgllm": {"remind": "tgllm_remind"}}, {"tgllm_remind": PLUGIN})
    variables = {
        "TGLLM_ADMIN_IDS": str(ann.id),
        "PYTHONPATH": os.pathsep.join([str(site), os.environ.get("PYTHONPATH", "")]).rstrip(os.pathsep),
    }

    first = await launch("run", **variables)
    said = await ann.say("/later")
    await emu.wait_for_message(ann.private_chat(), lambda message: message.text == "planned", timeout=PATIENCE)
    await first.printed("remind.attempt")
    first.send(signal.SIGKILL)
    await first.end()
    second = await launch("run", **variables)
    await second.printed("job.interrupted")
    await second.printed("remind.attempt")
    await second.printed("job.ended")
    second.send(signal.SIGTERM)
    code, printed = await second.end()

    assert code == 0, printed
    assert said.chat == ann.private_chat()
    async with await Database.open(database_path(tmp_path / "data")) as database:
        assert await database.read(jobs.all_ids) == []
