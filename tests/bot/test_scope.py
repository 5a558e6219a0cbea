"""The scope of an update, before and behind the access middleware."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from types import SimpleNamespace
from typing import Any, cast

import pytest
from aiogram.types import TelegramObject

from tgllm.api import ChatInfo, UserInfo
from tgllm.bot.delivery.rows import message_rows
from tgllm.bot.handlers.message import MessageHandler
from tgllm.bot.scope import Scope, UpdateScope
from tgllm.db.database import Database
from tgllm.db.queries import inbox_claims
from tgllm.db.tables import inbox, outbox, users
from tgllm.db.tables.inbox import InboxRow, NewUpdate
from tgllm.db.tables.users import SeenUser
from tgllm.i18n import Catalogue
from tgllm.services.common.actor import Actor
from tgllm.services.common.lane import Lane
from tgllm.testing.bot import RunningBot
from tgllm.testing.clock import ManualClock
from tgllm.testing.emulator import Emulator
from tgllm.testing.emulator.users import EmulatedUser

Start = Callable[..., AbstractAsyncContextManager[RunningBot]]
Got = asyncio.Queue[UpdateScope]

EVE = SeenUser(7, first_name="Eve", language_code="en")
UPDATE, LANE = 5, Lane(7)


class Acknowledgements:
    """Counts how often it is asked what takes back that an update was seen."""

    def __init__(self) -> None:
        self.asked = 0

    def taken_away(self, row: InboxRow, message_ids: object) -> list[outbox.NewOutbox]:
        self.asked += 1
        return message_rows(LANE, "taken away")


@pytest.fixture
async def before(database: Database) -> UpdateScope:
    """The scope of an update that is being handled, as the access middleware gets it."""
    core = SimpleNamespace(database=database, clock=ManualClock(), texts=Catalogue(strict=True))
    parts: Any = SimpleNamespace(core=core, acknowledgements=Acknowledgements())
    update = NewUpdate(UPDATE, LANE.key, "message", control=False, payload="{}")
    await database.write(lambda conn: inbox.add_updates(conn, [update], 1))
    (row,) = await database.write(lambda conn: inbox_claims.claim(conn, 1, 1, max_attempts=1))
    return UpdateScope(row=row, parts=parts, lane=LANE, chat=ChatInfo(7, "private"), person=EVE, user=None)


def known(scope: UpdateScope, language: str = "ru") -> Scope:
    return Scope.of(scope, EVE, UserInfo(7, "Eve", "user", language=language), "mention")


async def test_the_language_is_that_of_telegram_until_somebody_has_looked(before: UpdateScope) -> None:
    assert before.language == "en"
    assert known(before).language == "ru"
    assert known(before).text("turn.stopped") != before.text("turn.stopped")


async def test_who_decides_is_the_sender(before: UpdateScope) -> None:
    assert known(before).actor == Actor(7, "telegram")


async def test_an_update_that_a_handler_has_ended_is_over_for_all(before: UpdateScope, database: Database) -> None:
    behind = known(before)
    await behind.reply("Hello")
    assert before.ended
    assert behind.ended
    row = await database.read(lambda conn: inbox.get(conn, UPDATE))
    assert row is not None
    assert row.state == "done"


async def test_it_is_taken_back_once_that_an_update_was_seen(before: UpdateScope, database: Database) -> None:
    behind = known(before)
    behind.ending()
    await before.end()
    assert cast("Acknowledgements", before.parts.acknowledgements).asked == 1
    assert await database.read(outbox.counts) == {"ready": 1}


async def test_a_turn_ends_the_update_by_its_own_transaction(before: UpdateScope, database: Database) -> None:
    ending = known(before).ending()
    assert not before.ended
    await before.write(ending)
    assert before.ended
    assert await before.read(outbox.counts) == {"ready": 1}


@pytest.fixture
def got(monkeypatch: pytest.MonkeyPatch) -> Got:
    """The scopes that the handlers of messages and of memberships get; they do nothing else."""
    scopes = Got()

    async def keep(event: TelegramObject, scope: UpdateScope) -> None:
        await scopes.put(scope)

    async def keep_message(handler: MessageHandler, event: TelegramObject, scope: UpdateScope) -> None:
        await scopes.put(scope)

    monkeypatch.setattr(MessageHandler, "handle", keep_message)
    monkeypatch.setattr("tgllm.bot.assembly.handle_membership", keep)
    return scopes


async def test_a_handler_gets_the_user_and_short_ways_to_what_it_needs(
    ann: EmulatedUser, start: Start, got: Got
) -> None:
    async with start() as bot:
        await ann.say("hello")
        scope = await got.get()
        assert isinstance(scope, Scope)
        assert (scope.user.id, scope.user.name, scope.user.role) == (ann.id, "Ann", "owner")
        assert scope.person.id == ann.id
        assert scope.actor == Actor(ann.id, "telegram")
        assert scope.language == "en"
        assert scope.core is bot.core
        assert scope.config is bot.core.config
        assert scope.now == pytest.approx(1000 * scope.clock.now(), abs=60_000)
        await scope.write(lambda conn: users.set_role(conn, ann.id, "user", scope.now))
        row = await scope.read(lambda conn: users.get(conn, ann.id))
        assert row is not None
        assert row.role == "user"


async def test_who_brings_the_bot_into_a_group_may_have_no_role(
    emu: Emulator, eve: EmulatedUser, start: Start, got: Got
) -> None:
    team = emu.add_group(title="Team", members=[eve], bots=[])
    async with start():
        await eve.add(team, emu.bot)
        scope = await got.get()
    assert isinstance(scope, Scope)
    assert (scope.user.id, scope.user.role) == (eve.id, None)


async def test_an_update_that_one_of_its_scopes_has_ended_is_not_ended_again(
    emu: Emulator, ann: EmulatedUser, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def answer_and_fail(handler: MessageHandler, event: TelegramObject, scope: Scope) -> None:
        await Scope.of(scope, scope.person, scope.user, "always").reply("Done.")
        assert scope.ended
        raise RuntimeError("too late to be told")

    monkeypatch.setattr(MessageHandler, "handle", answer_and_fail)
    async with start() as bot:
        await ann.say("hello")
        await emu.wait_for_message(ann.private_chat(), lambda message: message.from_bot)
        await bot.stop()
    assert ann.private_chat().bot_texts == ["Done."]
