"""Finding people among those the bot knows."""

import pytest

from database_support import NOW
from tgllm.db.database import Database
from tgllm.db.engine.unit import Connection
from tgllm.db.tables import users
from tgllm.db.tables.users import SeenUser
from tgllm.services.people.decisions import AccessError
from tgllm.services.people.search import find_person, search_people


@pytest.fixture
async def known(database: Database) -> Database:
    def fill(conn: Connection) -> None:
        users.upsert_seen(conn, SeenUser(11, "anna", "Ann", "Smith"), NOW)
        users.upsert_seen(conn, SeenUser(12, None, "Ёлка", "Иванова"), NOW)
        users.upsert_seen(conn, SeenUser(112, "former", "Bob"), NOW)
        users.upsert_seen(conn, SeenUser(113, "Former", "Bill"), NOW + 1)
        users.set_status(conn, 12, "active", NOW)

    await database.write(fill)
    return database


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", [11, 12, 112, 113]),
        ("ANN", [11]),
        ("smith @anna", [11]),
        ("ёЛКА", [12]),
        ("11", [11, 112, 113]),
        ("ann bob", []),
    ],
)
async def test_every_word_is_searched_in_any_case(known: Database, query: str, found: list[int]) -> None:
    people = await known.read(lambda conn: search_people(conn, None, query))
    assert [user.id for user in people] == found


async def test_a_status_narrows_the_search(known: Database) -> None:
    people = await known.read(lambda conn: search_people(conn, "active", "и"))
    assert [user.id for user in people] == [12]


@pytest.mark.parametrize(("text", "found"), [("11", 11), (" @Anna ", 11), ("anna", 11), ("@former", 113)])
async def test_one_is_found_by_id_or_username(known: Database, text: str, found: int) -> None:
    assert (await known.read(lambda conn: find_person(conn, text))).id == found


@pytest.mark.parametrize("text", ["", "@", "7", "Ann", "9" * 19, "9" * 40, "-1", "²", "None"])
async def test_who_is_not_known_is_named(known: Database, text: str) -> None:
    with pytest.raises(AccessError) as caught:
        await known.read(lambda conn: find_person(conn, text))
    assert caught.value.code == "access_unknown"
