"""How somebody stands: what was decided about them goes before what holds for the group."""

import pytest

from tgllm.api import Role
from tgllm.db.database import Database
from tgllm.db.tables import groups, users
from tgllm.db.tables.groups import GroupStatus
from tgllm.db.tables.users import SeenUser, Status
from tgllm.i18n import Catalogue
from tgllm.services.access.cards import AccessCards
from tgllm.services.access.user_service import UserService
from tgllm.services.people.standing import may_talk, standing_of
from tgllm.testing.clock import ManualClock

EVE = SeenUser(7, "eve", "Eve", None, "en")
NOW = 1000
GROUP = -5


async def prepare(database: Database, status: Status | None, role: Role, group: GroupStatus | None) -> None:
    if status is not None:
        await database.write(lambda conn: users.upsert_seen(conn, EVE, 1))
        await database.write(lambda conn: users.set_status(conn, EVE.id, status, 1))
        await database.write(lambda conn: users.set_role(conn, EVE.id, role, 1))
    if group is not None:
        await database.write(lambda conn: groups.request(conn, GROUP, "Room", 1))
        await database.write(lambda conn: groups.set_status(conn, GROUP, group, 1))


@pytest.mark.parametrize(
    ("status", "role", "group", "private", "there"),
    [
        (None, "guest", None, "unknown", "group_pending"),
        (None, "guest", "pending", "unknown", "group_pending"),
        (None, "guest", "active", "unknown", "guest"),
        (None, "guest", "denied", "unknown", "group_denied"),
        ("pending", "guest", "active", "unknown", "guest"),
        ("denied", "user", "active", "denied", "denied"),
        ("blocked", "admin", "active", "blocked", "blocked"),
        ("blocked", "user", "pending", "blocked", "blocked"),
        ("active", "user", None, "user", "user"),
        ("active", "user", "active", "user", "user"),
        ("active", "guest", "pending", "guest", "guest"),
        ("active", "user", "denied", "user", "group_denied"),
        ("active", "admin", "denied", "admin", "admin"),
        ("active", "owner", "denied", "owner", "owner"),
    ],
)
async def test_in_private_and_in_a_group(
    database: Database, status: Status | None, role: Role, group: GroupStatus | None, private: str, there: str
) -> None:
    await prepare(database, status, role, group)
    for chat_id, expected in ((EVE.id, private), (GROUP, there)):
        found = await database.read(lambda conn, chat_id=chat_id: standing_of(conn, EVE, chat_id, NOW))
        assert (found.user.role or found.closed) == expected
        assert (found.user.role is None) == (found.closed is not None)
        talks = await database.read(lambda conn, chat_id=chat_id: may_talk(conn, EVE.id, chat_id, NOW))
        assert talks == (found.closed is None)


async def test_a_guest_whose_time_is_over_is_told_so_in_private_and_talks_on_in_an_open_group(
    database: Database,
) -> None:
    await prepare(database, "active", "guest", "active")
    await database.write(lambda conn: users.set_status(conn, EVE.id, "active", 1, expires_at=NOW))
    private = await database.read(lambda conn: standing_of(conn, EVE, EVE.id, NOW))
    there = await database.read(lambda conn: standing_of(conn, EVE, GROUP, NOW))
    assert (private.closed, there.user.role) == ("expired", "guest")


async def test_new_names_of_people_who_are_in_are_remembered_and_nothing_else_is_written(
    database: Database, clock: ManualClock
) -> None:
    texts = Catalogue()
    service = UserService(database, clock, texts, AccessCards(texts, None, 1))
    await prepare(database, "active", "user", None)

    async def stored() -> tuple[str, str | None]:
        row = await database.read(lambda conn: users.get(conn, EVE.id))
        assert row is not None
        return row.first_name, row.language_code

    renamed = await service.standing(SeenUser(EVE.id, "eve", "Eva", None, "de"), EVE.id)
    assert await stored() == ("Eve", "en")
    await service.remember(renamed)
    assert await stored() == ("Eva", "de")
    without = await service.standing(SeenUser(EVE.id, "eve", "Eva", None, None), EVE.id)
    assert (without.user.language, without.news) == ("de", None)
    assert await stored() == ("Eva", "de")
    await service.remember(await service.standing(SeenUser(8, "mallory", "Mallory"), 8))
    assert await database.read(lambda conn: users.get(conn, 8)) is None
