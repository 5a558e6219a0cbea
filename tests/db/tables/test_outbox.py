"""The outbox sends each lane in order, one call at a time, and repeats nothing blindly."""

import asyncio
import sqlite3
from collections import defaultdict

import pytest

from database_support import NOW, refused
from tgllm.db.database import Database
from tgllm.db.queries import outbox_claims
from tgllm.db.tables import outbox
from tgllm.db.tables.outbox import NewOutbox, OutboxRow


def call(lane: str = "a", *, chat_id: int | None = 7, turn_id: str | None = None, part: int = 0) -> NewOutbox:
    return NewOutbox(
        lane=lane, method="sendMessage", chat_id=chat_id, payload={"text": lane}, turn_id=turn_id, part=part
    )


def claimed(conn: sqlite3.Connection, limit: int = 10, now: int = NOW, exclude: tuple[int, ...] = ()) -> list[int]:
    return [row.id for row in outbox_claims.claim(conn, limit, now, rooms=dict.fromkeys(exclude, 0))]


def stored(conn: sqlite3.Connection, row_id: int) -> OutboxRow:
    row = outbox.get(conn, row_id)
    assert row is not None
    return row


def test_a_call_is_read_back_as_it_was(conn: sqlite3.Connection) -> None:
    new = NewOutbox(
        lane="a",
        method="editMessageText",
        chat_id=-100,
        thread_id=4,
        payload={"text": "schön \ud83d", "entities": [{"offset": 0}]},
        turn_id="t",
        part=2,
        kind="edit",
    )
    (row_id,) = outbox.add(conn, [new], NOW)
    row = stored(conn, row_id)
    assert (row.lane, row.method, row.chat_id, row.thread_id) == ("a", "editMessageText", -100, 4)
    assert row.payload == {"text": "schön \ud83d", "entities": [{"offset": 0}]}
    assert (row.turn_id, row.part, row.kind, row.state, row.attempts) == ("t", 2, "edit", "ready", 0)
    assert (row.created_at, row.sent_at, row.message_id, row.not_before) == (NOW, None, None, 0)
    assert outbox.find(conn, "t", 2) == row
    assert outbox.find(conn, "t", 1) is None


def test_a_turn_has_each_part_once(conn: sqlite3.Connection) -> None:
    outbox.add(conn, [call(turn_id="t", part=0), call(turn_id="t", part=1), call(), call()], NOW)
    with refused(conn):
        outbox.add(conn, [call(turn_id="t", part=1)], NOW)


def test_a_lane_goes_out_in_order_one_at_a_time(conn: sqlite3.Connection) -> None:
    first, second, other = outbox.add(conn, [call(), call(), call("b")], NOW)
    assert claimed(conn) == [first, other]
    assert claimed(conn) == []
    outbox.mark_sent(conn, [(first, 55), (other, None)], NOW + 1)
    assert claimed(conn) == [second]
    row = stored(conn, first)
    assert (row.state, row.message_id, row.sent_at, row.attempts) == ("sent", 55, NOW + 1, 1)
    assert stored(conn, other).message_id is None


def test_of_one_chat_with_many_lanes_only_a_few_are_taken(conn: sqlite3.Connection) -> None:
    crowd = outbox.add(conn, [call(f"crowd {number}", chat_id=-5) for number in range(5)], NOW)
    (other,) = outbox.add(conn, [call("other", chat_id=7)], NOW)
    assert [row.id for row in outbox_claims.claim(conn, 10, NOW, most_in_chat=2)] == [*crowd[:2], other]
    assert [row.id for row in outbox_claims.claim(conn, 10, NOW, rooms={-5: 0}, most_in_chat=2)] == []
    assert [row.id for row in outbox_claims.claim(conn, 1, NOW, most_in_chat=2)] == [crowd[2]]


def test_the_limit_takes_the_oldest(conn: sqlite3.Connection) -> None:
    ids = outbox.add(conn, [call(f"lane{i}") for i in range(4)], NOW)
    assert claimed(conn, limit=3) == ids[:3]


