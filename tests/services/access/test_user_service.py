"""The rules for people."""

import pytest

from tgllm.db.database import Database
from tgllm.db.engine.unit import Connection
from tgllm.db.queries import outbox_claims
from tgllm.db.tables import audit, outbox, users
from tgllm.db.tables.users import SeenUser
from tgllm.i18n import Catalogue, error_text
from tgllm.services.access.cards import AccessCards
from tgllm.services.access.user_service import UserService
from tgllm.services.common.actor import SHELL, Actor
from tgllm.services.people.decisions import AccessError, Verdict
from tgllm.services.people.names import full_name
from tgllm.services.turns.running import RunningTurns
from tgllm.testing.clock import ManualClock
from tgllm.testing.turns import turn_of


def make(database: Database, clock: ManualClock, running: RunningTurns | None = None) -> UserService:
    texts = Catalogue(strict=True)
    return UserService(database, clock, texts, AccessCards(texts, None, 10), running)


ANN = SeenUser(7, "ann", "Ann", "Lee", "ru-RU")


@pytest.fixture
def service(database: Database, clock: ManualClock) -> UserService:
    return make(database, clock)


async def request(database: Database, person: SeenUser = ANN) -> bool:
    def unit(conn: Connection) -> bool:
        users.upsert_seen(conn, person, 1)
        return users.register_pending(conn, person.id, 1)

    return await database.write(unit)


def test_names_are_as_telegram_shows_them() -> None:
    assert full_name(ANN) == "Ann Lee"
    assert full_name(SeenUser(7, None, "Ann")) == "Ann"


async def test_somebody_unknown_has_no_role(service: UserService) -> None:
    user = await service.identify(ANN)
    assert (user.id, user.name, user.role, user.username, user.language) == (7, "Ann Lee", None, "ann", "ru-RU")


async def test_owners_of_the_config_are_let_in(service: UserService) -> None:
    await service.ensure_owners((7,))
    assert (await service.identify(ANN)).role == "owner"


async def test_each_change_of_owners_is_noted_once(database: Database, service: UserService) -> None:
    for owners in ((7, 8), (7, 8), (8,)):
        await service.ensure_owners(owners)
    rows = await database.read(lambda conn: audit.list_recent(conn, 10))
    assert [(row.actor_id, row.source, row.target, row.details["role"]) for row in reversed(rows)] == [
        (None, "config", "7", "owner"),
        (None, "config", "8", "owner"),
        (None, "config", "7", "user"),
    ]


async def test_a_request_is_noted_once_and_lets_nobody_in(database: Database, service: UserService) -> None:
    assert await request(database)
    assert not await request(database)
    assert (await service.identify(ANN)).role is None


@pytest.mark.parametrize("status", ["denied", "blocked"])
async def test_a_request_does_not_change_a_decision(
    database: Database, service: UserService, status: users.Status
) -> None:
    await request(database)
    await database.write(lambda conn: users.set_status(conn, 7, status, 0))
    assert not await request(database)
    row = await database.read(lambda conn: users.get(conn, 7))
    assert row is not None
    assert row.status == status
    assert (await service.identify(ANN)).role is None


async def test_a_decision_counts_at_once(database: Database, service: UserService) -> None:
    await request(database)
    await database.write(lambda conn: users.set_status(conn, 7, "active", 0))
    assert (await service.identify(ANN)).role == "guest"
    await database.write(lambda conn: users.set_status(conn, 7, "blocked", 0))
    assert (await service.identify(ANN)).role is None


async def test_access_ends_in_time(database: Database, service: UserService, clock: ManualClock) -> None:
    await request(database)
    ends = int((clock.now() + 60) * 1000)
    await database.write(lambda conn: users.set_status(conn, 7, "active", 0, expires_at=ends))
    assert (await service.identify(ANN)).role == "guest"
    await clock.advance(61)
    assert (await service.identify(ANN)).role is None


OWNER = Actor(1, "telegram")
ADMIN = Actor(2, "telegram")


@pytest.fixture
async def people(database: Database, service: UserService) -> None:
    """Owner 1, admin 2, Ann (7) who asks, and Ben (8), an ordinary user."""
    await service.ensure_owners((1,))
    await request(database)
    for user_id in (2, 8):
        await request(database, SeenUser(user_id, first_name="Ben", language_code="en"))
        await service.decide(user_id, "approve", OWNER)
    await service.set_role(2, "admin", OWNER)


async def told(database: Database, chat_id: int) -> list[str]:
    rows = await database.write(lambda conn: outbox_claims.claim(conn, 100, 1 << 60))
    texts = [str(row.payload["text"]) for row in rows if row.chat_id == chat_id]
    await database.write(lambda conn: outbox.mark_sent(conn, [(row.id, None) for row in rows], 1))
    return texts + (await told(database, chat_id) if rows else [])


async def trail(database: Database) -> list[tuple[int | None, str, str, str | None]]:
    rows = await database.read(lambda conn: audit.list_recent(conn, 100))
    return [(row.actor_id, row.source, row.action, row.target) for row in rows]


@pytest.mark.usefixtures("people")
@pytest.mark.parametrize(
    ("verdict", "status", "role", "word"),
    [
        ("approve", "active", "user", "Доступ открыт"),
        ("guest", "active", "guest", "Гостевой доступ"),
        ("deny", "denied", "guest", "отказано"),
        ("block", "blocked", "guest", "недоступен"),
    ],
)
async def test_a_verdict_is_carried_out_noted_and_told(
    database: Database, service: UserService, verdict: Verdict, status: str, role: str, word: str
) -> None:
    decided = await service.decide(7, verdict, ADMIN)
    assert (decided.changed, decided.by, decided.user.status, decided.user.role) == (True, 2, status, role)
    assert (await trail(database))[0] == (2, "telegram", f"user.{verdict}", "7")
    assert [word in text for text in await told(database, 7)] == [True]


