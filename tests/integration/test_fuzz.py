"""Any updates through the whole bot: it neither ends nor hangs, and what people are to be answered is answered.

The examples are the same in every run. For others, 1000 lists of updates for each test:

    FUZZ_EXAMPLES=1000 python -m pytest tests/integration/test_fuzz.py
"""

import asyncio
import json
import os
import sys
from collections.abc import Iterator, Sequence
from itertools import count
from pathlib import Path
from typing import Self

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from bot_support import decide_group, from_bot, settled
from fuzzing.updates import Made, Place, broken, messages, presses, typed_updates, user_json
from tgllm.bot.assembly import own_commands, press_actions
from tgllm.db.engine.unit import Connection
from tgllm.db.tables import inbox, outbox
from tgllm.i18n import Catalogue
from tgllm.observe.logs import configure_logging
from tgllm.testing.bot import running_bot
from tgllm.testing.emulator import EmulatedUser, Emulator

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "0"))
PATIENCE = 60.0

fuzz = settings(
    max_examples=EXAMPLES or 12,
    derandomize=not EXAMPLES,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.generate, *([Phase.shrink] if EXAMPLES else [])],
)

pytestmark = [pytest.mark.once, pytest.mark.timeout(0 if EXAMPLES else 300)]


class Fuzzed:
    """A bot on a loop of its own, which goes on between the examples."""

    def __init__(self, folder: Path) -> None:
        self._runner = asyncio.Runner()
        self._folder = folder
        self._ended = asyncio.Event()
        self.numbers = count(1_000)
        self.answered = 0

    def __enter__(self) -> Self:
        self._runner.run(self._start())
        return self

    def __exit__(self, *_: object) -> None:
        self._runner.run(self._stop())
        self._runner.close()

    def place(self, *, in_group: bool = False) -> Place:
        """Where Ann writes; she is an owner."""
        names = [name for command in own_commands(Catalogue()) for name in (command.name, *command.aliases)]
        words = [action.word for action in press_actions()]
        chat = {"id": self.ann.id, "type": "private", "first_name": "Ann"}
        if in_group:
            chat = {"id": self.group.id, "type": "supergroup", "title": "Team"}
        return Place(user_json(self.ann.id, "Ann"), chat, names, words)

    def feed(self, updates: Sequence[Made]) -> None:
        """Let the bot have updates, and then questions, which it must answer."""
        self._runner.run(self._feed(updates))

    async def _start(self) -> None:
        ready = asyncio.get_running_loop().create_future()
        self._life = asyncio.create_task(self._live(ready))
        await asyncio.wait({ready, self._life}, return_when=asyncio.FIRST_COMPLETED)
        await ready

    async def _live(self, ready: "asyncio.Future[None]") -> None:
        async with Emulator() as self.emu:
            self.ann = self.emu.add_user(first_name="Ann", language_code="en")
            self.bea = self.emu.add_user(first_name="Bea", language_code="en")
            self.group = self.emu.add_group(title="Team", members=[self.ann])
            self.ann.private_chat()
            async with running_bot(self.emu, self._folder, admins=[self.ann.id, self.bea.id], **SETTINGS) as self.bot:
                await self.bot.core.database.write(decide_group(self.group))
                ready.set_result(None)
                await self._ended.wait()

    async def _stop(self) -> None:
        self._ended.set()
        await self._life

    async def _feed(self, updates: Sequence[Made]) -> None:
        shown = json.dumps([made.body for made in updates], default=str)
        ids = [self.emu.inject_bytes(lambda number, made=made: _bytes(made.body, number)) for made in updates]
        try:
            async with asyncio.timeout(PATIENCE):
                await settled(self.emu, self.bot)
                await self._ask(self.bea)
                await self._ask(self.ann)
        except TimeoutError:
            pytest.fail(f"the bot hangs after {shown}")
        assert not self._life.done(), f"the bot has ended after {shown}"
        for update_id, made in zip(ids, updates, strict=True):
            row = await self.bot.core.database.read(lambda conn, one=update_id: inbox.get(conn, one))
            text = json.dumps(made.body)
            assert row is None or row.state != "failed", f"the handler raised: {row and row.error}: {text}"
            if made.is_asked and not _is_edited(made, updates):
                assert row is not None, f"not stored: {text}"
                assert await self.bot.core.database.read(lambda conn, one=row: _is_answered(conn, one)), (
                    f"not answered ({row.state}, {row.kind}): {text}"
                )
                self.answered += 1

    async def _ask(self, person: EmulatedUser) -> None:
        question = f"question {next(self.numbers)}"
        before = len(from_bot(person.private_chat()))
        # The same person may be in the middle of a dialog, where a text is an answer to the bot.
        await person.say("/cancel")
        await person.say(question)
        await self.emu.wait_for(
            lambda: any(question in message.text for message in from_bot(person.private_chat())[before:]),
            timeout=PATIENCE,
        )