def test_a_chat_that_has_to_wait_is_left_out(conn: sqlite3.Connection) -> None:
    first, second, third = outbox.add(conn, [call("a", chat_id=1), call("b", chat_id=2), call("c", chat_id=None)], NOW)
    assert claimed(conn, exclude=(1,)) == [second, third]
    assert claimed(conn) == [first]


def test_a_row_waits_for_its_time_and_holds_up_its_lane(conn: sqlite3.Connection) -> None:
    first, _second = outbox.add(conn, [call(), call()], NOW)
    assert outbox_claims.next_due(conn) == 0
    claimed(conn)
    assert outbox_claims.next_due(conn) is None
    outbox.mark_ready_again(conn, first, NOW + 3000, "Too Many Requests: retry after 3")
    assert outbox_claims.next_due(conn) == NOW + 3000
    assert claimed(conn, now=NOW + 2999) == []
    assert claimed(conn, now=NOW + 3000) == [first]
    assert (stored(conn, first).attempts, stored(conn, first).error) == (2, "Too Many Requests: retry after 3")


def test_the_next_due_is_the_earliest_of_all_lanes(conn: sqlite3.Connection) -> None:
    assert outbox_claims.next_due(conn) is None
    for lane, due in (("a", 30), ("b", 10), ("c", 20)):
        (row_id,) = outbox.add(conn, [call(lane)], NOW)
        outbox_claims.claim(conn, 9, NOW)
        outbox.mark_ready_again(conn, row_id, NOW + due, "later")
    assert outbox_claims.next_due(conn) == NOW + 10


def test_what_is_due_in_a_chat_that_has_to_wait_is_not_counted(conn: sqlite3.Connection) -> None:
    (row_id,) = outbox.add(conn, [call()], NOW)
    row = outbox.get(conn, row_id)
    assert row is not None
    assert row.chat_id is not None
    assert outbox_claims.next_due(conn, exclude_chats={row.chat_id + 1}) == 0
    assert outbox_claims.next_due(conn, exclude_chats={row.chat_id}) is None


def test_an_uncertain_row_does_not_hold_up_its_lane_and_goes_out_again_on_demand(conn: sqlite3.Connection) -> None:
    first, second = outbox.add(conn, [call(), call()], NOW)
    claimed(conn)
    assert not outbox.resend(conn, first)
    outbox.mark_uncertain(conn, first, "timeout")
    assert claimed(conn) == [second]
    outbox.mark_sent(conn, [(second, 1)], NOW)
    assert outbox.resend(conn, first)
    assert claimed(conn) == [first]


def test_a_refused_row_is_kept_with_the_reason(conn: sqlite3.Connection) -> None:
    first, second = outbox.add(conn, [call(), call()], NOW)
    claimed(conn)
    outbox.mark_failed(conn, first, "Bad Request: chat not found")
    assert (stored(conn, first).state, stored(conn, first).error) == ("failed", "Bad Request: chat not found")
    assert claimed(conn) == [second]


def test_what_has_been_sent_can_not_become_uncertain_or_failed(conn: sqlite3.Connection) -> None:
    (row_id,) = outbox.add(conn, [call()], NOW)
    claimed(conn)
    outbox.mark_sent(conn, [(row_id, 5)], NOW)
    outbox.mark_uncertain(conn, row_id, "late")
    outbox.mark_failed(conn, row_id, "late")
    outbox.mark_ready_again(conn, row_id, 0, "late")
    assert stored(conn, row_id).state == "sent"


def test_what_was_under_way_is_uncertain_after_a_restart(conn: sqlite3.Connection) -> None:
    first, second, _third = outbox.add(conn, [call(), call("b"), call()], NOW)
    claimed(conn)
    assert [(row.id, row.state) for row in outbox.recover(conn)] == [(first, "uncertain"), (second, "uncertain")]
    assert outbox.recover(conn) == []
    assert outbox.counts(conn) == {"ready": 1, "uncertain": 2}