@pytest.mark.usefixtures("people")
async def test_a_guest_has_a_day(service: UserService, clock: ManualClock) -> None:
    decided = await service.decide(7, "guest", ADMIN)
    assert decided.user.expires_at == int(clock.now() * 1000) + 86_400_000
    await clock.advance(86_399)
    assert (await service.identify(ANN)).role == "guest"
    await clock.advance(2)
    assert (await service.identify(ANN)).role is None


@pytest.mark.usefixtures("people")
async def test_the_first_decision_on_a_request_stands(database: Database, service: UserService) -> None:
    await service.decide(7, "approve", ADMIN, only_pending=True)
    late = await service.decide(7, "block", OWNER, only_pending=True)
    assert (late.changed, late.by, late.user.status) == (False, 2, "active")
    assert len(await told(database, 7)) == 1


@pytest.mark.usefixtures("people")
async def test_what_is_so_already_is_not_told_again(database: Database, service: UserService) -> None:
    before = await trail(database)
    assert not (await service.decide(8, "approve", OWNER)).changed
    assert await trail(database) == before
    assert len(await told(database, 8)) == 1


@pytest.mark.usefixtures("people")
@pytest.mark.parametrize("verdict", ["approve", "guest", "deny", "block"])
@pytest.mark.parametrize(
    ("actor", "target", "code"),
    [
        (ADMIN, 1, "access_owner"),
        (OWNER, 1, "access_owner"),
        (Actor(None, "shell"), 1, "access_owner"),
        (ADMIN, 2, "access_admin"),
        (ADMIN, 99, "access_unknown"),
        (Actor(8, "telegram"), 7, "access_not_admin"),
        (Actor(7, "telegram"), 7, "access_not_admin"),
        (Actor(99, "telegram"), 7, "access_not_admin"),
        (Actor(None, "telegram"), 7, "access_not_admin"),
    ],
)
async def test_who_may_not_decide(
    database: Database, service: UserService, verdict: Verdict, actor: Actor, target: int, code: str
) -> None:
    before = await trail(database)
    with pytest.raises(AccessError) as failed:
        await service.decide(target, verdict, actor)
    assert failed.value.code == code
    assert error_text(Catalogue(strict=True), failed.value)
    assert await trail(database) == before


@pytest.mark.usefixtures("people")
async def test_an_admin_who_was_blocked_decides_nothing_any_more(service: UserService) -> None:
    await service.decide(2, "block", OWNER)
    with pytest.raises(AccessError):
        await service.decide(7, "approve", ADMIN)


@pytest.mark.usefixtures("people")
@pytest.mark.parametrize(
    ("actor", "target", "role", "code"),
    [
        (ADMIN, 8, "guest", "access_only_owner"),
        (ADMIN, 2, "user", "access_admin"),
        (OWNER, 8, "owner", "access_owner"),
        (OWNER, 1, "user", "access_owner"),
        (OWNER, 7, "user", "access_not_active"),
        (OWNER, 99, "user", "access_unknown"),
    ],
)
async def test_which_roles_can_not_be_chosen(
    service: UserService, actor: Actor, target: int, role: users.Role, code: str
) -> None:
    with pytest.raises(AccessError) as failed:
        await service.set_role(target, role, actor)
    assert failed.value.code == code


@pytest.mark.usefixtures("people")
async def test_the_shell_chooses_roles(database: Database, service: UserService) -> None:
    assert (await service.set_role(8, "admin", Actor(None, "shell"))).role == "admin"
    assert (await trail(database))[0] == (None, "shell", "user.role", "8")
    assert "admin" in (await told(database, 8))[-1]


@pytest.mark.usefixtures("people")
async def test_a_guest_who_becomes_a_user_has_no_end(service: UserService) -> None:
    await service.decide(7, "guest", ADMIN)
    assert (await service.set_role(7, "user", OWNER)).expires_at is None


@pytest.mark.usefixtures("people")
async def test_toggle_blocks_and_lets_in(service: UserService) -> None:
    assert (await service.toggle(8, ADMIN)).status == "blocked"
    assert (await service.toggle(8, ADMIN)).status == "active"
    assert (await service.toggle(7, ADMIN)).status == "active"


async def test_turns_of_somebody_who_is_blocked_are_stopped(database: Database, clock: ManualClock) -> None:
    running = RunningTurns()
    service = make(database, clock, running)
    await request(database)
    await service.decide(7, "approve", SHELL)
    with running.track(turn_of("u1", ":7:", 7)) as turn, running.track(turn_of("u2", ":-5:", 8)) as other:
        await service.decide(7, "block", SHELL)
        assert (turn.cause, other.cause) == ("person", None)


@pytest.mark.usefixtures("people")
@pytest.mark.parametrize("verdict", ["deny", "block"])
async def test_an_admin_who_was_kept_out_is_no_admin_when_let_in_again(service: UserService, verdict: Verdict) -> None:
    await service.decide(2, verdict, OWNER)
    again = await service.decide(2, "approve", OWNER)
    assert (again.user.role, again.user.status) == ("user", "active")
