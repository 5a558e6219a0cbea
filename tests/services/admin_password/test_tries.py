"""Wrong tries lock for longer and longer, up to a day."""

from tgllm.db.database import Database
from tgllm.db.engine.unit import Connection
from tgllm.db.queries import erasure
from tgllm.db.tables import users
from tgllm.services.admin_password.tries import MOST_TRIES, Tries, count_try, forgive, tries_of

ANN, EVE, NOW, MINUTE = 7, 8, 1_790_000_000_000, 60_000


def lockouts(conn: Connection, count: int) -> list[int]:
    """Minutes of so many lockouts, one after the other."""
    found: list[int] = []
    for _ in range(count):
        for _ in range(MOST_TRIES):
            tries = count_try(conn, ANN, 5 * MINUTE, NOW)
        found.append((tries.locked_until - NOW) // MINUTE)
    return found


async def test_each_lockout_is_twice_as_long_up_to_a_day(database: Database) -> None:
    found = await database.write(lambda conn: lockouts(conn, 40))

    assert found[:10] == [5, 10, 20, 40, 80, 160, 320, 640, 1280, 1440]
    assert set(found[10:]) == {1440}


async def test_a_lockout_ends_when_its_time_is_over(database: Database) -> None:
    await database.write(lambda conn: lockouts(conn, 1))
    tries = await database.read(lambda conn: tries_of(conn, ANN))

    assert tries.is_locked(NOW + 5 * MINUTE - 1)
    assert not tries.is_locked(NOW + 5 * MINUTE)
    assert tries.left == MOST_TRIES


async def test_everybody_has_tries_of_their_own(database: Database) -> None:
    await database.write(lambda conn: lockouts(conn, 1))

    assert await database.read(lambda conn: tries_of(conn, EVE)) == Tries()


async def test_only_a_right_password_begins_anew(database: Database) -> None:
    def unit(conn: Connection) -> None:
        users.upsert_seen(conn, users.SeenUser(ANN), NOW)
        lockouts(conn, 1)
        erasure.erase(conn, ANN, 1)

    await database.write(unit)
    assert (await database.read(lambda conn: tries_of(conn, ANN))).lockouts == 1
    await database.write(lambda conn: forgive(conn, ANN))
    assert await database.read(lambda conn: tries_of(conn, ANN)) == Tries()
