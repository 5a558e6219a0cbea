"""A summary counts on every branch that goes through its message, and on no other."""

import sqlite3

from database_support import NOW, refused, say
from tgllm.db.tables import conversations, summaries
from tgllm.db.tables.summaries import Summary


def summarise(conn: sqlite3.Connection, conversation_id: int, message_id: int, text: str) -> None:
    summaries.put(conn, Summary(conversation_id, message_id, text, "mine", "a", NOW))


def found(conn: sqlite3.Connection, conversation_id: int, head: int | None) -> str | None:
    summary = summaries.latest_before(conn, conversation_id, head)
    return None if summary is None else summary.text


def test_the_furthest_of_a_branch_is_found(conn: sqlite3.Connection) -> None:
    talk = conversations.active_for(conn, ":7:", NOW).id
    first = say(conn, talk, None)
    second = say(conn, talk, first)
    third = say(conn, talk, second)
    fork = say(conn, talk, first)
    summarise(conn, talk, first, "to the first")
    summarise(conn, talk, second, "to the second")
    assert [found(conn, talk, head) for head in (third, second, fork, None)] == [
        "to the second",
        "to the second",
        "to the first",
        None,
    ]


def test_one_that_reaches_as_far_is_replaced(conn: sqlite3.Connection) -> None:
    talk = conversations.active_for(conn, ":7:", NOW).id
    first = say(conn, talk, None)
    for text in ("old", "new \ud83d"):
        summarise(conn, talk, first, text)
    assert found(conn, talk, first) == "new \ufffd"


def test_it_goes_with_its_conversation_and_can_not_outlive_it(conn: sqlite3.Connection) -> None:
    talk = conversations.active_for(conn, ":7:", NOW).id
    first = say(conn, talk, None)
    summarise(conn, talk, first, "secret")
    conn.execute("DELETE FROM conversations")
    assert conn.execute("SELECT count(*) FROM summaries").fetchone()[0] == 0
    with refused(conn):
        summarise(conn, talk, first, "secret")
