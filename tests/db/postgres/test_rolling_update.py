"""A rolling update: while replicas of one version work, the first one of the next version migrates their database."""

import asyncio
import re
from importlib.resources import files
from pathlib import Path

import pytest

from tgllm.db.engine.errors import DatabaseTooNew
from tgllm.db.migrations.load import Migration
from tgllm.db.postgres.schema import latest_version, migrations, prepare
from tgllm.testing.bot import running_bot
from tgllm.testing.emulator import Emulator
from tgllm.testing.scripted import ScriptedProvider

pytestmark = pytest.mark.postgres

NOW = 1_790_000_000_000
MODELS = files("tgllm.db.postgres").joinpath("models.sql").read_text()
TABLES = re.findall(r"CREATE TABLE (?:IF NOT EXISTS )?(\w+)", MODELS)
ADDED = "".join(f"ALTER TABLE {table} ADD COLUMN colour TEXT NOT NULL DEFAULT 'green';" for table in TABLES)


async def test_replicas_of_the_earlier_version_go_on_while_a_migration_adds_something(
    emu: Emulator, postgres_url: str, tmp_path: Path
) -> None:
    assert "inbox" in TABLES
    ann, provider, go_on = emu.add_user(first_name="Ann", language_code="en"), ScriptedProvider(), asyncio.Event()
    chat = ann.private_chat()
    steps = [*migrations(), Migration(latest_version(migrations()) + 1, "colours", ADDED)]
    async with running_bot(emu, tmp_path, admins=[ann.id], provider=provider, database__url=postgres_url) as bot:
        # psycopg prepares a statement that has run five times, and the server refuses it once its result has changed.
        for number in range(7):
            await ann.say(f"before {number}")
            await emu.wait_for(lambda: len(chat.bot_texts) > number)  # noqa: B023  used within the loop only
        provider.answer("Half", go_on, " and half")
        await ann.say("one")
        await emu.wait_for_draft(chat, lambda draft: draft.text == "Half")
        waiting = await ann.say("two")
        await emu.wait_for(lambda: any(waiting.reactions.values()))

        await asyncio.to_thread(prepare, postgres_url, NOW, steps)

        go_on.set()
        await emu.wait_for(lambda: "two" in chat.bot_texts)
        await ann.say("/new")
        await ann.say("three")
        await emu.wait_for(lambda: chat.bot_texts[-1:] == ["three"])
        assert chat.bot_texts[7:9] == ["Half and half", "two"]
        assert provider.questions[7:] == ["one", "two", "three"]
        await bot.stop()
    with pytest.raises(DatabaseTooNew, match="Install tgllm"):
        async with running_bot(emu, tmp_path, admins=[ann.id], database__url=postgres_url):
            pass
