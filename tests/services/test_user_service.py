"""The rules for people."""

import pytest

from tgllm.db import users
from tgllm.db.database import Database
from tgllm.db.users import SeenUser
from tgllm.services.user_service import UserService, full_name
from tgllm.testing.clock import ManualClock

ANN = SeenUser(7, "ann", "Ann", "Lee", "ru-RU")


@pytest.fixture
def service(database: Database, clock: ManualClock) -> UserService:
    return UserService(database, clock)


async def request(database: Database, service: UserService, person: SeenUser = ANN) -> bool:
    return await database.write(lambda conn: service.register_request(conn, person))


def test_names_are_as_telegram_shows_them() -> None:
    assert full_name(ANN) == "Ann Lee"
    assert full_name(SeenUser(7, None, "Ann")) == "Ann"


async def test_somebody_unknown_has_no_role(service: UserService) -> None:
    user = await service.identify(ANN)
    assert (user.id, user.name, user.role, user.username, user.language) == (7, "Ann Lee", None, "ann", "ru-RU")


async def test_owners_of_the_config_are_let_in(service: UserService) -> None:
    await service.ensure_owners((7,))
    assert (await service.identify(ANN)).role == "owner"


async def test_a_request_is_noted_once_and_lets_nobody_in(database: Database, service: UserService) -> None:
    assert await request(database, service)
    assert not await request(database, service)
    assert (await service.identify(ANN)).role is None


@pytest.mark.parametrize("status", ["denied", "blocked"])
async def test_a_request_does_not_change_a_decision(
    database: Database, service: UserService, status: users.Status
) -> None:
    await request(database, service)
    await database.write(lambda conn: users.set_status(conn, 7, status, 0))
    assert not await request(database, service)
    row = await database.read(lambda conn: users.get(conn, 7))
    assert row is not None
    assert row.status == status
    assert (await service.identify(ANN)).role is None


async def test_a_decision_counts_at_once(database: Database, service: UserService) -> None:
    await request(database, service)
    await database.write(lambda conn: users.set_status(conn, 7, "active", 0))
    assert (await service.identify(ANN)).role == "guest"
    await database.write(lambda conn: users.set_status(conn, 7, "blocked", 0))
    assert (await service.identify(ANN)).role is None


async def test_access_ends_in_time(database: Database, service: UserService, clock: ManualClock) -> None:
    await request(database, service)
    ends = int((clock.now() + 60) * 1000)
    await database.write(lambda conn: users.set_status(conn, 7, "active", 0, expires_at=ends))
    assert (await service.identify(ANN)).role == "guest"
    await clock.advance(61)
    assert (await service.identify(ANN)).role is None
