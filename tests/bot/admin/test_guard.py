"""Dangerous admin commands ask for the admin password, and what is typed stays nowhere."""

import asyncio
import json
import tarfile
from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import pytest

from bot_support import Ask, Start, pause
from tgllm.bot.updates.raw import to_inbox
from tgllm.config.password_hash import Cost, hash_password
from tgllm.db.database import Database
from tgllm.db.engine.unit import Connection
from tgllm.db.tables import audit, inbox
from tgllm.observe.logs import configure_logging
from tgllm.testing.bot import RunningBot
from tgllm.testing.clock import ManualClock
from tgllm.testing.emulator import Emulator, Fault
from tgllm.testing.emulator.users import EmulatedUser
from tgllm.testing.scripted import ScriptedProvider

pytestmark = pytest.mark.sqlite  # what the password guards is a backup, which a server makes itself

PASSWORD = "Sesame-Street-42"
HASH = str(hash_password(PASSWORD, Cost(log_n=4, r=1, p=1)))


@pytest.fixture
def guarded(start: Start) -> Start:
    """Starts the bot with a password."""

    def starter(**settings: object) -> AbstractAsyncContextManager[RunningBot]:
        return start(admin__password_hash=HASH, **settings)

    return starter


def kept(folder: Path, word: str = PASSWORD) -> Iterator[str]:
    """The files that hold the password."""
    for path in folder.rglob("*"):
        if path.is_file() and word.encode() in path.read_bytes():
            yield path.name


def in_chat(person: EmulatedUser) -> list[str]:
    return [message.text for message in person.private_chat().messages]


