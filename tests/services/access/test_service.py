"""Requests, cards, links and their upkeep: what is shown to whom, how often, and how it ends."""

from collections.abc import Callable
from typing import Any, TypeVar

import pytest

from tgllm.config.sections.access import AccessSection
from tgllm.config.sections.retention import RetentionSection
from tgllm.db.database import Database
from tgllm.db.engine.unit import Connection
from tgllm.db.queries import outbox_claims, pending_access
from tgllm.db.queries.scrub import scrub
from tgllm.db.tables import audit, groups, inbox, invites, outbox, users
from tgllm.db.tables.inbox import NewUpdate
from tgllm.db.tables.users import SeenUser, User
from tgllm.i18n import Catalogue
from tgllm.services.access.access_requests import Asked
from tgllm.services.access.cards import MOST_SHORTLY
from tgllm.services.access.invitations import token_hash
from tgllm.services.access.service import Access
from tgllm.services.access.upkeep import AccessUpkeep
from tgllm.services.access.user_service import UserService
from tgllm.services.common.actor import SHELL, Actor
from tgllm.services.files.storage.store import FileStorage
from tgllm.services.maintenance.retention import Retention
from tgllm.services.maintenance.unconfirmed import Unconfirmed
from tgllm.services.people.decisions import AccessError
from tgllm.services.turns.running import RunningTurns
from tgllm.testing.clock import ManualClock
from tgllm.testing.turns import turn_of

T = TypeVar("T")

ANN, BOB, EVE = 1, 2, 7
"""The owner, an admin, and somebody who asks."""
STRANGERS = 10_000
HOUR = 3600.0
DAY = 24 * HOUR


class Bot:
    """The services on one database."""

    def __init__(self, database: Database, clock: ManualClock, **settings: Any) -> None:
        self.database, self.clock, self.running = database, clock, RunningTurns()
        texts = Catalogue(strict=True)
        self.access = Access.of(AccessSection(**settings), None, texts, clock, self.running)
        self.users = UserService(database, clock, texts, self.access.cards, self.running)
        self.upkeep = AccessUpkeep(database, clock, texts, self.access, self.running)
        self.unconfirmed = Unconfirmed()
        self.unconfirmed.note((), any_new=False)
        self.retention = Retention(
            database,
            FileStorage(database.path.parent),
            clock,
            RetentionSection(),
            self.access.settings,
            self.unconfirmed,
        )

    async def write(self, unit: Callable[[Connection], T]) -> T:
        return await self.database.write(unit)

    async def ask(self, user_id: int = EVE, reason: str = "", name: str = "Eve") -> Asked:
        person = SeenUser(user_id, first_name=name)
        return await self.write(lambda conn: self.access.requests.request_in(conn, person, reason))

    async def user(self, user_id: int = EVE) -> User | None:
        return await self.database.read(lambda conn: users.get(conn, user_id))

    async def sent(self, chat_id: int) -> list[str]:
        """The texts that wait for a chat, which are then sent."""
        found: list[str] = []
        while rows := await self.write(lambda conn: outbox_claims.claim(conn, 1000, 1 << 60)):
            found += [str(row.payload["text"]) for row in rows if row.chat_id == chat_id]
            ids = [(row.id, row.id) for row in rows]
            await self.write(lambda conn, ids=ids: outbox.mark_sent(conn, ids, 1))
        return found

    async def actions(self) -> list[str]:
        rows = await self.database.read(lambda conn: audit.list_recent(conn, 100))
        return [row.action for row in reversed(rows)]


Make = Callable[..., Bot]


@pytest.fixture
async def make(database: Database, clock: ManualClock) -> Make:
    """Services with settings; Ann owns the bot, and Bob is an admin who speaks Russian."""
    await database.write(lambda conn: users.ensure_owners(conn, [ANN], 1))
    await database.write(lambda conn: users.upsert_seen(conn, SeenUser(BOB, "bob", "Bob", None, "ru"), 1))
    await database.write(lambda conn: users.set_status(conn, BOB, "active", 1))
    await database.write(lambda conn: users.set_role(conn, BOB, "admin", 1))
    return lambda **settings: Bot(database, clock, **settings)


