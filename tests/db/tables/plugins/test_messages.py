"""Messages of plugins: keys, parts, buttons, and what becomes of them when a group moves or a person is forgotten."""

import sqlite3

from database_support import NOW, refused
from tgllm.db.queries import chat_moves, erasure
from tgllm.db.tables.plugins import messages as plugin_messages
from tgllm.db.tables.plugins.messages import NewPluginMessage, Part


def new(key: str | None = None, *, plugin: str = "remind", lane: str = ":5:") -> NewPluginMessage:
    return NewPluginMessage(plugin_id=plugin, key=key, lane=lane, user_id=5, priority=3)


def test_a_key_is_unique_within_its_plugin(conn: sqlite3.Connection) -> None:
    first = plugin_messages.add(conn, new("tea"), NOW)
    plugin_messages.add(conn, new("tea", plugin="other"), NOW)
    plugin_messages.add(conn, new(), NOW)
    plugin_messages.add(conn, new(), NOW)

    with refused(conn):
        plugin_messages.add(conn, new("tea"), NOW)
    found = plugin_messages.find_key(conn, "remind", "tea")
    assert found is not None
    assert found.id == first


def test_an_id_is_not_used_again_after_its_message_is_deleted(conn: sqlite3.Connection) -> None:
    first = plugin_messages.add(conn, new(), NOW)
    keys = [plugin_messages.add_keyboard(conn, first, [("a", "anyone", None)], NOW)]
    plugin_messages.prune(conn, NOW + 1, 10)

    second = plugin_messages.add(conn, new(), NOW + 5)
    keys.append(plugin_messages.add_keyboard(conn, second, [("b", "anyone", None)], NOW + 5))
    assert second > first
    assert keys[1] > keys[0]


def test_the_message_of_an_outbox_row_is_found_by_its_turn(conn: sqlite3.Connection) -> None:
    message = plugin_messages.add(conn, new(), NOW)
    parts = [Part(0, is_text=True, sent_id=7, edit=3, pending={"text": "later"}), Part(1, is_text=False)]
    plugin_messages.set_parts(conn, message, parts, 2)

    turns = ("u5", "plugin:x", "plugin:", f"plugin:{message + 1}", plugin_messages.turn_of(message))
    *others, found = [plugin_messages.of_turn(conn, turn) for turn in turns]
    assert others == [None] * 4
    assert found is not None
    assert (found.id, list(found.parts), found.next_part) == (message, parts, 2)


def test_new_buttons_take_the_place_of_the_earlier_ones(conn: sqlite3.Connection) -> None:
    message = plugin_messages.add(conn, new(), NOW)
    first = plugin_messages.add_keyboard(conn, message, [("a", "anyone", {"n": 1})], NOW)
    second = plugin_messages.add_keyboard(conn, message, [("b", "admins", [1])], NOW + 1)

    assert plugin_messages.keyboard(conn, first) is None
    found = plugin_messages.keyboard(conn, second)
    assert found is not None
    assert (found[0].id, found[1]) == (message, [("b", "admins", [1])])
    plugin_messages.mark_deleted(conn, message)
    assert plugin_messages.keyboard(conn, second) is None


def test_with_a_moved_group_ids_of_its_old_messages_are_forgotten(conn: sqlite3.Connection) -> None:
    message = plugin_messages.add(conn, new("poll", lane=":-5:"), NOW)
    plugin_messages.set_parts(
        conn, message, [Part(0, is_text=True, sent_id=40, edit=9, pending={}), Part(1, is_text=False, sent_id=41)], 2
    )

    chat_moves.move(conn, -5, -1005, ":-5:", ":-1005:")

    found = plugin_messages.get(conn, message)
    assert found is not None
    assert (found.lane, found.parts) == (":-1005:", (Part(0, is_text=True), Part(1, is_text=False)))


def test_of_a_forgotten_person_only_keys_stay(conn: sqlite3.Connection) -> None:
    keyed = plugin_messages.add(conn, new("tea"), NOW)
    plain = plugin_messages.add(conn, new(), NOW)
    others = plugin_messages.add(conn, new("tea", plugin="other", lane=":6:"), NOW)
    boards = [plugin_messages.add_keyboard(conn, each, [("a", "anyone", "x")], NOW) for each in (keyed, plain, others)]

    erasure.erase(conn, 5, 0)

    assert [plugin_messages.get(conn, each) is not None for each in (keyed, plain, others)] == [True, False, True]
    assert [plugin_messages.keyboard(conn, each) is not None for each in boards] == [False, False, True]