class TestRight:
    async def test_it_runs_what_was_asked_for_and_holds_for_a_while(
        self, ask: Ask, ann: EmulatedUser, guarded: Start, provider: ScriptedProvider
    ) -> None:
        async with guarded():
            question = await ask("/admin backup")
            made = await ask(PASSWORD)
            again = await ask("/admin backup")

        assert "needs the admin password. Send it within 60 seconds" in question.text
        assert made.text.startswith("The backup is made")
        assert again.text.startswith("The backup is made")
        assert PASSWORD not in in_chat(ann)
        assert provider.requests == []

    async def test_nothing_holds_what_was_typed(
        self, ask: Ask, guarded: Start, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        async with guarded(log__level="debug"):
            configure_logging("console", "debug", None)
            await ask("Hello " * 200)
            await ask("/admin backup")
            await ask("not " + PASSWORD)
            assert list(kept(tmp_path)) == []
            await ask(PASSWORD)
            assert list(kept(tmp_path)) == []
            assert list(kept(tmp_path, "Hello Hello"))
        printed = capsys.readouterr()

        assert list(kept(tmp_path)) == []
        assert "password.right" in printed.out + printed.err
        assert PASSWORD not in printed.out + printed.err

    async def test_a_button_asks_too(self, emu: Emulator, ask: Ask, ann: EmulatedUser, guarded: Start) -> None:
        async with guarded():
            menu = await ask("/admin")
            await ann.press(menu, "Backup")
            question = await emu.wait_for_message(menu.chat, lambda message: message.from_bot, after=menu)
            made = await ask(PASSWORD)

        assert "needs the admin password" in question.text
        assert menu.text.startswith("Administration")
        assert made.text.startswith("The backup is made")

    async def test_it_holds_as_long_as_the_settings_say(self, ask: Ask, guarded: Start) -> None:
        clock = ManualClock()
        async with guarded(clock=clock, admin__session_minutes=2):
            await ask("/admin backup")
            await ask(PASSWORD)
            await clock.advance(119)
            before = await ask("/admin backup")
            await clock.advance(2)
            after = await ask("/admin backup")

        assert before.text.startswith("The backup is made")
        assert "needs the admin password" in after.text

    async def test_a_restart_asks_again(self, ask: Ask, guarded: Start) -> None:
        async with guarded():
            await ask("/admin backup")
            await ask(PASSWORD)
        async with guarded():
            assert "needs the admin password" in (await ask("/admin backup")).text

    async def test_what_is_not_dangerous_needs_none(self, ask: Ask, guarded: Start) -> None:
        async with guarded():
            assert (await ask("/admin stats")).text.startswith("Statistics")

    @pytest.mark.parametrize(
        "change",
        ["set requests/day 9", "lift requests/day", "default requests/day", "give requests/day 9", "reset"],
    )
    @pytest.mark.parametrize("whose", ["BOT", "guest", "77", "-100"])
    async def test_it_is_asked_for_before_any_budget_is_another(
        self, ask: Ask, guarded: Start, whose: str, change: str
    ) -> None:
        async with guarded():
            assert "needs the admin password" not in (await ask(f"/admin budget {whose}")).text
            assert "needs the admin password" not in (await ask(f"/admin budget {whose} choose requests/day")).text
            assert "needs the admin password" in (await ask(f"/admin budget {whose} {change}")).text

    async def test_without_a_password_in_the_settings_nobody_is_asked(self, ask: Ask, start: Start) -> None:
        async with start():
            assert (await ask("/admin backup")).text.startswith("The backup is made")


class TestForms:
    """In every form in which a text can come, it is an answer."""

    async def test_the_caption_of_a_file(
        self, emu: Emulator, ask: Ask, ann: EmulatedUser, guarded: Start, tmp_path: Path
    ) -> None:
        async with guarded():
            question = await ask("/admin backup")
            await ann.upload(b"x", caption=PASSWORD)
            made = await emu.wait_for_message(question.chat, lambda message: message.from_bot, after=question)
            assert list(kept(tmp_path)) == []

        assert made.text.startswith("The backup is made")

    async def test_an_edit(
        self, emu: Emulator, ask: Ask, ann: EmulatedUser, guarded: Start, tmp_path: Path, provider: ScriptedProvider
    ) -> None:
        async with guarded():
            said = await ann.say("Hello")
            await emu.wait_for_message(said.chat, lambda message: message.from_bot, after=said)
            question = await ask("/admin backup")
            await ann.edit(said, PASSWORD)
            made = await emu.wait_for_message(question.chat, lambda message: message.from_bot, after=question)
            assert list(kept(tmp_path)) == []

        assert made.text.startswith("The backup is made")
        assert len(provider.requests) == 1

    async def test_a_forward_and_a_rich_message(
        self, emu: Emulator, ask: Ask, ann: EmulatedUser, guarded: Start, tmp_path: Path
    ) -> None:
        origin = {"type": "hidden_user", "sender_user_name": "Eve", "date": 1}
        rich = {"blocks": [{"type": "paragraph", "text": [PASSWORD]}]}
        for content in ({"text": PASSWORD, "forward_origin": origin}, {"rich_message": rich}):
            async with guarded():
                question = await ask("/admin backup")
                emu.inject_update(update(ann, question.id + 1, content))
                await emu.wait_for_message(
                    question.chat, lambda message: message.text.startswith("The backup is made"), after=question
                )
                assert list(kept(tmp_path)) == []

    async def test_an_update_that_can_not_be_read_is_an_answer_too(
        self, emu: Emulator, ask: Ask, ann: EmulatedUser, guarded: Start, tmp_path: Path
    ) -> None:
        async with guarded():
            question = await ask("/admin backup")
            emu.inject_update(update(ann, question.id + 1, {"text": PASSWORD, "photo": "none"}))
            await emu.wait_for_message(question.chat, lambda message: message.text.startswith("The backup is made"))
            assert list(kept(tmp_path)) == []

    async def test_an_edit_of_an_answer_that_was_dealt_with(
        self, emu: Emulator, ask: Ask, ann: EmulatedUser, guarded: Start, tmp_path: Path
    ) -> None:
        async with guarded() as bot:
            question = await ask("/admin backup")
            await ask(PASSWORD)
            answer_id = question.id + 1
            number = emu.inject_update(update(ann, answer_id, {"text": PASSWORD + "!"}, kind="edited_message"))
            await ask("/admin stats")
            row = await bot.core.database.read(lambda conn: inbox.get(conn, number))

            assert row is not None
            assert json.loads(row.payload) == {"update_id": number}
            assert list(kept(tmp_path)) == []


def update(person: EmulatedUser, message_id: int, content: dict[str, Any], kind: str = "message") -> dict[str, Any]:
    who = {"id": person.id, "is_bot": False, "first_name": "Ann", "language_code": "en"}
    chat = {"id": person.id, "type": "private", "first_name": "Ann"}
    dates = {"date": 1} if kind == "message" else {"date": 1, "edit_date": 2}
    return {kind: {"message_id": message_id, **dates, "chat": chat, "from": who, **content}}


class TestWrong:
    async def test_three_tries_then_a_lockout_that_doubles_and_outlives_a_restart(
        self, ask: Ask, ann: EmulatedUser, guarded: Start
    ) -> None:
        clock = ManualClock()
        async with guarded(clock=clock) as bot:
            await ask("/admin backup")
            told = [(await ask(f"guess {number}")).text for number in range(3)]
            entries = await bot.core.database.read(lambda conn: audit.list_recent(conn, 1))
        assert "There are 2 tries left" in told[0]
        assert "There is 1 try left" in told[1]
        assert "locked for 5 minutes" in told[2]
        assert not any(text.startswith("guess") for text in in_chat(ann))
        assert [(entry.action, entry.actor_id) for entry in entries] == [("password.lockout", ann.id)]

        async with guarded(clock=clock):
            await clock.advance(240)
            assert "locked for 1 minute." in (await ask("/admin backup")).text
            await clock.advance(60)
            await ask("/admin backup")
            for number in range(2):
                await ask(f"guess {number}")
            assert "locked for 10 minutes" in (await ask("guess")).text

    async def test_a_new_question_gives_no_new_tries(self, ask: Ask, guarded: Start) -> None:
        async with guarded():
            for left in ("2 tries", "1 try"):
                await ask("/admin backup")
                assert left in (await ask("guess")).text
                await ask("/cancel")
            await ask("/admin backup")
            assert "locked" in (await ask("guess")).text

    async def test_the_right_one_gives_the_tries_back(self, ask: Ask, guarded: Start) -> None:
        async with guarded():
            await ask("/admin backup")
            await ask("guess")
            await ask("guess")
            assert (await ask(PASSWORD)).text.startswith("The backup is made")
        async with guarded():
            await ask("/admin backup")
            assert "2 tries" in (await ask("guess")).text

    async def test_forgetting_ones_data_lifts_no_lockout(
        self, emu: Emulator, ask: Ask, ann: EmulatedUser, guarded: Start
    ) -> None:
        async with guarded():
            await ask("/admin backup")
            for _ in range(3):
                await ask("guess")
            menu = await ask("/forget")
            await ann.press(menu, "Delete my data")
            await emu.wait_for(lambda: not menu.buttons)
            assert "locked" in (await ask("/admin backup")).text

    async def test_an_answer_during_the_lockout_is_not_looked_at(
        self, ask: Ask, ann: EmulatedUser, guarded: Start, provider: ScriptedProvider, tmp_path: Path
    ) -> None:
        async with guarded():
            await ask("/admin backup")
            for _ in range(3):
                await ask("guess")
            told = await ask(PASSWORD)
            assert list(kept(tmp_path)) == []

        assert "I have not looked at your message. I have deleted it" in told.text
        assert PASSWORD not in in_chat(ann)
        assert provider.requests == []


class TestOutOfTime:
    async def test_a_late_answer_is_deleted_unread(
        self, ask: Ask, ann: EmulatedUser, guarded: Start, provider: ScriptedProvider, tmp_path: Path
    ) -> None:
        clock = ManualClock()
        async with guarded(clock=clock):
            await ask("/admin backup")
            await clock.advance(61)
            late = await ask(PASSWORD)
            assert list(kept(tmp_path)) == []
            assert PASSWORD not in in_chat(ann)
            assert not (tmp_path / "backups").exists()
            await ask("/admin backup")
            assert (await ask(PASSWORD)).text.startswith("The backup is made")

        assert "The time for the password was over" in late.text
        assert provider.requests == []

    async def test_much_later_a_message_is_a_question_again(
        self, emu: Emulator, ask: Ask, ann: EmulatedUser, guarded: Start, provider: ScriptedProvider
    ) -> None:
        clock = ManualClock()
        async with guarded(clock=clock):
            await ask("/admin backup")
            await clock.advance(361)
            await ann.say("Hello")
            await emu.wait_for(lambda: provider.requests)

    async def test_only_one_message_is_taken_for_late(
        self, emu: Emulator, ask: Ask, ann: EmulatedUser, guarded: Start, provider: ScriptedProvider
    ) -> None:
        clock = ManualClock()
        async with guarded(clock=clock):
            await ask("/admin backup")
            await clock.advance(61)
            await ask("Hello")
            assert provider.requests == []
            await ann.say("Hello")
            await emu.wait_for(lambda: provider.requests)

    async def test_cancel_leaves_the_question(
        self, ask: Ask, guarded: Start, provider: ScriptedProvider, tmp_path: Path
    ) -> None:
        async with guarded():
            await ask("/admin backup")
            cancelled = await ask("/cancel")
            await ask("Hello")

        assert cancelled.text == "All right, nothing was done."
        assert len(provider.requests) == 1
        assert not (tmp_path / "backups").exists()

    async def test_other_commands_are_no_answers(self, ask: Ask, guarded: Start) -> None:
        async with guarded():
            await ask("/admin backup")
            assert (await ask("/ping")).text == "Bot ready"
            assert (await ask(PASSWORD)).text.startswith("The backup is made")

    async def test_what_was_said_before_the_question_is_no_answer(
        self, emu: Emulator, ask: Ask, ann: EmulatedUser, guarded: Start, provider: ScriptedProvider
    ) -> None:
        gate = asyncio.Event()
        provider.answer(gate, "one")
        async with guarded():
            menu = await ask("/admin")
            await ann.say("first")
            await emu.wait_for(lambda: provider.requests)
            waiting = await ann.say("second")
            await ann.press(menu, "Backup")
            await emu.wait_for_message(menu.chat, lambda message: "admin password" in message.text, after=menu)
            gate.set()
            await emu.wait_for(lambda: len(provider.requests) == 2)
            await ann.say(PASSWORD)
            # The answer to "second" may come first.
            await emu.wait_for_message(menu.chat, lambda message: message.text.startswith("The backup is made"))

        assert provider.requests[1].messages[-1].text == waiting.text == "second"
        assert waiting.text in in_chat(ann)
        assert PASSWORD not in in_chat(ann)

    @pytest.mark.parametrize("is_before", [True, False], ids=["before the question", "after it"])
    async def test_an_edit_of_a_message_that_waits(
        self,
        emu: Emulator,
        ask: Ask,
        ann: EmulatedUser,
        guarded: Start,
        tmp_path: Path,
        provider: ScriptedProvider,
        is_before: bool,
    ) -> None:
        gate = asyncio.Event()
        provider.answer(gate, "one")
        async with guarded():
            menu = await ask("/admin")
            await ann.say("first")
            await emu.wait_for(lambda: provider.requests)
            waiting = await ann.say("second") if is_before else None
            await ann.press(menu, "Backup")
            await emu.wait_for_message(menu.chat, lambda message: "admin password" in message.text, after=menu)
            await ann.edit(waiting or await ann.say("typo"), PASSWORD)
            await emu.wait_for(lambda: not len(emu.bot.queue))
            gate.set()
            await emu.wait_for_message(menu.chat, lambda message: message.text.startswith("The backup is made"))
            # The question that waited may be asked after the backup.
            await emu.wait_for(lambda: len(provider.requests) == 1 + is_before)
            assert list(kept(tmp_path)) == []

        assert provider.questions == ["first", "second"][: 1 + is_before]

    async def test_a_backup_that_is_made_while_an_answer_waits(
        self,
        emu: Emulator,
        ask: Ask,
        ann: EmulatedUser,
        guarded: Start,
        tmp_path: Path,
        provider: ScriptedProvider,
    ) -> None:
        gate = asyncio.Event()
        provider.answer(gate, "one")
        async with guarded() as bot:
            menu = await ask("/admin")
            await ann.say("first")
            await emu.wait_for(lambda: provider.requests)
            await ann.press(menu, "Backup")
            await emu.wait_for_message(menu.chat, lambda message: "admin password" in message.text, after=menu)
            await ann.say(PASSWORD)
            while not await bot.core.database.read(lambda conn: inbox.queued(conn, f":{ann.id}:", 1)):
                await pause()
            made = await bot.core.backups.make()
            assert PASSWORD.encode() not in made.path.read_bytes()
            with tarfile.open(made.path) as archive:
                (name,) = [each for each in archive.getnames() if each.endswith(".db")]
                archive.extract(name, tmp_path / "copy", filter="data")
            async with await Database.open(tmp_path / "copy" / name) as copy:
                assert not await copy.read(lambda conn: inbox.queued(conn, f":{ann.id}:", 1))
            gate.set()
            await emu.wait_for_message(menu.chat, lambda message: message.text.startswith("The backup is made"))
            assert list(kept(tmp_path)) == []

    async def test_it_is_no_part_of_a_long_text_that_the_client_has_split(
        self, emu: Emulator, ask: Ask, ann: EmulatedUser, guarded: Start, provider: ScriptedProvider
    ) -> None:
        clock = ManualClock()
        async with guarded(clock=clock, admin__session_minutes=100_000) as bot:
            menu = await ask("/admin")
            await ann.say("x" * 4096)
            await ann.press(menu, "Backup")
            await emu.wait_for_message(menu.chat, lambda message: "admin password" in message.text, after=menu)
            await ann.say(PASSWORD)
            while not await bot.core.database.read(lambda conn: inbox.queued(conn, f":{ann.id}:", 1)):
                await pause()
            while not any(text.startswith("The backup is made") for text in in_chat(ann)):
                await clock.advance(0.1)
                await bot.core.database.read(inbox.counts)

        assert provider.questions == ["x" * 4096]


class TestPlaces:
    async def test_in_a_group_it_is_asked_for_in_private(
        self, emu: Emulator, ask: Ask, ann: EmulatedUser, guarded: Start
    ) -> None:
        admins = emu.add_group(title="Admins", members=[ann])
        async with guarded(admin_chat_id=admins.id):
            told = await ask("/admin@demo_bot backup", chat=admins)
            await ask("/admin backup")
            await ask(PASSWORD)
            made = await ask("/admin@demo_bot backup", chat=admins)

        assert "send the command to me in private" in told.text
        assert made.text.startswith("The backup is made")

    async def test_a_message_that_can_not_be_deleted_is_told(
        self, emu: Emulator, ask: Ask, ann: EmulatedUser, guarded: Start, tmp_path: Path
    ) -> None:
        async with guarded():
            await ask("/admin backup")
            emu.faults.add(Fault.api_error("deleteMessage", 400, "message can't be deleted"))
            told = await ask(PASSWORD)
            await emu.wait_for(lambda: any(text.startswith("The backup is made") for text in in_chat(ann)))
            assert list(kept(tmp_path)) == []

        assert "please delete it yourself" in told.text


class TestCrash:
    async def test_an_answer_that_was_stored_and_not_looked_at(
        self, emu: Emulator, ask: Ask, ann: EmulatedUser, guarded: Start, provider: ScriptedProvider, tmp_path: Path
    ) -> None:
        async with guarded() as bot:
            question = await ask("/admin backup")
            path = bot.core.database.path
        answer = await ann.say(PASSWORD)
        queued = update(ann, answer.id, {"text": PASSWORD, "date": question.date})
        number = await store(path, queued)
        assert list(kept(tmp_path))
        async with guarded():
            told = await emu.wait_for_message(answer.chat, lambda message: message.from_bot, after=question)
            assert list(kept(tmp_path)) == []
            await emu.wait_for(lambda: PASSWORD not in in_chat(ann))

        assert number
        assert "I was restarted while you were sending the password" in told.text
        assert provider.requests == []

    async def test_an_answer_that_was_stored_long_ago(
        self, emu: Emulator, ask: Ask, ann: EmulatedUser, guarded: Start, provider: ScriptedProvider, tmp_path: Path
    ) -> None:
        clock = ManualClock()
        async with guarded(clock=clock) as bot:
            question = await ask("/admin backup")
            path = bot.core.database.path
        sent_at = int(clock.now())
        await store(path, update(ann, question.id + 1, {"text": PASSWORD, "date": sent_at}))
        assert list(kept(tmp_path))
        await clock.advance(3 * 24 * 3600)
        async with guarded(clock=clock):
            told = await emu.wait_for_message(question.chat, lambda message: message.from_bot, after=question)
            assert list(kept(tmp_path)) == []

        assert "I was restarted while you were sending the password" in told.text
        assert provider.requests == []

    async def test_an_answer_that_comes_only_after_the_restart(
        self, ask: Ask, ann: EmulatedUser, guarded: Start, provider: ScriptedProvider, tmp_path: Path
    ) -> None:
        async with guarded():
            await ask("/admin backup")
        async with guarded():
            told = await ask(PASSWORD)
            assert list(kept(tmp_path)) == []

        assert "The time for the password was over" in told.text
        assert PASSWORD not in in_chat(ann)
        assert provider.requests == []


async def store(path: Path, content: dict[str, Any]) -> int:
    """Put an update into the inbox, as the poller does."""
    async with await Database.open(path) as database:

        def unit(conn: Connection) -> int:
            number = int(conn.execute("SELECT coalesce(max(update_id), 0) FROM inbox").fetchone()[0]) + 1
            row = to_inbox({"update_id": number, **content})
            assert row is not None
            inbox.add_updates(conn, [row], 1_000 * content["message"]["date"])
            return number

        return await database.write(unit)