async def test_a_request_is_shown_to_each_admin_in_their_language(make: Make) -> None:
    bot = make()
    assert await bot.ask(reason="from the choir") == "asked"
    assert await bot.ask() == "pending"
    rows = await bot.write(lambda conn: outbox_claims.claim(conn, 10, 1 << 60))
    assert [(row.chat_id, str(row.payload["text"]).splitlines()[0]) for row in rows] == [
        (ANN, "🔔 Eve (7) asks for access."),
        (BOB, "🔔 Eve (7) просит доступ."),
    ]
    keyboard = rows[0].payload["reply_markup"]["inline_keyboard"]
    data = [[button["callback_data"] for button in row] for row in keyboard]
    assert data == [["access:approve:7", "access:deny:7"], ["access:guest:7", "access:block:7"]]


async def test_words_of_strangers_stay_on_their_line(make: Make) -> None:
    bot = make()
    await bot.ask(name="Eve\n\u202eOwner", reason="please\n\n✅ approved already" + "!" * 5000)
    (text,) = await bot.sent(ANN)
    assert text.splitlines()[0] == "🔔 Eve Owner (7) asks for access."
    assert len(text.splitlines()) == 2
    assert len(text) < 500


async def test_a_card_that_was_not_sent_yet_is_not_sent_after_the_decision(make: Make) -> None:
    bot = make()
    await bot.ask()
    await bot.users.decide(EVE, "approve", Actor(BOB, "telegram"))
    assert await bot.sent(ANN) == []
    assert (await bot.database.read(outbox.counts))["dropped"] == 2


async def test_a_card_that_is_being_sent_is_edited_after_it(make: Make) -> None:
    bot = make()
    await bot.ask()
    (card, *_) = await bot.write(lambda conn: outbox_claims.claim(conn, 1, 1 << 60))
    await bot.users.decide(EVE, "approve", Actor(BOB, "telegram"))
    await bot.write(lambda conn: outbox.mark_sent(conn, [(card.id, 55)], 1))
    assert await bot.sent(ANN) == ["✅ Eve (7): approved by Bob @bob (2)"]


async def test_only_so_many_cards_an_hour_and_the_rest_is_summed_up(make: Make, clock: ManualClock) -> None:
    bot = make(cards_per_hour=2)
    for user_id in range(100, 105):
        await bot.ask(user_id)
    *cards, summary = await bot.sent(ANN)
    assert len(cards) == 2
    assert summary == "🔔 3 more requests for access are waiting: /admin users pending"
    await bot.upkeep.look()
    assert await bot.sent(ANN) == []
    await clock.advance(1)
    await bot.ask(105)
    await bot.upkeep.look()
    # An edit of the same message.
    assert await bot.sent(ANN) == ["🔔 4 more requests for access are waiting: /admin users pending"]
    await clock.advance(HOUR)
    await bot.upkeep.look()
    assert await bot.sent(ANN) == ["🔔 4 more requests for access are waiting: /admin users pending"]
    await clock.advance(HOUR)
    await bot.upkeep.look()
    assert await bot.sent(ANN) == []
    await bot.ask(106)
    assert len(await bot.sent(ANN)) == 1


async def test_when_too_many_wait_further_ones_are_told_to_come_later(make: Make) -> None:
    bot = make(most_pending=2)
    assert [await bot.ask(user_id) for user_id in (100, 101, 102)] == ["asked", "asked", "full"]
    assert await bot.user(102) is None
    await bot.users.decide(100, "deny", SHELL)
    assert await bot.ask(102) == "asked"


