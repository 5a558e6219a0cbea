"""Invite links are secrets: no file of the bot ever holds one that works."""

import json
import re
from collections.abc import Sequence
from pathlib import Path

import pytest

from bot_support import Ask, Killed, Start, pause
from secret_support import find_secret_everywhere
from tgllm.db.engine.unit import Connection
from tgllm.db.tables import audit, inbox
from tgllm.observe.redaction import redactor
from tgllm.testing.bot import RunningBot
from tgllm.testing.emulator import Emulator, Fault
from tgllm.testing.emulator.users import EmulatedUser
from tgllm.testing.scripted import ScriptedProvider

TOKEN = re.compile(r"inv_[A-Za-z0-9_-]{24}")


@pytest.fixture
def people(ann: EmulatedUser, eve: EmulatedUser) -> Sequence[EmulatedUser]:
    """A stranger and an owner."""
    return eve, ann


def token_in(text: str) -> str:
    found = TOKEN.search(text)
    assert found is not None
    return found[0]


async def made(ask: Ask, people: int = 2) -> str:
    """The token of a new link."""
    return token_in((await ask(f"/admin invite {people}")).text)


async def invites_left(bot: RunningBot) -> list[int]:
    return await bot.core.database.read(
        lambda conn: [row[0] for row in conn.execute("SELECT uses_left FROM invites ORDER BY id")]
    )


class TestSent:
    @pytest.mark.sqlite  # reads the file
    async def test_it_is_in_no_file_and_no_backup(self, ask: Ask, start: Start, tmp_path: Path) -> None:
        async with start() as bot:
            token = await made(ask)
            assert find_secret_everywhere(token, tmp_path) == []
            backup = await bot.core.backups.make()
            assert find_secret_everywhere(token, backup.path.parent) == []
        assert find_secret_everywhere(token, tmp_path) == []

    @pytest.mark.sqlite  # reads the file
    async def test_nor_while_it_waits_to_be_sent(
        self, emu: Emulator, ann: EmulatedUser, start: Start, tmp_path: Path
    ) -> None:
        async with start() as bot:
            emu.faults.add(Fault.retry_after("sendMessage", 600, chat_id=ann.private_chat().id))
            await ann.say("/admin invite")
            while not await bot.core.database.read(_links):
                await pause()
            (shown,) = await bot.core.database.read(_links)
            backup = await bot.core.backups.make()
            assert find_secret_everywhere("https://t.me/", tmp_path) == []
        assert backup.path.is_relative_to(tmp_path)
        assert "[link]" in str(shown)

    async def test_it_works_for_as_many_as_it_should(
        self, emu: Emulator, ask: Ask, eve: EmulatedUser, start: Start, tmp_path: Path
    ) -> None:
        async with start() as bot:
            token = await made(ask)
            for person in (eve, emu.add_user(first_name="Bob")):
                await person.say(f"/start {token}")
                await emu.wait_for_message(person.private_chat(), lambda message: "approved" in message.text)
                assert find_secret_everywhere(token, tmp_path) == []
            assert await invites_left(bot) == [0]

    @pytest.mark.sqlite  # on a server each process can make the link again
    async def test_one_that_was_not_sent_before_the_end_is_revoked(
        self, emu: Emulator, ann: EmulatedUser, ask: Ask, start: Start, killed: Killed, tmp_path: Path
    ) -> None:
        fault = Fault.retry_after("sendMessage", 600, chat_id=ann.private_chat().id)
        async with killed(start()) as bot:
            await ask("/ping")
            emu.faults.add(fault)
            await ann.say("/admin invite")
            waits = "SELECT 1 FROM outbox WHERE turn_id GLOB 'invite:*' AND not_before > 0"
            while not await bot.core.database.read(lambda conn: conn.execute(waits).fetchone()):
                await pause()
        async with start() as bot:
            told = await emu.wait_for_message(ann.private_chat(), lambda message: "I was restarted" in message.text)
            assert await invites_left(bot) == [0]
            rows = await bot.core.database.read(_links)
            entries = await bot.core.database.read(lambda conn: audit.list_recent(conn, 1))
        assert "does not work any more. For a new one: /admin invite" in told.text
        assert rows == [("dropped", {})]
        assert [(entry.action, entry.source) for entry in entries] == [("invite.revoke", "program")]


def _links(conn: Connection) -> list[tuple[str, object]]:
    rows = conn.execute("SELECT state, payload FROM outbox WHERE turn_id GLOB 'invite:*'").fetchall()
    return [(row[0], json.loads(row[1])) for row in rows]


class TestReceived:
    """What people send is stored without the token."""

    @pytest.mark.parametrize(
        "form", ["/start {}", "hello {}", "https://t.me/demo_bot?start={}", "/start {} x", "/ping {}"]
    )
    async def test_in_messages_and_edits(
        self, emu: Emulator, ask: Ask, people: Sequence[EmulatedUser], start: Start, tmp_path: Path, form: str
    ) -> None:
        provider = ScriptedProvider()
        async with start(provider=provider) as bot:
            token = await made(ask, 3)
            for person in people:
                said = await person.say(form.format(token))
                await emu.wait_for_message(said.chat, lambda message: message.from_bot, after=said)
                await person.edit(said, form.format(token) + "!")
                await person.upload(b"x", caption=form.format(token))
                await emu.wait_for(lambda: not len(emu.bot.queue))
                while (await bot.core.database.read(inbox.counts)).keys() & {"queued", "running"}:
                    await pause()
                assert find_secret_everywhere(token, tmp_path, provider) == []
        assert find_secret_everywhere(token, tmp_path, provider) == []

    async def test_in_a_reply_to_the_link(
        self, emu: Emulator, ask: Ask, ann: EmulatedUser, start: Start, tmp_path: Path, provider: ScriptedProvider
    ) -> None:
        async with start():
            shown = await ask("/admin invite")
            said = await ann.say("Who is this for?", reply_to=shown)
            await emu.wait_for_message(said.chat, lambda message: message.from_bot, after=said)
            assert find_secret_everywhere(token_in(shown.text), tmp_path, provider) == []

    async def test_what_stands_in_the_database_opens_nothing(
        self, emu: Emulator, ask: Ask, eve: EmulatedUser, start: Start
    ) -> None:
        async with start(access__answer_interval=0, access__answers_per_hour=100_000) as bot:
            token = await made(ask)
            stored = await bot.core.database.read(
                lambda conn: [row[0] for row in conn.execute("SELECT token_hash FROM invites")]
            )
            forged = json.dumps({"tgllm": {"invite": stored[0]}})
            for word in (*stored, f"inv_{'*' * 24}", f"inv_{stored[0][:24]}", forged):
                said = await eve.say(f"/start {word}")
                await emu.wait_for_message(said.chat, lambda message: message.from_bot, after=said)
            assert await invites_left(bot) == [2]
            assert token not in stored

    async def test_keys_of_the_configuration_are_not_stored_either(
        self, emu: Emulator, ask: Ask, ann: EmulatedUser, start: Start, tmp_path: Path, provider: ScriptedProvider
    ) -> None:
        key = "sk-proj-0123456789abcdef"
        redactor.add(key)
        async with start():
            await ask(f"Is {key} a good key?")
            assert find_secret_everywhere(key, tmp_path, provider) == []
        assert provider.questions == [f"Is {'*' * len(key)} a good key?"]
