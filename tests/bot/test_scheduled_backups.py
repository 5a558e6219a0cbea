"""Scheduled backups of a running bot."""

import json
from pathlib import Path

import pytest

from bot_support import Ask, Start
from tgllm.api import DatabaseError
from tgllm.scheduler.jobs import BACKUP_JOB, jobs_of
from tgllm.testing.bot import RunningBot

pytestmark = pytest.mark.sqlite  # a server makes its backups itself


async def told(bot: RunningBot) -> list[str]:
    rows = await bot.core.database.read(lambda conn: conn.execute("SELECT payload FROM outbox").fetchall())
    return [text for row in rows if "backup" in (text := str(json.loads(row[0]).get("text", "")))]


async def test_the_job_exists_by_the_setting(start: Start) -> None:
    async with start() as bot:
        assert BACKUP_JOB not in {job.id for job in jobs_of(bot.core)}
    async with start(backups__schedule="30 3 * * *") as bot:
        (job,) = [job for job in jobs_of(bot.core) if job.id == BACKUP_JOB]
        await job.run()
        assert job.cron.text == "30 3 * * *"


async def test_the_admins_get_one_message_until_a_backup_succeeds(ask: Ask, start: Start, tmp_path: Path) -> None:
    folder = tmp_path / "usb"
    folder.write_text("not mounted")
    async with start(backups__schedule="30 3 * * *", backups__folder=str(folder)) as bot:
        await ask("Hello")
        for _ in range(3):
            with pytest.raises(DatabaseError):
                await bot.core.backups.make_scheduled(bot.core.texts)
        (text,) = await told(bot)
        folder.unlink()
        await bot.core.backups.make_scheduled(bot.core.texts)
        assert len(list(folder.glob("*.tar"))) == 1
        (folder / "x").touch()
        assert len(await told(bot)) == 1

    assert "The scheduled backup has failed." in text
    assert str(folder) in text
    assert "/admin backup" in text