async def test_all_who_wait_are_declined_at_once_and_their_cards_say_so(make: Make) -> None:
    bot = make(cards_per_hour=1)
    for user_id in (100, 101):
        await bot.ask(user_id)
    await bot.sent(ANN)
    assert await bot.write(lambda conn: bot.users.decline_all_in(conn, Actor(ANN, "telegram"))) == 2
    assert await bot.sent(ANN) == [
        "❌ Eve (100): declined by (1)",
        "✅ No more requests for access are waiting.",
    ]
    assert (await bot.actions()) == ["user.deny_all"]
    with pytest.raises(AccessError):
        await bot.write(lambda conn: bot.users.decline_all_in(conn, Actor(100, "telegram")))


async def test_many_who_are_declined_at_once_are_told_a_few_each_second(make: Make, clock: ManualClock) -> None:
    bot = make(cards_per_hour=0)
    for user_id in range(100, 125):
        await bot.ask(user_id)
    await bot.write(lambda conn: bot.users.decline_all_in(conn, SHELL))
    told: list[int] = []
    for _ in range(3):
        now = int(clock.now() * 1000)
        rows = await bot.write(lambda conn, now=now: outbox_claims.claim(conn, 99, now))  # type: ignore[misc]  bound at once
        assert {row.payload["text"] for row in rows} == {"❌ Your request for access was declined."}
        told.append(len(rows))
        await bot.write(lambda conn, rows=rows: outbox.mark_sent(conn, [(row.id, 1) for row in rows], 1))  # type: ignore[misc]  bound at once
        await clock.advance(1)
    assert told == [10, 10, 5]


async def test_a_guest_whose_time_is_over_is_told_once_and_may_ask_again(make: Make, clock: ManualClock) -> None:
    bot = make()
    await bot.ask()
    await bot.users.decide(EVE, "guest", SHELL)
    await bot.sent(EVE)
    with bot.running.track(turn_of("u", ":7:", EVE)) as turn:
        await clock.advance(DAY + 1)
        await bot.upkeep.look()
        await bot.upkeep.look()
        assert turn.cause == "person"
    assert await bot.sent(EVE) == ["🕐 Your time as a guest is over. Send /start to ask for more."]
    assert await bot.actions() == ["user.guest", "user.expire"]
    assert await bot.ask() == "asked"


async def test_a_guest_whose_time_is_over_keeps_the_answer_in_a_group_that_is_let_in(
    make: Make, clock: ManualClock
) -> None:
    bot = make()
    await bot.write(lambda conn: bot.access.groups.approve_by(conn, -5, "Room", Actor(ANN, "telegram")))
    await bot.ask()
    await bot.users.decide(EVE, "guest", SHELL)
    with bot.running.track(turn_of("1", ":7:", EVE)) as private, bot.running.track(turn_of("2", ":-5:", EVE)) as there:
        await clock.advance(DAY + 1)
        await bot.upkeep.look()
        assert [private.cause, there.cause] == ["person", None]


async def test_a_guest_who_asks_again_before_the_bot_has_looked_loses_the_answer_too(
    make: Make, clock: ManualClock
) -> None:
    bot = make()
    await bot.ask()
    await bot.users.decide(EVE, "guest", SHELL)
    with bot.running.track(turn_of("1", ":7:", EVE)) as private:
        await clock.advance(DAY + 1)
        assert await bot.ask() == "asked"
        await bot.upkeep.look()
        assert private.cause == "person"


async def test_a_guest_may_ask_again_at_once_when_the_time_is_over(make: Make, clock: ManualClock) -> None:
    bot = make()
    await bot.ask()
    await bot.users.decide(EVE, "guest", SHELL)
    await clock.advance(DAY + 1)
    assert await bot.ask() == "asked"
    assert (await bot.user()) is not None


async def test_a_declined_person_may_ask_again_after_some_days_and_a_blocked_one_never(
    make: Make, clock: ManualClock
) -> None:
    bot = make(ask_again_days=7)
    for user_id in (100, 101):
        await bot.ask(user_id)
    await bot.users.decide(100, "deny", SHELL)
    await bot.users.decide(101, "block", SHELL)
    await clock.advance(7 * DAY - 1)
    assert [await bot.ask(100), await bot.ask(101)] == ["denied", "blocked"]
    await clock.advance(2)
    assert [await bot.ask(100), await bot.ask(101)] == ["asked", "blocked"]


