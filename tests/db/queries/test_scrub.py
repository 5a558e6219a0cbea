"""What scrubbing takes out of stored updates, and which of them it finds."""

import json
import sqlite3

from database_support import NOW, receive
from tgllm.db.queries import scrub
from tgllm.db.tables import inbox

ANN, MINE, TOPIC, GROUP, LONGER, BUSINESS = 7, ":7:", ":7:3", ":-7:", ":77:", "b:7:"


def found(conn: sqlite3.Connection, after: int = 0, since: int = NOW) -> list[int]:
    return [row.update_id for row in scrub.private_updates_after(conn, ANN, after, since)]


def test_messages_of_the_private_chat_and_its_topics_are_found(conn: sqlite3.Connection) -> None:
    for number, lane in enumerate((MINE, TOPIC, GROUP, LONGER, BUSINESS), 1):
        receive(conn, number, lane)
    receive(conn, 6, MINE, "edited_message")
    receive(conn, 7, MINE, "callback_query")

    assert found(conn) == [1, 2, 6]


def test_what_came_before_and_what_is_done_is_not(conn: sqlite3.Connection) -> None:
    for number in range(1, 6):
        receive(conn, number, MINE)
    receive(conn, 6, MINE, now=NOW - 1)
    inbox.finish(conn, 3, "done", NOW)
    inbox.finish(conn, 4, "failed", NOW)

    assert found(conn, after=1) == [2, 4, 5]


def test_nothing_but_the_id_is_left_of_a_scrubbed_update(conn: sqlite3.Connection) -> None:
    receive(conn, 1, MINE)
    inbox.finish(conn, 1, "failed", NOW, "about the secret")
    scrub.scrub(conn, 1)
    row = inbox.get(conn, 1)

    assert row is not None
    assert (json.loads(row.payload), row.error, row.state) == ({"update_id": 1}, None, "failed")


def test_another_payload_can_be_put_in_its_place(conn: sqlite3.Connection) -> None:
    receive(conn, 1, MINE)
    receive(conn, 2, MINE)
    scrub.replace_payload(conn, 1, "{}")
    payloads = [row.payload for row in scrub.private_updates_after(conn, ANN, 0, NOW)]

    assert payloads == ["{}", json.dumps({"update_id": 2, "text": "secret"})]
