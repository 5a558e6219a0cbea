"""Messages are a tree: a history is one branch of it."""

import sqlite3

import pytest

from database_support import NOW, refused, say
from tgllm.db.tables import conversations, messages
from tgllm.db.tables.messages import NewMessage
from tgllm.db.tables.users import SeenUser, upsert_seen


@pytest.fixture
def talk(conn: sqlite3.Connection) -> int:
    return conversations.active_for(conn, "a", NOW).id


def shown(conn: sqlite3.Connection, talk: int, text: str, chat_id: int, *telegram_ids: int) -> int:
    """A message that these messages of a chat show."""
    new = NewMessage(
        conversation_id=talk,
        parent_id=None,
        turn_id="t",
        role="user",
        text=text,
        telegram_chat_id=chat_id,
        telegram_message_ids=telegram_ids,
    )
    return messages.add(conn, new, NOW)


def texts(found: list[messages.Message]) -> list[str]:
    return [message.text for message in found]


def test_a_message_is_read_back_as_it_was(conn: sqlite3.Connection, talk: int) -> None:
    upsert_seen(conn, SeenUser(7), NOW)
    message_id = messages.add(
        conn,
        NewMessage(
            conversation_id=talk,
            parent_id=None,
            turn_id="t",
            role="assistant",
            text="schön 😀",
            parts=[{"type": "file", "id": 3}],
            provider="echo",
            model="words",
            provider_data={"signature": "abc"},
            status="stopped",
            telegram_chat_id=-100,
            telegram_message_ids=[5, 6],
            user_id=7,
        ),
        NOW,
    )
    message = messages.get(conn, message_id)
    assert message is not None
    assert (message.text, message.role, message.status, message.created_at) == ("schön 😀", "assistant", "stopped", NOW)
    assert message.parts == ({"type": "file", "id": 3},)
    assert message.provider_data == {"signature": "abc"}
    assert (message.telegram_chat_id, message.telegram_message_ids, message.user_id) == (-100, (5, 6), 7)
    assert messages.of_turn(conn, "t") == [message]


def test_text_with_half_a_surrogate_pair_is_stored(conn: sqlite3.Connection, talk: int) -> None:
    message_id = say(conn, talk, None, "a \ud83d b \ud83d\ude00")
    message = messages.get(conn, message_id)
    assert message is not None
    assert message.text == "a \ufffd b 😀"


def test_a_history_is_one_branch_oldest_first(conn: sqlite3.Connection, talk: int) -> None:
    one = say(conn, talk, None, "one")
    two = say(conn, talk, one, "two")
    three = say(conn, talk, two, "three")
    edited = say(conn, talk, one, "two again")
    last = say(conn, talk, edited, "last")
    assert texts(messages.history(conn, talk, three, 10)) == ["one", "two", "three"]
    assert texts(messages.history(conn, talk, last, 10)) == ["one", "two again", "last"]


def test_a_history_is_cut_at_its_beginning(conn: sqlite3.Connection, talk: int) -> None:
    head = None
    for number in range(30):
        head = say(conn, talk, head, str(number))
    assert texts(messages.history(conn, talk, head, 3)) == ["27", "28", "29"]
    assert len(messages.history(conn, talk, head, 100)) == 30
    assert messages.history(conn, talk, head, 0) == []
    assert messages.history(conn, talk, None, 5) == []


def test_a_history_of_another_conversation_is_empty(conn: sqlite3.Connection, talk: int) -> None:
    other = conversations.active_for(conn, "b", NOW).id
    assert messages.history(conn, other, say(conn, talk, None, "one"), 5) == []


def test_a_parent_is_of_the_same_conversation(conn: sqlite3.Connection, talk: int) -> None:
    other = conversations.active_for(conn, "b", NOW).id
    with refused(conn):
        say(conn, other, say(conn, talk, None, "one"), "two")


def test_provider_data_has_a_limit(conn: sqlite3.Connection, talk: int) -> None:
    def with_data(size: int) -> NewMessage:
        data = {"d": "x" * (size - len('{"d":""}'))}
        return NewMessage(
            conversation_id=talk, parent_id=None, turn_id="t", role="assistant", text="", provider_data=data
        )

    messages.add(conn, with_data(messages.MAX_PROVIDER_DATA), NOW)
    with refused(conn):
        messages.add(conn, with_data(messages.MAX_PROVIDER_DATA + 1), NOW)


def test_a_message_is_found_by_what_shows_it(conn: sqlite3.Connection, talk: int) -> None:
    message_id = shown(conn, talk, "one", -100, 41, 42)
    found = messages.find_by_telegram(conn, -100, 42)
    assert found is not None
    assert (found.id, found.telegram_message_ids) == (message_id, (41, 42))
    assert messages.find_by_telegram(conn, -100, 4) is None
    assert messages.find_by_telegram(conn, 5, 42) is None


def test_the_latest_message_that_is_shown_there_is_found(conn: sqlite3.Connection, talk: int) -> None:
    for text in ("one", "two"):
        shown(conn, talk, text, 1, 9)
    found = messages.find_by_telegram(conn, 1, 9)
    assert found is not None
    assert found.text == "two"


def test_what_shows_an_answer_is_noted_once_and_in_order(conn: sqlite3.Connection, talk: int) -> None:
    question = say(conn, talk, None, "one")
    new = NewMessage(conversation_id=talk, parent_id=question, turn_id="t", role="assistant", text="two")
    answer = messages.add(conn, new, NOW)
    for telegram_id in (5, 6, 5):
        messages.add_telegram_id(conn, "t", -100, telegram_id)
    messages.add_telegram_id(conn, "other", -100, 7)
    found = messages.get(conn, answer)
    assert found is not None
    assert (found.telegram_chat_id, found.telegram_message_ids) == (-100, (5, 6))
    assert messages.find_by_telegram(conn, -100, 6) == found
    asked = messages.get(conn, question)
    assert asked is not None
    assert asked.telegram_message_ids == ()
