"""What was said long ago can be forgotten, a piece at a time, and what came later still makes sense."""

import sqlite3

import pytest

from database_support import NOW
from tgllm.db.queries import inbox_claims, outbox_claims
from tgllm.db.queries.retention import conversations_after, forget_messages, forget_taken_back
from tgllm.db.tables import audit, conversations, files, inbox, messages, outbox
from tgllm.db.tables.audit import NewEntry
from tgllm.db.tables.files import NewFile
from tgllm.db.tables.inbox import NewUpdate
from tgllm.db.tables.messages import NewMessage
from tgllm.db.tables.outbox import NewOutbox

LANE = ":7:"


def say(conn: sqlite3.Connection, at: int, *texts: str) -> list[int]:
    """Questions and answers in turn, one after the other in the lane's conversation."""
    conversation = conversations.active_for(conn, LANE, at)
    parent = conversation.head_message_id
    said: list[int] = []
    for number, text in enumerate(texts):
        role = "assistant" if number % 2 else "user"
        new = NewMessage(
            conversation_id=conversation.id, parent_id=parent, turn_id=f"{at}:{number // 2}", role=role, text=text
        )
        parent = messages.add(conn, new, at)
        said.append(parent)
    conversations.set_head(conn, conversation.id, parent, at)
    return said


def told(conn: sqlite3.Connection) -> list[str]:
    conversation = conversations.active_for(conn, LANE, NOW)
    return [row.text for row in messages.history(conn, conversation.id, conversation.head_message_id, 100)]


def test_what_is_older_goes_and_the_rest_begins_its_conversation(conn: sqlite3.Connection) -> None:
    say(conn, NOW - 10, "old?", "old.")
    say(conn, NOW, "new?", "new.")
    assert forget_messages(conn, NOW, 100).messages == 2
    assert told(conn) == ["new?", "new."]


def test_a_conversation_that_is_old_as_a_whole_is_empty_and_goes_on(conn: sqlite3.Connection) -> None:
    say(conn, NOW - 10, "old?", "old.")
    assert forget_messages(conn, NOW, 100).messages == 2
    assert told(conn) == []
    say(conn, NOW, "new?")
    assert told(conn) == ["new?"]


def test_former_conversations_in_which_nothing_is_left_go(conn: sqlite3.Connection) -> None:
    say(conn, NOW - 10, "old?")
    former = conversations.active_for(conn, LANE, NOW).id
    conversations.start_new(conn, LANE, NOW - 5)
    forget_messages(conn, NOW, 100)
    assert conversations.get(conn, former) is None
    assert conversations.active_in(conn, LANE) is not None


def test_pieces_are_no_larger_than_said_and_begin_with_the_oldest(conn: sqlite3.Connection) -> None:
    say(conn, NOW - 10, *"abcdef")
    sizes = [forget_messages(conn, NOW, 4).messages for _ in range(3)]
    assert sizes == [4, 2, 0]


@pytest.mark.parametrize("limit", [1, 2, 3])
def test_branches_of_what_is_gone_are_kept(conn: sqlite3.Connection, limit: int) -> None:
    first, _ = say(conn, NOW - 10, "question?", "answer.")
    conversation = conversations.active_for(conn, LANE, NOW)
    again = NewMessage(conversation_id=conversation.id, parent_id=first, turn_id="again", role="user", text="again?")
    kept = messages.add(conn, again, NOW)
    while forget_messages(conn, NOW, limit).messages:
        pass
    left = messages.get(conn, kept)
    assert left is not None
    assert (left.text, left.parent_id) == ("again?", None)


def test_files_of_what_is_gone_are_named_once_nothing_shares_them(conn: sqlite3.Connection) -> None:
    old, new = say(conn, NOW - 10, "old?")[0], say(conn, NOW, "new?")[0]
    for message, name in ((old, "shared"), (old, "alone"), (new, "shared")):
        digest = (name.encode().hex() + "0" * 64)[:64]
        new_file = NewFile(
            path=f"files/{name}", mime="text/plain", size=1, sha256=digest, original_name=None, user_id=None
        )
        added = files.add(conn, new_file, NOW - 10)
        files.link(conn, [added], message, None)
    assert forget_messages(conn, NOW, 100).paths == ["files/alone"]


@pytest.mark.sqlite  # PostgreSQL checks foreign keys at each statement
def test_the_rules_of_the_schema_hold_afterwards(conn: sqlite3.Connection) -> None:
    say(conn, NOW - 10, *"abcd")
    say(conn, NOW, *"ef")
    forget_messages(conn, NOW, 3)
    assert conn.execute("PRAGMA foreign_key_check").fetchall() == []