def test_a_row_can_be_given_up_until_it_is_sent(conn: sqlite3.Connection) -> None:
    first, second = outbox.add(conn, [call(), call("b")], NOW)
    assert outbox.drop(conn, first, "the chat is gone")
    assert claimed(conn) == [second]
    assert not outbox.drop(conn, second, "too late")


def test_pruning_forgets_what_is_settled_and_old(conn: sqlite3.Connection) -> None:
    sent, failed, dropped, ready, uncertain = outbox.add(conn, [call(f"lane{i}") for i in range(5)], NOW)
    outbox.drop(conn, dropped, "no")
    outbox_claims.claim(conn, 9, NOW)
    outbox.mark_sent(conn, [(sent, 1)], NOW)
    outbox.mark_failed(conn, failed, "no")
    outbox.mark_ready_again(conn, ready, 0, "later")
    outbox.mark_uncertain(conn, uncertain, "lost")
    assert outbox.prune(conn, NOW, 100) == 0
    assert outbox.prune(conn, NOW + 1, 100) == 4
    assert outbox.counts(conn) == {"ready": 1}


@pytest.mark.sqlite  # reads SQLite's plan of a query
def test_pruning_reads_no_table_as_a_whole(conn: sqlite3.Connection) -> None:
    values = {"before": 1, "limit": 1, "spared": "-"}
    plan = [row["detail"] for row in conn.execute(f"EXPLAIN QUERY PLAN {outbox._SETTLED}", values)]
    steps = [step for step in plan if step.startswith(("SCAN outbox", "SEARCH outbox"))]
    assert [" USING INDEX " in step or "USING INTEGER PRIMARY KEY" in step for step in steps] == [True] * 5


async def test_many_senders_never_overlap_in_a_lane_and_keep_its_order(database: Database) -> None:
    under_way: set[str] = set()
    order: dict[str, list[int]] = defaultdict(list)

    async def send() -> None:
        while rows := await database.write(lambda conn: outbox_claims.claim(conn, 3, NOW)):
            for row in rows:
                assert row.lane not in under_way
                under_way.add(row.lane)
            for row in rows:
                await database.read(outbox.counts)
                order[row.lane].append(row.id)
                under_way.remove(row.lane)
                await database.write(lambda conn, row=row: outbox.mark_sent(conn, [(row.id, row.id)], NOW))

    calls = [call(f"lane{i % 9}") for i in range(300)]
    await database.write(lambda conn: outbox.add(conn, calls, NOW))
    async with asyncio.TaskGroup() as group:
        for _ in range(6):
            group.create_task(send())
    while await database.read(outbox_claims.next_due) is not None:
        await send()
    assert await database.read(outbox.counts) == {"sent": 300}
    assert all(ids == sorted(ids) for ids in order.values())


def test_a_row_under_way_can_make_another_call_in_its_place(conn: sqlite3.Connection) -> None:
    row_id, later = outbox.add(conn, [call(), call()], NOW)
    assert claimed(conn) == [row_id]
    outbox.rewrite(conn, row_id, method="sendMessage", kind="send", payload={"text": "less"}, error="refused")
    row = stored(conn, row_id)
    assert (row.state, row.attempts, row.payload, row.error) == ("ready", 0, {"text": "less"}, "refused")
    assert claimed(conn) == [row_id]
    outbox.mark_sent(conn, [(row_id, 5)], NOW)
    assert claimed(conn) == [later]


def test_a_row_that_is_not_under_way_is_not_rewritten(conn: sqlite3.Connection) -> None:
    (row_id,) = outbox.add(conn, [call()], NOW)
    outbox.rewrite(conn, row_id, method="sendMessage", kind="send", payload={"text": "less"})
    assert stored(conn, row_id).payload == {"text": "a"}
