"""Many requests for access cost an admin's chat a few messages: the last one counts, and is edited."""

import pytest

from tgllm.config.sections.access import AccessSection
from tgllm.db.database import Database
from tgllm.db.engine.unit import Connection
from tgllm.db.queries import outbox_claims
from tgllm.db.tables import outbox, users
from tgllm.db.tables.outbox import OutboxRow
from tgllm.db.tables.users import SeenUser
from tgllm.i18n import Catalogue
from tgllm.services.access.bundle import EDIT_MILLISECONDS
from tgllm.services.access.cards import MOST_SHORTLY
from tgllm.services.access.service import Access
from tgllm.services.access.upkeep import AccessUpkeep
from tgllm.services.access.user_service import UserService
from tgllm.services.common.actor import SHELL
from tgllm.services.turns.running import RunningTurns
from tgllm.testing.clock import ManualClock

ADMINS = (1, 2, 3)
LATER = EDIT_MILLISECONDS / 1000


class Bot:
    """The services on one database, and a Telegram that takes everything."""

    def __init__(self, database: Database, clock: ManualClock) -> None:
        texts, running = Catalogue(strict=True), RunningTurns()
        self.database, self.clock = database, clock
        self.access = Access.of(AccessSection(), None, texts, clock, running)
        self.users = UserService(database, clock, texts, self.access.cards, running)
        self.upkeep = AccessUpkeep(database, clock, texts, self.access, running)

    async def ask(self, *user_ids: int) -> None:
        def unit(conn: Connection) -> None:
            for user_id in user_ids:
                self.access.requests.request_in(conn, SeenUser(user_id, first_name="Eve"))

        await self.database.write(unit)

    async def ask_for_groups(self, *chat_ids: int) -> None:
        for chat_id in chat_ids:
            await self.database.write(
                lambda conn, chat_id=chat_id: self.access.groups.request_in(conn, chat_id, "Room", 7)  # type: ignore[misc]  bound at once
            )

    async def claim(self) -> list[OutboxRow]:
        now = int(self.clock.now() * 1000)
        return await self.database.write(lambda conn: outbox_claims.claim(conn, 99, now))

    async def deliver(self, chat_id: int = 1) -> list[str]:
        """The first lines that are sent now, to one of the chats."""
        found: list[str] = []
        while rows := await self.claim():
            found += [str(row.payload["text"]).splitlines()[0] for row in rows if row.chat_id == chat_id]
            ids = [(row.id, row.id) for row in rows]
            await self.database.write(lambda conn, ids=ids: outbox.mark_sent(conn, ids, 1))  # type: ignore[misc]  bound at once
        return found


def more(count: int) -> str:
    return f"🔔 {count} more requests for access are waiting: /admin users pending"


@pytest.fixture
async def bot(database: Database, clock: ManualClock) -> Bot:
    await database.write(lambda conn: users.ensure_owners(conn, ADMINS, 1))
    return Bot(database, clock)


async def test_what_comes_after_a_few_cards_is_one_message(bot: Bot) -> None:
    await bot.ask(*range(100, 900))
    for admin in ADMINS[1:]:
        assert await bot.database.read(lambda conn, admin=admin: waiting(conn, admin)) == MOST_SHORTLY + 1  # type: ignore[misc]  bound at once
    assert (await bot.deliver())[MOST_SHORTLY:] == [more(800 - MOST_SHORTLY)]


def waiting(conn: Connection, chat_id: int) -> int:
    return int(conn.execute("SELECT count(*) FROM outbox WHERE chat_id = ?", (chat_id,)).fetchone()[0])


async def test_the_message_is_edited_and_not_for_each_request(bot: Bot, clock: ManualClock) -> None:
    await bot.ask(*range(100, 105))
    assert await bot.deliver() != []
    for number in range(200, 260):
        await bot.ask(number)
    assert await bot.deliver() == []
    await clock.advance(LATER)
    rows = await bot.claim()
    assert [(row.chat_id, row.kind, row.payload["text"]) for row in rows] == [
        (admin, "edit", more(65 - MOST_SHORTLY)) for admin in ADMINS
    ]