def test_updates_go_in_pieces_and_those_that_may_come_again_stay(conn: sqlite3.Connection) -> None:
    inbox.add_updates(
        conn, [NewUpdate(number, LANE, "message", control=False, payload="{}") for number in range(1, 6)], NOW
    )
    for number in range(1, 6):
        inbox.finish(conn, number, "done", NOW)
    assert [inbox.prune(conn, NOW + 1, 2, spared=[2, 5]) for _ in range(3)] == [2, 1, 0]
    assert [number for number in range(1, 6) if inbox.get(conn, number)] == [2, 5]


def test_sent_messages_go_in_pieces_but_for_turns_that_are_spared(conn: sqlite3.Connection) -> None:
    rows = [
        NewOutbox(lane=str(number), method="sendMessage", chat_id=7, payload={}, turn_id=turn, part=number)
        for number, turn in enumerate(("access:1:2", "u5", None))
    ]
    ids = outbox.add(conn, rows, NOW)
    outbox_claims.claim(conn, 9, NOW)
    outbox.mark_sent(conn, [(row_id, 1) for row_id in ids], NOW)
    assert [outbox.prune(conn, NOW + 1, 1, spared_turns="access:*") for _ in range(3)] == [1, 1, 0]
    assert outbox.prune(conn, NOW + 1, 9) == 1


def test_the_audit_trail_goes_in_pieces(conn: sqlite3.Connection) -> None:
    for at in (NOW - 3, NOW - 2, NOW):
        audit.add(conn, NewEntry(actor_id=None, source="shell", action="user.approve"), at)
    assert [audit.prune(conn, NOW, 1) for _ in range(3)] == [1, 1, 0]
    assert audit.count(conn) == 1


def test_what_was_cleared_goes_and_what_came_after_stays(conn: sqlite3.Connection) -> None:
    say(conn, NOW - 10, "cleared?", "cleared.")
    conversation = conversations.active_for(conn, LANE, NOW).id
    conversations.set_head(conn, conversation, None, NOW - 9)
    say(conn, NOW - 8, "kept?", "kept.")
    assert forget_taken_back(conn, conversation, NOW, 10).messages == 2
    assert told(conn) == ["kept?", "kept."]


def test_what_was_cleared_goes_in_pieces(conn: sqlite3.Connection) -> None:
    say(conn, NOW - 10, "cleared?", "cleared.")
    conversation = conversations.active_for(conn, LANE, NOW).id
    conversations.set_head(conn, conversation, None, NOW - 9)
    say(conn, NOW - 8, "kept?", "kept.")
    left = []
    for _ in range(3):
        forget_taken_back(conn, conversation, NOW, 1)
        left.append([row[0] for row in conn.execute("SELECT text FROM messages ORDER BY id")])
    assert left == [["cleared?", "kept?", "kept."], ["kept?", "kept."], ["kept?", "kept."]]


def test_what_is_shown_stays_however_old_it_is(conn: sqlite3.Connection) -> None:
    say(conn, NOW - 10, "old?", "old.")
    assert forget_taken_back(conn, conversations.active_for(conn, LANE, NOW).id, NOW, 10).messages == 0
    assert told(conn) == ["old?", "old."]


def test_what_leads_to_something_young_stays(conn: sqlite3.Connection) -> None:
    say(conn, NOW - 10, "old?", "old.")
    say(conn, NOW, "undone?", "undone.")
    conversation = conversations.active_for(conn, LANE, NOW).id
    conversations.set_head(conn, conversation, None, NOW)
    assert forget_taken_back(conn, conversation, NOW, 10).messages == 0


def test_nothing_is_taken_away_from_a_turn_that_runs(conn: sqlite3.Connection) -> None:
    say(conn, NOW - 10, "again?", "again.")
    conversation = conversations.active_for(conn, LANE, NOW).id
    conversations.set_head(conn, conversation, None, NOW - 9)
    inbox.add_updates(conn, [NewUpdate(1, LANE, "message", control=False, payload="{}")], NOW)
    inbox_claims.claim(conn, 1, NOW, max_attempts=2)
    assert forget_taken_back(conn, conversation, NOW, 10).messages == 0
    inbox.finish(conn, 1, "done", NOW)
    assert forget_taken_back(conn, conversation, NOW, 10).messages == 2


def test_conversations_come_in_pieces(conn: sqlite3.Connection) -> None:
    made = [conversations.active_for(conn, f"lane{number}", NOW).id for number in range(5)]
    assert conversations_after(conn, 0, 3) == made[:3]
    assert conversations_after(conn, made[2], 3) == made[3:]
