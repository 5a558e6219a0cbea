"""Rows wake the sender by the commit that holds them, whoever has added them."""

import asyncio
from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING, cast

import pytest
from aiogram.methods import SendMessage
from aiogram.types import Chat, Message

from database_support import busy
from tgllm.api.clock import SystemClock
from tgllm.bot.delivery.rows import message_rows
from tgllm.bot.delivery.sender import Sender
from tgllm.bot.telegram.limiter import Limiter
from tgllm.bot.telegram.limits.rates import Rates
from tgllm.db.database import Database
from tgllm.db.engine.unit import Connection
from tgllm.db.tables import outbox
from tgllm.i18n import Catalogue
from tgllm.services.common.lane import Lane

if TYPE_CHECKING:
    from aiogram import Bot


@pytest.fixture(autouse=True)
def units_run_twice() -> None:
    """They run once: statements are counted."""


class Telegram:
    """Takes every message."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    async def __call__(self, method: SendMessage) -> Message:
        self.texts.append(method.text)
        return Message.model_construct(message_id=len(self.texts), chat=Chat(id=1, type="private"))


@pytest.fixture
def telegram() -> Telegram:
    return Telegram()


@pytest.fixture
async def sender(database: Database, telegram: Telegram) -> AsyncGenerator[Sender]:
    """A sender that runs, and has nothing to do."""
    clock = SystemClock()
    limiter = Limiter(Rates(overall=0, private=0), clock)
    sender = Sender(cast("Bot", telegram), database, limiter, clock, Catalogue(strict=True))
    running = asyncio.create_task(sender.run())
    await sender.wait_idle()
    yield sender
    running.cancel()
    await asyncio.wait([running])


def add(conn: Connection, text: str) -> None:
    outbox.add(conn, message_rows(Lane(1), text), 0)


async def test_a_row_of_any_unit_goes_out(database: Database, telegram: Telegram, sender: Sender) -> None:
    await database.write(lambda conn: add(conn, "News"))
    await sender.wait_idle()
    assert telegram.texts == ["News"]


async def test_a_row_that_is_rolled_back_wakes_nobody(database: Database, telegram: Telegram, sender: Sender) -> None:
    def broken(conn: Connection) -> None:
        add(conn, "News")
        raise LookupError

    with pytest.raises(LookupError):
        await database.write(broken)
    assert sender._idle.is_set()
    assert telegram.texts == []


async def test_a_row_of_a_unit_among_others_goes_out(database: Database, telegram: Telegram, sender: Sender) -> None:
    async with busy(database):
        writes = [asyncio.create_task(database.write(lambda conn, text=text: add(conn, text))) for text in "ab"]
        await asyncio.wait(writes, timeout=0)
    await asyncio.gather(*writes)
    await sender.wait_idle()
    assert telegram.texts == ["a", "b"]


async def test_a_row_that_is_committed_together_with_a_look_for_rows_is_waited_for(
    database: Database, telegram: Telegram, sender: Sender
) -> None:
    async with busy(database):
        sender.wake()
        await asyncio.sleep(0.01)
        writing = asyncio.create_task(database.write(lambda conn: add(conn, "News")))
        await asyncio.wait([writing], timeout=0)
    await writing
    await sender.wait_idle()
    assert telegram.texts == ["News"]


@pytest.mark.sqlite  # on a server a claim has a transaction of its own
async def test_an_expected_row_is_claimed_in_the_transaction_that_stores_it(
    database: Database, telegram: Telegram, sender: Sender
) -> None:
    statements: list[str] = []
    await database.write(lambda conn: conn.set_trace_callback(statements.append))
    statements.clear()
    database.expect("outbox")
    await database.write(lambda conn: add(conn, "News"))
    assert statements.count("COMMIT") == 1
    # The rows that may go now, fresh ones and those put off. None is left, so none is looked for.
    assert len([sql for sql in statements if "FROM outbox AS head" in sql]) == 2
    await sender.wait_idle()
    assert telegram.texts == ["News"]
    # The second one records the call.
    assert statements.count("COMMIT") == 2


async def test_a_row_that_was_expected_in_vain_is_not_waited_for(
    database: Database, telegram: Telegram, sender: Sender
) -> None:
    def broken(conn: Connection) -> None:
        add(conn, "News")
        raise LookupError

    database.expect("outbox")
    with pytest.raises(LookupError):
        await database.write(broken)
    await sender.wait_idle()
    assert telegram.texts == []


async def test_the_call_begins_before_the_one_who_added_the_row_goes_on(
    database: Database, telegram: Telegram, sender: Sender
) -> None:
    """A turn yields once after its transaction, so its log lines and plugins don't delay the answer."""
    database.expect("outbox")
    await database.write(lambda conn: add(conn, "News"))
    await asyncio.sleep(0)
    assert telegram.texts == ["News"]
