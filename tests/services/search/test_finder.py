"""The search finds what contains all words, in the lanes that the people of a chat read."""

from collections.abc import Sequence

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from database_support import say_in
from tgllm.db.database import Database
from tgllm.db.engine.unit import Connection
from tgllm.db.tables import conversations
from tgllm.services.common.lane import Lane
from tgllm.services.conversations import branches
from tgllm.services.search.finder import find, is_readable
from tgllm.services.search.folding import fold, words_of
from tgllm.services.search.index import SearchIndex
from tgllm.testing.clock import ManualClock

MINE = Lane(7)


def texts(conn: Connection, lane: Lane, query: str) -> list[str]:
    return [hit.text for hit in find(conn, lane, query).hits]


@pytest.fixture(params=[False, True], ids=["waiting", "indexed"])
def index(request: pytest.FixtureRequest, database: Database, clock: ManualClock) -> SearchIndex | None:
    return SearchIndex(database, clock) if request.param else None


async def test_all_words_in_any_order_and_case_the_newest_first(database: Database, index: SearchIndex | None) -> None:
    said = [
        "Яблочный пирог с ЁЖИКАМИ",
        "apple pie",
        "An APPLE and a pie.",
        "appl epie\n\n \tsoup",
        'say "no" AND * NOT (x)',
    ]
    await database.write(lambda conn: say_in(conn, MINE.key, *said))
    if index:
        assert await index.update() == len(said)
    for query, wanted in {
        "pie apple": [said[2], said[1]],
        '"apple pie"': [said[1]],
        '"epie soup"': [said[3]],
        "ежик": [said[0]],
        "ПИРОГ ёж": [said[0]],
        "a x": [said[4]],
        "* (x)": [said[4]],
        '"AND *"': [said[4]],
        "nothing": [],
        "'": [],
    }.items():
        assert await database.read(lambda conn, query=query: texts(conn, MINE, query)) == wanted, query


async def test_words_of_two_characters_and_one_are_found(database: Database, index: SearchIndex | None) -> None:
    await database.write(lambda conn: say_in(conn, MINE.key, "北京は寒い", "go on", "он ушёл"))
    if index:
        await index.update()
    for query, wanted in {"北京": ["北京は寒い"], "寒": ["北京は寒い"], "go": ["go on"], "ше": ["он ушёл"]}.items():
        assert await database.read(lambda conn, query=query: texts(conn, MINE, query)) == wanted


async def test_topics_and_past_conversations_are_searched(database: Database) -> None:
    def unit(conn: Connection) -> list[str]:
        say_in(conn, ":7:", "plum old")
        conversations.start_new(conn, ":7:", 1)
        say_in(conn, ":7:", "plum new")
        say_in(conn, ":7:3", "plum topic")
        return texts(conn, Lane(7, 3), "plum")

    assert await database.write(unit) == ["plum topic", "plum new", "plum old"]


LANES = [":7:", ":7:3", ":8:", ":77:", ":-5:", ":-5:2", ":-57:", ":-5:e7", ":-5:e8", ":-5:d7", "b:7:", "b:8:", ":0:"]


@pytest.mark.parametrize(
    ("lane", "covered"),
    [
        (":7:", {":7:", ":7:3"}),
        (":7:9", {":7:", ":7:3"}),
        (":8:", {":8:"}),
        (":-5:", {":-5:", ":-5:2"}),
        (":-5:2", {":-5:", ":-5:2"}),
        (":-5:e7", {":-5:e7"}),
        (":-5:d7", {":-5:d7"}),
        ("b:7:", {"b:7:"}),
        (":0:", {":0:"}),
    ],
)
async def test_only_lanes_with_the_same_readers_are_searched(database: Database, lane: str, covered: set[str]) -> None:
    def unit(conn: Connection) -> None:
        for each in LANES:
            say_in(conn, each, f"word {each}")
        assert set(texts(conn, Lane.parse(lane), "word")) == {f"word {each}" for each in covered}
        assert {each for each in LANES if is_readable(conn, Lane.parse(lane), each)} == covered

    await database.write(unit)


async def test_what_was_taken_back_is_left_out_where_it_is_asked_for(database: Database) -> None:
    def unit(conn: Connection) -> None:
        say_in(conn, ":7:", "plum one", "plum two")
        branches.undo(conn, ":7:", 2)
        assert texts(conn, MINE, "plum") == ["plum two", "plum one"]
        assert [hit.text for hit in find(conn, MINE, "plum", on_branch=True).hits] == ["plum one"]
        branches.clear(conn, ":7:", 2)
        assert not find(conn, MINE, "plum", on_branch=True).hits

    await database.write(unit)


async def test_the_newest_hits_are_returned_and_that_there_are_more(database: Database) -> None:
    def unit(conn: Connection) -> None:
        say_in(conn, ":7:", *(f"plum {number}" for number in range(5)))
        found = find(conn, MINE, "plum", most=2)
        assert ([hit.text for hit in found.hits], found.is_all) == (["plum 4", "plum 3"], False)
        assert find(conn, MINE, "plum", most=5).is_all

    await database.write(unit)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40, deadline=None)
@given(st.lists(st.text("аёеbc \"*'1北", max_size=8), max_size=6), st.text("аёеbc \"*'1北", max_size=6))
async def test_the_index_finds_what_a_comparison_of_all_texts_does(
    database: Database, said: Sequence[str], query: str
) -> None:
    index = SearchIndex(database, ManualClock())

    def forget(conn: Connection) -> None:
        conn.execute("DELETE FROM conversations")

    await database.write(forget)
    await database.write(lambda conn: say_in(conn, ":7:", *said[::2]))
    await index.update()
    await database.write(lambda conn: say_in(conn, ":7:", *said[1::2]))
    found = await database.read(lambda conn: texts(conn, MINE, query))
    words = words_of(query)
    wanted = [text for text in said if words and all(word in fold(text) for word in words)]
    assert sorted(found) == sorted(wanted)