async def test_the_same_edit_is_made_again_with_a_new_number(bot: Bot, clock: ManualClock) -> None:
    await bot.ask(*range(100, 110))
    await bot.deliver()
    for last in (111, 112):
        await bot.ask(last)
        await clock.advance(LATER)
        assert await bot.deliver() == [more(last - 100 - MOST_SHORTLY)]
    assert await bot.database.read(lambda conn: waiting(conn, 1)) == MOST_SHORTLY + 2


async def test_a_number_that_changes_during_the_edit_is_corrected_later(bot: Bot, clock: ManualClock) -> None:
    await bot.ask(*range(100, 110))
    await bot.deliver()
    await bot.ask(110)
    await clock.advance(LATER)
    edits = await bot.claim()
    await bot.ask(111)
    await bot.database.write(lambda conn: outbox.mark_sent(conn, [(row.id, 1) for row in edits], 1))
    assert await bot.deliver() == []
    await bot.upkeep.look()
    await clock.advance(LATER)
    assert await bot.deliver() == [more(12 - MOST_SHORTLY)]


async def test_decisions_lower_the_number_until_nothing_waits(bot: Bot, clock: ManualClock) -> None:
    await bot.ask(*range(100, 100 + MOST_SHORTLY + 2))
    await bot.deliver()
    first, second = 100 + MOST_SHORTLY, 101 + MOST_SHORTLY
    await bot.users.decide(first, "approve", SHELL)
    await bot.upkeep.look()
    await clock.advance(LATER)
    assert await bot.deliver() == ["🔔 1 more request for access is waiting: /admin users pending"]
    await bot.users.decide(second, "deny", SHELL)
    await bot.upkeep.look()
    await clock.advance(LATER)
    assert await bot.deliver() == ["✅ No more requests for access are waiting."]
    await bot.upkeep.look()
    assert await bot.deliver() == []
    # The next ones get a message of their own, which admins are notified of.
    await bot.ask(900)
    rows = await bot.claim()
    assert [(row.kind, row.payload["text"]) for row in rows] == [
        ("send", "🔔 1 more request for access is waiting: /admin users pending")
    ] * len(ADMINS)


async def test_people_and_groups_have_buttons_that_show_them(bot: Bot) -> None:
    await bot.ask(*range(100, 100 + MOST_SHORTLY))
    await bot.ask_for_groups(-5)
    *_, row = [row for row in await all_of(bot) if row.chat_id == 1]
    assert buttons(row) == ["admin:groups +"]
    await bot.ask(200)
    await bot.upkeep.look()
    *_, row = [row for row in await all_of(bot) if row.chat_id == 1]
    assert buttons(row) == ["admin:users pending +", "admin:groups +"]


async def all_of(bot: Bot) -> list[OutboxRow]:
    def read(conn: Connection) -> list[OutboxRow]:
        ids = [row["id"] for row in conn.execute("SELECT id FROM outbox ORDER BY id")]
        return [row for row_id in ids if (row := outbox.get(conn, row_id)) is not None]

    return await bot.database.read(read)


def buttons(row: OutboxRow) -> list[str]:
    return [button["callback_data"] for line in row.payload["reply_markup"]["inline_keyboard"] for button in line]


async def test_cards_come_again_after_a_quiet_time(bot: Bot, clock: ManualClock) -> None:
    await bot.ask(*range(100, 110))
    await bot.deliver()
    await clock.advance(601)
    await bot.ask(300)
    assert await bot.deliver() == ["🔔 Eve (300) asks for access."]


async def test_an_admin_who_is_new_gets_the_message_too(bot: Bot) -> None:
    await bot.ask(*range(100, 110))
    await bot.deliver()
    await bot.database.write(lambda conn: users.ensure_owners(conn, (*ADMINS, 4), 1))
    await bot.ask(110)
    assert await bot.deliver(4) == [more(11 - MOST_SHORTLY)]
