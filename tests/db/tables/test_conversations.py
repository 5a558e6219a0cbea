"""Each lane has one active conversation, which keeps the model that was chosen."""

import sqlite3

from database_support import NOW, refused, say
from tgllm.api.types import ModelRef
from tgllm.db.tables import conversations, messages
from tgllm.db.tables.conversations import Conversation
from tgllm.db.tables.messages import NewMessage

MODEL = ModelRef("echo", "words/fast")


def stored(conn: sqlite3.Connection, conversation_id: int) -> Conversation:
    found = conversations.get(conn, conversation_id)
    assert found is not None
    return found


def test_a_lane_gets_its_conversation_when_it_is_asked_for(conn: sqlite3.Connection) -> None:
    first = conversations.active_for(conn, "a", NOW)
    assert (first.lane, first.active, first.chosen, first.settings, first.head_message_id) == (
        "a",
        True,
        None,
        {},
        None,
    )
    assert conversations.active_for(conn, "a", NOW + 1) == first
    assert conversations.active_for(conn, "b", NOW).id != first.id


def test_the_model_is_kept_with_the_conversation(conn: sqlite3.Connection) -> None:
    one = conversations.active_for(conn, "a", NOW)
    conversations.set_model(conn, one.id, MODEL, NOW + 1)
    assert (stored(conn, one.id).chosen, stored(conn, one.id).updated_at) == (MODEL, NOW + 1)
    conversations.set_model(conn, one.id, None, NOW + 2)
    assert stored(conn, one.id).chosen is None


def test_a_new_conversation_takes_over_model_and_settings_and_archives_the_former(conn: sqlite3.Connection) -> None:
    one = conversations.active_for(conn, "a", NOW)
    conversations.set_model(conn, one.id, MODEL, NOW)
    conversations.set_settings(conn, one.id, {"temperature": 0.2}, NOW)
    conversations.set_head(conn, one.id, say(conn, one.id), NOW)
    two = conversations.start_new(conn, "a", NOW + 1)
    assert (two.chosen, two.settings, two.head_message_id) == (MODEL, {"temperature": 0.2}, None)
    assert not stored(conn, one.id).active
    assert conversations.active_for(conn, "a", NOW) == two


def test_a_new_conversation_can_be_the_first(conn: sqlite3.Connection) -> None:
    assert conversations.start_new(conn, "a", NOW).active


def test_an_archived_conversation_can_be_gone_on_with(conn: sqlite3.Connection) -> None:
    one = conversations.active_for(conn, "a", NOW)
    two = conversations.start_new(conn, "a", NOW)
    other = conversations.active_for(conn, "b", NOW)
    conversations.activate(conn, one.id, NOW + 1)
    assert [stored(conn, c.id).active for c in (one, two, other)] == [True, False, True]
    conversations.activate(conn, one.id, NOW + 2)
    assert stored(conn, one.id).active


def test_an_archived_lane_begins_anew(conn: sqlite3.Connection) -> None:
    one = conversations.active_for(conn, "a", NOW)
    conversations.archive(conn, one.id, NOW)
    assert conversations.active_for(conn, "a", NOW).id != one.id


def test_the_list_shows_what_changed_last_first(conn: sqlite3.Connection) -> None:
    one = conversations.active_for(conn, "a", NOW)
    two = conversations.start_new(conn, "a", NOW + 1)
    three = conversations.start_new(conn, "a", NOW + 2)
    conversations.active_for(conn, "b", NOW)
    conversations.set_title(conn, one.id, "about \ud83d\ude00", NOW + 3)
    assert [c.id for c in conversations.list_for(conn, "a", 10)] == [one.id, three.id, two.id]
    assert [c.title for c in conversations.list_for(conn, "a", 1)] == ["about 😀"]


def test_the_head_is_a_message_of_the_same_conversation(conn: sqlite3.Connection) -> None:
    one, other = conversations.active_for(conn, "a", NOW), conversations.active_for(conn, "b", NOW)
    head = say(conn, one.id)
    conversations.set_head(conn, one.id, head, NOW + 1)
    assert stored(conn, one.id).head_message_id == head
    with refused(conn):
        conversations.set_head(conn, other.id, head, NOW)
    conversations.set_head(conn, one.id, None, NOW)
    assert stored(conn, one.id).head_message_id is None


def test_a_long_conversation_can_be_deleted_with_its_messages(conn: sqlite3.Connection) -> None:
    one = conversations.active_for(conn, "a", NOW)
    parent = None
    for number in range(1500):
        parent = messages.add(
            conn, NewMessage(conversation_id=one.id, parent_id=parent, turn_id=str(number), role="user", text="x"), NOW
        )
    conversations.set_head(conn, one.id, parent, NOW)
    conn.execute("DELETE FROM conversations WHERE id = ?", (one.id,))
    assert conn.execute("SELECT count(*) FROM messages").fetchone()[0] == 0