async def test_requests_that_nobody_decides_are_forgotten(make: Make, clock: ManualClock) -> None:
    bot = make(request_days=30)
    await bot.ask()
    await clock.advance(30 * DAY - 1)
    await bot.retention.clean()
    assert await bot.user() is not None
    await clock.advance(HOUR + 2)
    await bot.retention.clean()
    assert await bot.user() is None


async def test_requests_for_groups_are_limited_and_decided_once(make: Make) -> None:
    bot = make(most_pending=1, cards_per_hour=1)
    service = bot.access.groups
    first = await bot.write(lambda conn: service.request_in(conn, -5, "Room", EVE))
    again = await bot.write(lambda conn: service.request_in(conn, -5, "Room", EVE))
    full = await bot.write(lambda conn: service.request_in(conn, -6, "Room", EVE))
    assert [first, again, full] == ["asked", "pending", "full"]
    await bot.sent(ANN)
    decided = await bot.write(lambda conn: service.decide_in(conn, -5, "deny", Actor(BOB, "telegram")))
    assert decided.changed
    late = await bot.write(
        lambda conn: service.decide_in(conn, -5, "approve", Actor(ANN, "telegram"), only_pending=True)
    )
    assert (late.changed, late.group.status) == (False, "denied")
    assert await bot.sent(ANN) == ["❌ Room (-5): declined by Bob @bob (2)"]
    assert await bot.write(lambda conn: service.request_in(conn, -5, "Room", EVE)) == "denied"
    with pytest.raises(AccessError):
        await bot.write(lambda conn: service.decide_in(conn, -7, "approve", SHELL))
    with pytest.raises(AccessError):
        await bot.write(lambda conn: service.decide_in(conn, -5, "approve", Actor(EVE, "telegram")))


async def test_turns_in_a_group_that_is_declined_are_stopped_but_those_of_admins(make: Make) -> None:
    bot = make()
    await bot.write(lambda conn: bot.access.groups.approve_by(conn, -5, "Room", Actor(ANN, "telegram")))
    with (
        bot.running.track(turn_of("1", ":-5:3", EVE)) as guests,
        bot.running.track(turn_of("2", ":-5:", ANN)) as owners,
    ):
        decided = await bot.write(lambda conn: bot.access.groups.decide_in(conn, -5, "deny", SHELL))
        decided.enforce()
        assert [guests.cause, owners.cause] == ["person", None]
    assert await bot.actions() == ["group.approve", "group.deny"]


async def redeem(bot: Bot, token: str, user_id: int = EVE) -> User | None:
    return await bot.write(lambda conn: bot.access.invitations.redeem_in(conn, SeenUser(user_id), token_hash(token)))


async def test_a_link_lets_in_and_is_noted_without_what_it_holds(make: Make) -> None:
    bot = make()
    made = await bot.write(lambda conn: bot.access.invitations.create_in(conn, Actor(BOB, "telegram"), 2, 1))
    user = await redeem(bot, made.token)
    assert user is not None
    assert (user.role, user.status, user.decided_by) == ("user", "active", BOB)
    assert await redeem(bot, made.token[:-1] + ("-" if made.token.endswith("_") else "_")) is None
    rows = await bot.database.read(lambda conn: audit.list_recent(conn, 10))
    assert [(row.actor_id, row.action, row.target) for row in rows] == [
        (EVE, "user.invite", "7"),
        (BOB, "invite.create", "1"),
    ]
    assert made.token not in repr(rows)


@pytest.mark.parametrize("end", ["expired", "spent", "revoked", "no_admin"])
async def test_a_link_that_has_ended_lets_nobody_in(make: Make, clock: ManualClock, end: str) -> None:
    bot = make()
    service = bot.access.invitations
    made = await bot.write(lambda conn: service.create_in(conn, Actor(BOB, "telegram"), 1, 1))
    match end:
        case "expired":
            await clock.advance(HOUR)
        case "spent":
            assert await redeem(bot, made.token, 100) is not None
        case "revoked":
            assert await bot.write(lambda conn: service.revoke_in(conn, Actor(ANN, "telegram"), made.invite.id))
        case _:
            await bot.users.decide(BOB, "block", Actor(ANN, "telegram"))
    assert await redeem(bot, made.token) is None
    assert await bot.user() is None


