"""The scope of an update, before and behind the access middleware."""

from types import SimpleNamespace
from typing import Any, cast

import pytest

from tgllm.api import ChatInfo, UserInfo
from tgllm.bot.delivery.rows import message_rows
from tgllm.bot.scope import Scope, UpdateScope
from tgllm.db.database import Database
from tgllm.db.tables import inbox, outbox
from tgllm.db.tables.inbox import InboxRow, NewUpdate
from tgllm.db.tables.users import SeenUser
from tgllm.i18n import Catalogue
from tgllm.services.common.actor import Actor
from tgllm.services.common.lane import Lane
from tgllm.testing.clock import ManualClock

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
    (row,) = await database.write(lambda conn: inbox.claim(conn, 1, 1, max_attempts=1))
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
