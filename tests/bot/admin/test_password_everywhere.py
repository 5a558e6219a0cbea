"""The admin password reaches no model, database or backup, however and wherever an admin sends it."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from bot_support import Ask, Killed, Start, decide_group, pause, settled
from secret_support import find_secret_everywhere
from tgllm.config.password_hash import Cost, hash_password
from tgllm.db.engine.unit import Connection
from tgllm.db.tables import inbox, users
from tgllm.observe.logs import configure_logging
from tgllm.testing.bot import RunningBot
from tgllm.testing.clock import ManualClock
from tgllm.testing.emulator import Emulator, Fault
from tgllm.testing.emulator.state.records import EmulatedChat
from tgllm.testing.emulator.users import EmulatedUser
from tgllm.testing.scripted import ScriptedProvider

pytestmark = pytest.mark.sqlite  # what the password guards is a backup, which a server makes itself

PASSWORD = "Sesame-Street-42"
PHRASE = "correct horse battery staple"
COST = Cost(log_n=4, r=1, p=1)
HASHES = {word: str(hash_password(word, COST)) for word in (PASSWORD, PHRASE)}

Guarded = Callable[..., AbstractAsyncContextManager[RunningBot]]


@dataclass
class Place:
    """The bot, and where the password is searched."""

    emu: Emulator
    ann: EmulatedUser
    provider: ScriptedProvider
    folder: Path
    capsys: pytest.CaptureFixture[str]
    secret: str = PASSWORD
    printed: str = ""

    async def settle(self, bot: RunningBot) -> None:
        """Wait until the bot has handled all updates, and has sent what it had to."""
        await settled(self.emu, bot)

    def found(self) -> list[str]:
        """Where the password is: files, requests, the log, and what the bot has said."""
        captured = self.capsys.readouterr()
        self.printed += captured.out + captured.err
        chats = self.emu.world.chats.values()
        said = [message.text for chat in chats for message in chat.messages if message.from_bot]
        return find_secret_everywhere(self.secret, self.folder, self.provider, [self.printed, *said])

    def in_chat(self, chat: EmulatedChat | None = None) -> bool:
        """Whether a message in the chat still has it."""
        chat = chat or self.ann.private_chat()
        return any(self.secret in message.text for message in chat.messages)

    async def unseen(self, bot: RunningBot, chat: EmulatedChat | None = None) -> None:
        """It is nowhere, also not in a new backup, and no message has it."""
        await self.settle(bot)
        assert self.found() == []
        if isinstance(bot.core.clock, ManualClock):
            # The name of a backup is its time.
            await bot.core.clock.advance(1)
        await bot.core.backups.make()
        assert self.found() == []
        assert not self.in_chat(chat)


@pytest.fixture
def place(
    emu: Emulator, ann: EmulatedUser, provider: ScriptedProvider, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> Place:
    configure_logging("console", "debug", None)
    return Place(emu, ann, provider, tmp_path, capsys)


@pytest.fixture
def guarded(start: Start) -> Guarded:
    """Starts the bot with the password."""

    @asynccontextmanager
    async def starter(secret: str = PASSWORD, **settings: Any) -> AsyncGenerator[RunningBot]:
        async with start(admin__password_hash=HASHES[secret], **settings) as bot:
            yield bot

    return starter


async def lock(ask: Ask) -> None:
    await ask("/admin backup")
    for number in range(3):
        await ask(f"guess {number}")


class TestRepeated:
    async def test_twice_at_once(self, ask: Ask, ann: EmulatedUser, place: Place, guarded: Guarded) -> None:
        async with guarded() as bot:
            await ask("/admin backup")
            for _ in range(3):
                await ann.say(PASSWORD)
            await place.unseen(bot)
        assert place.provider.requests == []

    async def test_twice_one_after_the_other(self, ask: Ask, place: Place, guarded: Guarded) -> None:
        async with guarded() as bot:
            await ask("/admin backup")
            await ask(PASSWORD)
            again = await ask(PASSWORD)
            await place.unseen(bot)
        assert "where I had not asked for it" in again.text

    async def test_with_the_command_before_the_prompt(self, ann: EmulatedUser, place: Place, guarded: Guarded) -> None:
        async with guarded() as bot:
            await ann.say("/admin backup")
            await ann.say(PASSWORD)
            await place.unseen(bot)
            assert any(message.text.startswith("The backup is made") for message in ann.private_chat().messages)

    @pytest.mark.parametrize("seconds", [0, 299, 301, 500])
    async def test_during_and_after_a_lockout(self, ask: Ask, place: Place, guarded: Guarded, seconds: int) -> None:
        clock = ManualClock()
        async with guarded(clock=clock) as bot:
            await lock(ask)
            for _ in range(3):
                await ask(PASSWORD)
                await clock.advance(seconds)
                seconds = 0
            await place.unseen(bot)

    async def test_after_a_lockout_and_a_restart(self, ask: Ask, place: Place, guarded: Guarded) -> None:
        clock = ManualClock()
        async with guarded(clock=clock):
            await lock(ask)
        async with guarded(clock=clock) as bot:
            for _ in range(2):
                assert "locked for 5 minutes" in (await ask(PASSWORD)).text
            await place.unseen(bot)

    async def test_twice_too_late(self, ask: Ask, place: Place, guarded: Guarded) -> None:
        clock = ManualClock()
        async with guarded(clock=clock) as bot:
            await ask("/admin backup")
            await clock.advance(61)
            await ask(PASSWORD)
            await ask(PASSWORD)
            await place.unseen(bot)

    async def test_a_phrase_too_late(self, ask: Ask, place: Place, guarded: Guarded) -> None:
        clock, place.secret = ManualClock(), PHRASE
        async with guarded(PHRASE, clock=clock) as bot:
            await ask("/admin backup")
            await clock.advance(61)
            await ask(PHRASE)
            await ask(PHRASE)
            await place.unseen(bot)

    async def test_a_phrase_after_the_session(self, ask: Ask, place: Place, guarded: Guarded) -> None:
        clock, place.secret = ManualClock(), PHRASE
        async with guarded(PHRASE, clock=clock) as bot:
            await ask("/admin backup")
            await ask(PHRASE)
            await clock.advance(7200)
            await ask(PHRASE)
            await place.unseen(bot)

    async def test_without_any_prompt(self, ask: Ask, place: Place, guarded: Guarded) -> None:
        async with guarded() as bot:
            assert "I had not asked for it" in (await ask(PASSWORD)).text
            await place.unseen(bot)

    async def test_after_the_session(self, ask: Ask, place: Place, guarded: Guarded) -> None:
        clock = ManualClock()
        async with guarded(clock=clock) as bot:
            await ask("/admin backup")
            await ask(PASSWORD)
            await clock.advance(3600)
            await ask(PASSWORD)
            await place.unseen(bot)


FORMS = [
    *("{}", "  {}  ", "'{}'", "`{}`", "**{}**", "@demo_bot {}", "{} @demo_bot", "{}\n{}"),
    *("/ping {}", "/admin {}", "/admin backup {}", "/start {}", "/nothing {}"),
    *("/{}", "/admin {} backup", "/ping {} now please", "/cancel {}", "/admin@demo_bot {} backup"),
]
IN_SENTENCES = [
    "x" * 4000 + "{}",
    "the password is {}",
    "{} is it",
    "password:{}!",
    "/model set to {}",
    "x" * 3000 + " {}",
]


class TestForms:
    @pytest.mark.parametrize("form", FORMS)
    @pytest.mark.parametrize("when", ["asked", "locked", "late", "never asked"])
    async def test_of_messages(self, ask: Ask, place: Place, guarded: Guarded, form: str, when: str) -> None:
        clock = ManualClock()
        async with guarded(clock=clock) as bot:
            if when in {"asked", "late"}:
                await ask("/admin backup")
            if when == "late":
                await clock.advance(61)
            if when == "locked":
                await lock(ask)
            await ask(form.format(PASSWORD, PASSWORD))
            await place.unseen(bot)

    @pytest.mark.parametrize("form", [*FORMS, *IN_SENTENCES])
    async def test_of_messages_in_a_session(self, ask: Ask, place: Place, guarded: Guarded, form: str) -> None:
        async with guarded() as bot:
            await ask("/admin backup")
            await ask(PASSWORD)
            await ask(form.format(PASSWORD, PASSWORD))
            await place.unseen(bot)

    @pytest.mark.parametrize("when", ["session", "locked", "never asked"])
    @pytest.mark.parametrize("kind", ["message", "edited_message"])
    async def test_of_other_contents(self, ask: Ask, place: Place, guarded: Guarded, when: str, kind: str) -> None:
        contents: Sequence[dict[str, Any]] = (
            {"caption": PASSWORD, "document": {"file_id": "1", "file_unique_id": "1"}},
            {"rich_message": {"blocks": [{"type": "paragraph", "text": [PASSWORD]}]}},
            {"contact": {"phone_number": "1", "first_name": PASSWORD}},
            {"poll": {"id": "1", "question": PASSWORD, "options": [], "total_voter_count": 0, "is_closed": False}},
            {"text": PASSWORD, "forward_origin": {"type": "hidden_user", "sender_user_name": "Eve", "date": 1}},
            {"text": PASSWORD, "photo": "none"},
            {"text": PASSWORD, "entities": [{"type": "spoiler", "offset": 0, "length": 16}]},
            {"caption": PASSWORD, "media_group_id": "1", "photo": []},
        )
        async with guarded() as bot:
            hello = await ask("/ping")
            if when == "session":
                await ask("/admin backup")
                await ask(PASSWORD)
            if when == "locked":
                await lock(ask)
            for number, content in enumerate(contents[: 5 if when == "never asked" else None]):
                place.emu.inject_update(update(place.ann, hello.id + 500 + number, content, kind))
                await place.settle(bot)
                assert place.found() == [], content
        assert place.provider.requests == []

    async def test_a_reply_to_it(self, ask: Ask, place: Place, guarded: Guarded) -> None:
        async with guarded() as bot:
            question = await ask("/admin backup")
            await ask(PASSWORD)
            quoted = update(place.ann, question.id + 1, {"text": PASSWORD})["message"]
            replied = {"text": "What was that?", "reply_to_message": quoted, "quote": {"text": PASSWORD, "position": 0}}
            place.emu.inject_update(update(place.ann, question.id + 400, {**replied, "quote": None}))
            await place.settle(bot)
            await place.unseen(bot)
        assert place.provider.questions

    async def test_an_edit_of_an_earlier_question(
        self, ask: Ask, ann: EmulatedUser, place: Place, guarded: Guarded
    ) -> None:
        async with guarded() as bot:
            said = await ann.say("Hello")
            await place.settle(bot)
            await ask("/admin backup")
            await ask(PASSWORD)
            await ann.edit(said, PASSWORD)
            await place.unseen(bot)
        assert place.provider.questions == ["Hello"]


class TestGroups:
    @pytest.mark.parametrize("form", ["@demo_bot {}", "{} @demo_bot", "{}", "/ping@demo_bot {}", "@demo_bot '{}'"])
    @pytest.mark.parametrize("when", ["asked", "told to ask in private", "locked", "session", "never asked"])
    async def test_it_is_deleted_there(
        self, ask: Ask, ann: EmulatedUser, place: Place, guarded: Guarded, form: str, when: str
    ) -> None:
        group = place.emu.add_group(title="Team", members=[ann])
        async with guarded(admin_chat_id=group.id) as bot:
            await bot.core.database.write(decide_group(group))
            await ask("/ping")
            if when == "told to ask in private":
                await ask("/admin@demo_bot backup", chat=group)
            if when in {"asked", "session"}:
                await ask("/admin backup")
            if when == "session":
                await ask(PASSWORD)
            if when == "locked":
                await lock(ask)
            await ann.say(form.format(PASSWORD), chat=group)
            await place.settle(bot)
            assert place.found() == []
        told = [
            message.text
            for message in ann.private_chat().messages
            if "I have not passed on your message in Team" in message.text
        ]
        assert len(told) == 1
        assert place.provider.requests == []

    async def test_a_guess_is_swallowed_there_too(
        self, ask: Ask, ann: EmulatedUser, place: Place, guarded: Guarded
    ) -> None:
        group = place.emu.add_group(title="Team", members=[ann])
        async with guarded() as bot:
            await bot.core.database.write(decide_group(group))
            await ask("/admin backup")
            await ann.say("@demo_bot guess", chat=group)
            await place.settle(bot)
        assert place.provider.requests == []

    @pytest.mark.parametrize("when", ["session", "asked"])
    async def test_a_reply_of_somebody_else_to_one_that_can_not_be_deleted(
        self, ask: Ask, ann: EmulatedUser, eve: EmulatedUser, place: Place, guarded: Guarded, when: str
    ) -> None:
        group = place.emu.add_group(title="Team", members=[ann, eve])
        async with guarded() as bot:
            await bot.core.database.write(decide_group(group))
            await bot.core.database.write(role(eve, "user"))
            await ask("/admin backup")
            if when == "session":
                await ask(PASSWORD)
            place.emu.faults.add(Fault.api_error("deleteMessage", 400, "message can't be deleted"))
            said = await ann.say(f"@demo_bot {PASSWORD}", chat=group)
            await place.settle(bot)
            assert place.in_chat(group)
            await eve.say("@demo_bot what is that?", chat=group, reply_to=said)
            await place.settle(bot)
            assert place.found() == []
        assert len(place.provider.requests) == 1


class TestOrdinary:
    """Other messages reach the model as they were sent."""

    async def test_what_is_no_password(self, ask: Ask, ann: EmulatedUser, place: Place, guarded: Guarded) -> None:
        asked = ["Hello", "What is the capital of France?", "Antarctica", "Sesame-Street-43", "two\nlines of text"]
        async with guarded():
            for text in asked:
                await ask(text)
        assert place.provider.questions == asked

    async def test_the_items_of_an_album_stay_together(self, ann: EmulatedUser, place: Place, guarded: Guarded) -> None:
        files = [(f"report-of-part-{number}.txt", f"Part {number}.".encode()) for number in range(3)]
        async with guarded() as bot:
            await ann.album(files, mime="text/plain", kind="document", caption="Compare these files")
            await place.settle(bot)
            assert bot.core.password.may_check(ann.id)
        assert len(place.provider.requests) == 1
        assert all(f"Part {number}." in place.provider.requests[0].messages[-1].text for number in range(3))

    async def test_a_password_that_can_not_be_deleted_is_not_said_to_be(
        self, ask: Ask, place: Place, guarded: Guarded
    ) -> None:
        async with guarded():
            place.emu.faults.add(Fault.api_error("deleteMessage", 400, "message can't be deleted"))
            said = await ask(PASSWORD)
        assert "please delete it yourself" in said.text
        assert "I have deleted" not in said.text

    async def test_after_cancel_in_a_lockout(self, ask: Ask, place: Place, guarded: Guarded) -> None:
        async with guarded():
            await lock(ask)
            assert "/cancel" in (await ask("Hello")).text
            await ask("/cancel")
            await ask("Hello there, what is new?")
        assert place.provider.questions == ["Hello there, what is new?"]

    async def test_texts_of_other_lengths_need_no_check_once_the_password_was_entered(
        self, ask: Ask, place: Place, guarded: Guarded
    ) -> None:
        clock = ManualClock()
        async with guarded(clock=clock) as bot:
            await ask("/admin backup")
            await ask(PASSWORD)
            await clock.advance(7200)
            for number in range(12):
                await ask(f"Antarctica-{number}")
            await ask(PASSWORD)
            await place.unseen(bot)
        assert len(place.provider.requests) == 12

    async def test_only_a_few_an_hour_are_checked(self, ask: Ask, place: Place, guarded: Guarded) -> None:
        async with guarded() as bot:
            for number in range(20):
                await ask(f"Sesame-Street-{number}")
            checked = bot.core.password.may_check(place.ann.id)
        assert not checked
        assert len(place.provider.requests) == 20


class TestRoles:
    @pytest.mark.parametrize("said", [PASSWORD, "Sesame-Street-43"])
    async def test_somebody_who_is_no_admin_any_more_learns_nothing(
        self, emu: Emulator, eve: EmulatedUser, place: Place, guarded: Guarded, said: str
    ) -> None:
        async with guarded() as bot:
            await bot.core.database.write(role(eve, "admin"))
            for text in ("/admin backup", "guess"):
                asked = await eve.say(text)
                await emu.wait_for_message(asked.chat, lambda message: message.from_bot, after=asked)
            await bot.core.database.write(role(eve, "user"))
            before = len(eve.private_chat().messages)
            await eve.say(said)
            await emu.wait_for(lambda: place.provider.requests)
            await place.settle(bot)
            texts = [message.text for message in eve.private_chat().messages[before:]]
            tries = await bot.core.database.read(
                lambda conn: conn.execute("SELECT count(*) FROM kv WHERE scope = 'admin_question'").fetchone()[0]
            )
        assert texts[0] == said
        assert not any("assword" in text.replace(said, "") for text in texts)
        assert tries == 0
        assert place.provider.questions == [said]


class TestCrash:
    async def test_one_that_waits_is_never_stored(
        self, ask: Ask, ann: EmulatedUser, place: Place, guarded: Guarded, killed: Killed
    ) -> None:
        gate = asyncio.Event()
        place.provider.answer(gate, "one")
        async with killed(guarded()) as bot:
            menu = await ask("/admin")
            await ann.say("first")
            await place.emu.wait_for(lambda: place.provider.requests)
            await ann.press(menu, "Backup")
            await place.emu.wait_for_message(menu.chat, lambda message: "admin password" in message.text, after=menu)
            await ann.say(PASSWORD)
            while not await bot.core.database.read(lambda conn: inbox.queued(conn, f":{ann.id}:", 1)):
                await pause()
            assert place.found() == []
            await bot.core.backups.make()
            assert place.found() == []
        assert place.found() == []
        place.provider.answer("two")
        async with guarded() as bot:
            await place.emu.wait_for_message(
                menu.chat, lambda message: "I was restarted before I could look" in message.text
            )
            await place.unseen(bot)
        assert place.provider.questions == ["first", "first"]


def role(person: EmulatedUser, name: users.Role) -> Callable[[Connection], None]:
    def unit(conn: Connection) -> None:
        users.upsert_seen(conn, users.SeenUser(person.id, first_name="Eve"), 1)
        users.set_status(conn, person.id, "active", 1)
        users.set_role(conn, person.id, name, 1)

    return unit


def update(person: EmulatedUser, message_id: int, content: dict[str, Any], kind: str = "message") -> dict[str, Any]:
    who = {"id": person.id, "is_bot": False, "first_name": "Ann", "language_code": "en"}
    chat = {"id": person.id, "type": "private", "first_name": "Ann"}
    dates = {"date": 1} if kind == "message" else {"date": 1, "edit_date": 2}
    content = {key: value for key, value in content.items() if value is not None}
    return {kind: {"message_id": message_id, **dates, "chat": chat, "from": who, **content}}