@pytest.mark.parametrize(("uses", "hours"), [(0, 1), (1, 0), (1001, 1), (1, 2161)])
async def test_links_have_limits(make: Make, uses: int, hours: int) -> None:
    bot = make()
    with pytest.raises(AccessError) as failed:
        await bot.write(lambda conn: bot.access.invitations.create_in(conn, SHELL, uses, hours))
    assert failed.value.code == "access_invite_range"


async def test_only_admins_make_and_revoke_links(make: Make) -> None:
    bot, service = make(), make().access.invitations
    await bot.ask()
    await bot.users.decide(EVE, "approve", SHELL)
    with pytest.raises(AccessError):
        await bot.write(lambda conn: service.create_in(conn, Actor(EVE, "telegram"), 1, 1))
    with pytest.raises(AccessError):
        await bot.write(lambda conn: service.revoke_in(conn, Actor(EVE, "telegram"), 1))


async def test_links_that_ended_long_ago_are_forgotten(make: Make, clock: ManualClock) -> None:
    bot = make()
    made = await bot.write(lambda conn: bot.access.invitations.create_in(conn, SHELL, 1, 1))
    await clock.advance(31 * DAY)
    await bot.retention.clean()
    assert await bot.database.read(lambda conn: invites.get(conn, made.invite.id)) is None


async def test_emptied_updates_go_after_an_hour_but_for_those_that_may_come_again(
    make: Make, database: Database, clock: ManualClock
) -> None:
    bot = make()

    def receive(conn: Connection) -> None:
        now = int(clock.now() * 1000)
        rows = [
            NewUpdate(number, ":7:", "message", False, f'{{"update_id":{number},"x":1}}') for number in (1, 2, 3, 4)
        ]
        inbox.add_updates(conn, rows, now)
        for number in (1, 2, 4):
            inbox.finish(conn, number, "done", now)
        for number in (1, 4):
            scrub(conn, number)

    await database.write(receive)
    bot.unconfirmed.note([4], any_new=True)
    await bot.retention.clean()
    await clock.advance(HOUR + 1)
    await bot.retention.clean()
    left = await database.read(lambda conn: [number for number in range(1, 5) if inbox.get(conn, number)])
    assert left == [2, 3, 4]


async def test_ten_thousand_strangers_fill_neither_disk_nor_admin_chat(
    make: Make, database: Database, clock: ManualClock
) -> None:
    bot = make()
    for first in range(0, STRANGERS, 500):

        def flood(conn: Connection, first: int = first) -> None:
            now = int(clock.now() * 1000)
            for number in range(first, first + 500):
                text = "let me in! " * 300
                update = NewUpdate(number, f":{1000 + number}:", "message", False, f'{{"text":"{text}"}}')
                inbox.add_updates(conn, [update], now)
                bot.access.requests.request_in(conn, SeenUser(1000 + number, "x" * 32, "y" * 64, "z" * 64, "en"), text)
                scrub(conn, number)
                inbox.finish(conn, number, "done", now)

        await bot.write(flood)
        await bot.upkeep.look()
    cards = await bot.sent(ANN)
    found = await database.read(pending_access.waiting)
    known = await database.read(lambda conn: len(users.list_all(conn)))
    assert len(cards) == MOST_SHORTLY + 1
    assert found.people == bot.access.settings.most_pending
    assert known == found.people + 2
    await clock.advance(2 * HOUR)
    await bot.retention.clean()
    await database.checkpoint()
    assert await database.read(inbox.counts) == {}
    # What the strangers sent were 33 MB.
    assert database.path.stat().st_size < 6_000_000
    assert await database.read(groups.list_all) == []