SETTINGS = {"budgets__messages_per_minute": 0, "sending__poll_timeout": 1}


def _bytes(body: object, update_id: int) -> bytes:
    whole = {"update_id": update_id, **body} if isinstance(body, dict) else body
    return json.dumps(whole).encode()


def _is_edited(made: Made, updates: Sequence[Made]) -> bool:
    """Whether an edit, of any content, may have replaced a message that waited."""
    number = made.body["message"]["message_id"]
    return any(each.body.get("edited_message", {}).get("message_id") == number for each in updates)


def _is_answered(conn: Connection, row: inbox.InboxRow) -> bool:
    """Whether something was sent for an update, or for the one of whose turn it is a part."""
    leader = row if row.leader_id is None else inbox.get(conn, row.leader_id)
    assert leader is not None
    return bool(outbox.of_turn(conn, f"u{leader.update_id}"))


@pytest.fixture(scope="module")
def fuzzed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fuzzed]:
    configure_logging("console", "error", sys.stdout)
    with Fuzzed(tmp_path_factory.mktemp("fuzz")) as fuzzed:
        yield fuzzed


def test_updates_of_every_kind(fuzzed: Fuzzed) -> None:
    @fuzz
    @given(st.lists(typed_updates(), min_size=1, max_size=15))
    def check(updates: list[Made]) -> None:
        fuzzed.feed(updates)

    check()


def test_messages_and_edits_of_any_content(fuzzed: Fuzzed) -> None:
    @fuzz
    @given(st.lists(messages(fuzzed.place(), lambda: next(fuzzed.numbers)), min_size=1, max_size=15))
    def check(updates: list[Made]) -> None:
        fuzzed.feed(updates)

    check()
    assert fuzzed.answered, "there was no question among them"


def test_messages_in_a_group(fuzzed: Fuzzed) -> None:
    @fuzz
    @given(st.lists(messages(fuzzed.place(in_group=True), lambda: next(fuzzed.numbers)), min_size=1, max_size=15))
    def check(updates: list[Made]) -> None:
        fuzzed.feed([Made(made.body) for made in updates])

    check()


def test_presses_with_any_data(fuzzed: Fuzzed) -> None:
    @fuzz
    @given(st.lists(presses(fuzzed.place(), lambda: next(fuzzed.numbers)), min_size=1, max_size=15))
    def check(updates: list[Made]) -> None:
        fuzzed.feed(updates)

    check()


def test_broken_updates(fuzzed: Fuzzed) -> None:
    place = fuzzed.place()

    def numbers() -> int:
        return next(fuzzed.numbers)

    whole = st.one_of(typed_updates(), messages(place, numbers), presses(place, numbers))

    @fuzz
    @given(st.lists(broken(whole), min_size=1, max_size=15))
    def check(updates: list[Made]) -> None:
        fuzzed.feed(updates)

    check()
