"""What is run for each update finds its rows by an index: none of it gets slower as the tables grow."""

import re
import sqlite3
from collections.abc import Callable

import pytest

from database_support import NOW
from tgllm.db.queries import inbox_claims, outbox_claims, traces, unsent
from tgllm.db.tables import conversations, facts, inbox, messages, outbox, users
from tgllm.db.tables.inbox import NewUpdate
from tgllm.db.tables.memory import proposals
from tgllm.db.tables.messages import NewMessage
from tgllm.db.tables.outbox import NewOutbox
from tgllm.db.tables.users import SeenUser

pytestmark = pytest.mark.sqlite  # the plans of SQLite's planner

LANE = ":5:"

_WHOLE_TABLE = re.compile(r"SCAN (?!CONSTANT)\w+(?: AS \w+)?|.*AUTOMATIC.*")
_MADE_ON_THE_WAY = frozenset({"branch", "led", "open"})
"""What a statement makes for itself; it has few rows."""


def whole_tables(conn: sqlite3.Connection, statement: str) -> list[str]:
    """The steps of a statement that read a table from its beginning to its end."""
    steps = [str(row["detail"]) for row in conn.execute(f"EXPLAIN QUERY PLAN {statement}")]
    return [step for step in steps if _WHOLE_TABLE.fullmatch(step) and step.split()[1] not in _MADE_ON_THE_WAY]


def add(conn: sqlite3.Connection) -> None:
    inbox.add_updates(conn, [NewUpdate(1, LANE, "message", control=False, payload="{}")], NOW)


def send(conn: sqlite3.Connection, part: int = 1) -> None:
    outbox.add(conn, [NewOutbox(lane=LANE, method="sendMessage", chat_id=5, payload={}, turn_id="u1", part=part)], NOW)


def say(conn: sqlite3.Connection) -> None:
    conversation = conversations.active_for(conn, LANE, NOW)
    new = NewMessage(
        conversation_id=conversation.id,
        parent_id=None,
        turn_id="u1",
        role="user",
        text="hello",
        telegram_chat_id=5,
        telegram_message_ids=(1,),
    )
    said = messages.add(conn, new, NOW)
    conversations.set_head(conn, conversation.id, said, NOW)
    messages.history(conn, conversation.id, said, 10)


HOT: dict[str, Callable[[sqlite3.Connection], object]] = {
    "facts": lambda conn: facts.list_for(conn, LANE, 5),
    "proposals": lambda conn: (proposals.unasked(conn, "u1"), proposals.list_in(conn, LANE, 5, 5)),
    "unsent_in": lambda conn: unsent.unsent_in(conn, LANE),
    "add_updates": add,
    "claim": lambda conn: inbox_claims.claim(conn, 8, NOW, max_attempts=3),
    "claim_but_suspects": lambda conn: inbox_claims.claim(conn, 8, NOW, max_attempts=3, but_suspects=True),
    "suspects": inbox_claims.suspects,
    "has_queued": inbox.has_queued,
    "queued": lambda conn: inbox.queued(conn, LANE, 50),
    "queued_edits": inbox.queued_edits,
    "open_with_message": lambda conn: inbox.open_with_message(conn, LANE, 1, 2),
    "running_in": lambda conn: inbox.running_in(conn, LANE),
    "merge": lambda conn: inbox.merge(conn, 1, [2], NOW),
    "followers": lambda conn: inbox.followers(conn, 1),
    "finish": lambda conn: inbox.finish(conn, 1, "done", NOW),
    "prune": lambda conn: inbox.prune(conn, NOW, 100, spared=[1]),
    "drop_scrubbed": lambda conn: traces.drop_scrubbed(conn, 0, NOW, 100, spared=[1]),
    "outbox.add": send,
    "outbox.claim": lambda conn: outbox_claims.claim(conn, 8, NOW),
    "outbox.next_due": outbox_claims.next_due,
    "outbox.waiting": outbox_claims.waiting,
    "outbox.mark_sent": lambda conn: outbox.mark_sent(conn, [(1, 2)], NOW),
    "outbox.mark_ready_again": lambda conn: outbox.mark_ready_again(conn, 1, NOW, "no"),
    "outbox.requeue": lambda conn: outbox.requeue(conn, 1, {}, NOW),
    "outbox.drop_notices": lambda conn: outbox.drop_notices(conn, LANE, "no"),
    "outbox.of_turn": lambda conn: outbox.of_turn(conn, "u1"),
    "outbox.find": lambda conn: outbox.find(conn, "u1", 0),
    "outbox.prune": lambda conn: outbox.prune(conn, NOW, 100),
    "context": say,
    "messages.of_turn": lambda conn: messages.of_turn(conn, "u1"),
    "messages.find_by_telegram": lambda conn: messages.find_by_telegram(conn, 5, 1),
    "messages.add_telegram_id": lambda conn: messages.add_telegram_id(conn, "u1", 5, 2),
    "users.upsert_seen": lambda conn: users.upsert_seen(conn, SeenUser(5), NOW),
    "users.get": lambda conn: users.get(conn, 5),
}


@pytest.mark.parametrize("name", HOT)
def test_what_runs_for_each_update_uses_indexes(conn: sqlite3.Connection, name: str) -> None:
    add(conn)
    send(conn, part=0)
    statements: list[str] = []
    conn.set_trace_callback(statements.append)
    HOT[name](conn)
    conn.set_trace_callback(None)
    # Without the checks of foreign keys, which SQLite tells of as comments.
    own = [statement for statement in statements if not statement.startswith("--")]
    assert own
    assert [step for statement in own for step in whole_tables(conn, statement)] == []


def test_a_whole_table_is_seen(conn: sqlite3.Connection) -> None:
    assert whole_tables(conn, "SELECT * FROM inbox WHERE payload = '{}'")
    assert not whole_tables(conn, "SELECT * FROM inbox WHERE update_id = 1")
