"""The latest search is kept for its further pages, and for a day."""

from tgllm.db.database import Database
from tgllm.db.engine.unit import Connection
from tgllm.db.queries.erasure import erase
from tgllm.db.tables import kv
from tgllm.services.common.lane import Lane
from tgllm.services.search.latest import Search, drop_old, latest, remember

MINE, TOPIC = Lane(7), Lane(7, 3)


async def test_each_person_has_one_in_each_lane(database: Database) -> None:
    def unit(conn: Connection) -> None:
        for lane, person, query in ((MINE, 7, "one"), (MINE, 7, "two"), (TOPIC, 7, "three"), (Lane(-5), 8, "four")):
            remember(conn, lane, person, Search(query, 1), 100)
        assert latest(conn, MINE, 7) == Search("two", 1)
        assert latest(conn, TOPIC, 7) == Search("three", 1)
        assert latest(conn, Lane(-5), 7) is None

    await database.write(unit)


async def test_old_ones_go_and_with_a_person_theirs(database: Database) -> None:
    def unit(conn: Connection) -> None:
        kv.set_value(conn, "search", "index", "1", 1)
        remember(conn, MINE, 7, Search("old", 1), 99)
        remember(conn, TOPIC, 7, Search("new", 1), 100)
        assert drop_old(conn, 100) == 1
        assert (latest(conn, MINE, 7), latest(conn, TOPIC, 7)) == (None, Search("new", 1))
        assert kv.get(conn, "search", "index") == "1"
        erase(conn, 7, 1)
        assert latest(conn, TOPIC, 7) is None

    await database.write(unit)
