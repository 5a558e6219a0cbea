"""The inbox keeps each update once, in the order of its lane."""

import asyncio
import random
import sqlite3
from collections import defaultdict

import pytest

from database_support import NOW
from tgllm.db.database import Database
from tgllm.db.queries import inbox_claims
from tgllm.db.queries.shared import inbox_recovery
from tgllm.db.tables import inbox
from tgllm.db.tables.inbox import NewUpdate


def update(update_id: int, lane: str = "a", *, control: bool = False, kind: str = "message") -> NewUpdate:
    return NewUpdate(update_id, lane, kind, control, f'{{"update_id": {update_id}}}')


def claimed(conn: sqlite3.Connection, limit: int = 10, max_attempts: int = 3) -> list[int]:
    return [row.update_id for row in inbox_claims.claim(conn, limit, NOW, max_attempts=max_attempts)]


def test_the_same_update_twice_is_one_row(conn: sqlite3.Connection) -> None:
    assert inbox.add_updates(conn, [update(5), update(6)], NOW) == [update(5), update(6)]
    assert inbox.add_updates(conn, [update(6), update(7)], NOW + 1) == [update(7)]
    assert inbox.counts(conn) == {"queued": 3}
    row = inbox.get(conn, 6)
    assert row is not None
    assert row.received_at == NOW


def test_a_smaller_id_after_a_long_silence_is_no_duplicate(conn: sqlite3.Connection) -> None:
    inbox.add_updates(conn, [update(900_000)], NOW)
    assert inbox.add_updates(conn, [update(17)], NOW + 1) == [update(17)]


def test_a_stored_update_is_read_back_as_it_was(conn: sqlite3.Connection) -> None:
    inbox.add_updates(conn, [NewUpdate(1, "0:7:2", "callback_query", True, '{"text": "schön ☃"}')], NOW)
    row = inbox.get(conn, 1)
    assert row is not None
    assert (row.lane, row.kind, row.control, row.payload) == ("0:7:2", "callback_query", True, '{"text": "schön ☃"}')
    assert (row.state, row.attempts, row.leader_id) == ("queued", 0, None)


def test_a_lane_gives_its_oldest_and_waits_for_it(conn: sqlite3.Connection) -> None:
    inbox.add_updates(conn, [update(3), update(1), update(2, "b")], NOW)
    assert claimed(conn) == [1, 2]
    assert claimed(conn) == []
    assert inbox.finish(conn, 1, "done", NOW)
    assert claimed(conn) == [3]


def test_the_limit_takes_the_oldest_lanes(conn: sqlite3.Connection) -> None:
    inbox.add_updates(conn, [update(i, f"lane{i}") for i in (4, 2, 3, 1)], NOW)
    assert claimed(conn, limit=2) == [1, 2]
    assert claimed(conn, limit=9) == [3, 4]


def test_it_is_known_whether_updates_wait(conn: sqlite3.Connection) -> None:
    assert not inbox.has_queued(conn)
    inbox.add_updates(conn, [update(1), update(2), update(3, control=True)], NOW)
    assert inbox.has_queued(conn)
    claimed(conn)
    assert inbox.has_queued(conn), "2 waits for its lane"
    inbox.finish(conn, 1, "done", NOW)
    claimed(conn)
    assert not inbox.has_queued(conn)


def test_control_updates_wait_for_nobody(conn: sqlite3.Connection) -> None:
    inbox.add_updates(conn, [update(1), update(2), update(3, control=True), update(4, control=True)], NOW)
    assert claimed(conn) == [3, 4, 1]
    inbox.add_updates(conn, [update(5, control=True)], NOW)
    assert claimed(conn, limit=0) == [5]


def test_nothing_waits_for_a_control_update(conn: sqlite3.Connection) -> None:
    inbox.add_updates(conn, [update(1, control=True), update(2)], NOW)
    assert claimed(conn, limit=0) == [1]
    assert claimed(conn) == [2]


def test_a_claim_counts_attempts_and_notes_the_time(conn: sqlite3.Connection) -> None:
    inbox.add_updates(conn, [update(1)], NOW)
    (row,) = inbox_claims.claim(conn, 1, NOW + 5, max_attempts=3)
    assert (row.state, row.attempts, row.started_at) == ("running", 1, NOW + 5)


def test_an_update_ends_once(conn: sqlite3.Connection) -> None:
    inbox.add_updates(conn, [update(1)], NOW)
    claimed(conn)
    assert inbox.finish(conn, 1, "failed", NOW + 1, "half \ud83d a pair")
    assert not inbox.finish(conn, 1, "done", NOW + 2)
    row = inbox.get(conn, 1)
    assert row is not None
    assert (row.state, row.finished_at, row.error) == ("failed", NOW + 1, "half \ufffd a pair")


def test_a_quarantined_update_is_kept_and_never_started(conn: sqlite3.Connection) -> None:
    inbox.add_updates(conn, [update(1), update(2)], NOW)
    assert inbox.quarantine(conn, 1, NOW, "unreadable")
    assert claimed(conn) == [2]
    assert inbox.counts(conn) == {"quarantined": 1, "running": 1}


def test_what_ran_is_queued_again_after_a_restart(conn: sqlite3.Connection) -> None:
    inbox.add_updates(conn, [update(1), update(2), update(3, "b")], NOW)
    claimed(conn)
    recovered = inbox_recovery.recover(conn, NOW + 1, max_attempts=2)
    assert (recovered.requeued, recovered.spent, recovered.expired) == (2, [], [])
    assert claimed(conn) == [1, 3]


def test_spent_attempts_fail_and_are_reported(conn: sqlite3.Connection) -> None:
    inbox.add_updates(conn, [update(1), update(2)], NOW)
    for _ in range(2):
        assert claimed(conn, max_attempts=2) == [1]
        inbox.mark_asked(conn, 1)
        recovered = inbox_recovery.recover(conn, NOW + 1, max_attempts=2)
    assert [(row.update_id, row.state, row.attempts) for row in recovered.spent] == [(1, "failed", 2)]
    assert claimed(conn, max_attempts=2) == [2]


def test_an_update_with_spent_attempts_does_not_block_its_lane(conn: sqlite3.Connection) -> None:
    inbox.add_updates(conn, [update(1), update(2)], NOW)
    conn.execute("UPDATE inbox SET crashes = 2, strikes = 2 WHERE update_id = 1")
    assert claimed(conn, max_attempts=2) == [2]


@pytest.mark.parametrize(
    ("kind", "control", "age", "expired"),
    [
        ("message", False, inbox.UPDATE_LIFE - 1, False),
        ("message", False, inbox.UPDATE_LIFE, True),
        ("message", True, inbox.CALLBACK_LIFE, False),
        ("edited_message", False, inbox.CALLBACK_LIFE, False),
        ("callback_query", True, inbox.CALLBACK_LIFE - 1, False),
        ("callback_query", True, inbox.CALLBACK_LIFE, True),
        ("callback_query", False, inbox.CALLBACK_LIFE, False),
        ("callback_query", False, inbox.UPDATE_LIFE, True),
    ],
)
def test_old_updates_expire_by_their_kind(
    conn: sqlite3.Connection, kind: str, control: bool, age: int, expired: bool
) -> None:
    inbox.add_updates(conn, [update(1, kind=kind, control=control)], NOW)
    recovered = inbox_recovery.recover(conn, NOW + age, max_attempts=2)
    assert [row.update_id for row in recovered.expired] == ([1] if expired else [])
    assert inbox.counts(conn) == ({"expired": 1} if expired else {"queued": 1})


def test_the_lives_are_settings(conn: sqlite3.Connection) -> None:
    inbox.add_updates(conn, [update(1), update(2, "b", kind="poll", control=True)], NOW)
    recovered = inbox_recovery.recover(conn, NOW + 10, max_attempts=2, life=11, life_by_kind={"poll": 10})
    assert [row.update_id for row in recovered.expired] == [2]


def test_followers_are_part_of_the_leaders_turn(conn: sqlite3.Connection) -> None:
    inbox.add_updates(conn, [update(1), update(2), update(3), update(4, "b"), update(5), update(6, "b")], NOW)
    assert claimed(conn) == [1, 4]
    assert [row.update_id for row in inbox.queued(conn, "a", 2)] == [2, 3]
    assert inbox.merge(conn, 1, [3, 2, 4, 6, 99], NOW) == [2, 3]
    assert [row.update_id for row in inbox.followers(conn, 1)] == [2, 3]
    inbox.finish(conn, 1, "done", NOW)
    assert claimed(conn) == [5]


def test_nothing_is_merged_into_a_turn_that_does_not_run(conn: sqlite3.Connection) -> None:
    inbox.add_updates(conn, [update(1), update(2)], NOW)
    assert inbox.merge(conn, 1, [2], NOW) == []


def test_followers_stay_with_a_leader_that_starts_again(conn: sqlite3.Connection) -> None:
    inbox.add_updates(conn, [update(1), update(2), update(3)], NOW)
    claimed(conn)
    inbox.merge(conn, 1, [2], NOW)
    inbox_recovery.recover(conn, NOW + 1, max_attempts=2)
    assert claimed(conn) == [1]
    assert [row.update_id for row in inbox.followers(conn, 1)] == [2]


def about(update_id: int, message_id: int, lane: str = "a", kind: str = "message") -> NewUpdate:
    return NewUpdate(
        update_id, lane, kind, False, f'{{"update_id": {update_id}, "{kind}": {{"message_id": {message_id}}}}}'
    )


def test_what_tells_of_a_message_is_found_until_it_ends(conn: sqlite3.Connection) -> None:
    edited = about(6, 10, kind="edited_message")
    updates = [about(1, 10), about(2, 11), about(3, 10, "b"), about(4, 12), edited, about(7, 10)]
    inbox.add_updates(conn, updates, NOW)

    def found(message_id: int) -> list[int]:
        return [row.update_id for row in inbox.open_with_message(conn, "a", message_id, 7)]

    assert [row.update_id for row in inbox.queued_edits(conn)] == [6]
    assert (found(10), found(11)) == ([6, 1], [2])
    inbox_claims.claim(conn, 1, NOW, max_attempts=3)
    inbox.merge(conn, 1, [2], NOW)
    assert (found(10), found(11), found(12)) == ([6, 1], [2], [4])
    inbox.finish(conn, 1, "done", NOW)
    assert (found(10), found(11)) == ([6], [])


def test_a_released_update_has_lost_no_attempt_and_keeps_its_followers(conn: sqlite3.Connection) -> None:
    inbox.add_updates(conn, [update(1), update(2)], NOW)
    claimed(conn)
    inbox.merge(conn, 1, [2], NOW)
    assert not inbox.rewrite(conn, 1, "{}")
    assert inbox.release(conn, 1)
    assert not inbox.release(conn, 1)
    assert inbox.rewrite(conn, 1, '"one"')
    assert inbox.rewrite(conn, 2, '"two"')
    (row,) = inbox_claims.claim(conn, 1, NOW, max_attempts=1)
    assert (row.attempts, row.payload) == (1, '"one"')
    assert [part.payload for part in inbox.followers(conn, 1)] == ['"two"']


def test_what_is_separated_from_its_leader_waits_again(conn: sqlite3.Connection) -> None:
    inbox.add_updates(conn, [update(1), update(2), update(3)], NOW)
    claimed(conn)
    inbox.merge(conn, 1, [2, 3], NOW)
    inbox.release(conn, 1)
    inbox.separate(conn, 1)
    assert not inbox.followers(conn, 1)
    assert [row.update_id for row in inbox.queued(conn, update(1).lane, 9)] == [1, 2, 3]


def test_pruning_forgets_what_ended_long_ago_with_its_followers(conn: sqlite3.Connection) -> None:
    inbox.add_updates(conn, [update(1), update(2), update(3), update(4), update(5)], NOW)
    claimed(conn)
    inbox.merge(conn, 1, [2], NOW)
    inbox.finish(conn, 1, "done", NOW)
    inbox.finish(conn, 3, "done", NOW + 10)
    assert inbox.prune(conn, NOW + 10, 100, spared=()) == 1
    assert [inbox.get(conn, i) is None for i in (1, 2, 3, 4, 5)] == [True, True, False, False, False]


@pytest.mark.parametrize("spared", [1, 2])
def test_what_is_spared_keeps_its_whole_turn(conn: sqlite3.Connection, spared: int) -> None:
    inbox.add_updates(conn, [update(1), update(2), update(3)], NOW)
    claimed(conn)
    inbox.merge(conn, 1, [2], NOW)
    inbox.finish(conn, 1, "done", NOW)
    inbox.finish(conn, 3, "done", NOW)
    assert inbox.prune(conn, NOW + 1, 100, spared=[spared]) == 1
    assert inbox.counts(conn) == {"done": 1, "merged": 1}


async def test_many_workers_never_overlap_in_a_lane_and_keep_its_order(database: Database) -> None:
    rng = random.Random(7)
    updates = [update(i, f"lane{rng.randrange(12)}") for i in range(400)]
    running: set[str] = set()
    order: dict[str, list[int]] = defaultdict(list)

    async def work() -> None:
        while rows := await database.write(lambda conn: inbox_claims.claim(conn, 2, NOW, max_attempts=3)):
            for row in rows:
                assert row.lane not in running
                running.add(row.lane)
            for row in rows:
                await database.read(inbox.counts)
                order[row.lane].append(row.update_id)
                running.remove(row.lane)
                await database.write(lambda conn, row=row: inbox.finish(conn, row.update_id, "done", NOW))

    async with asyncio.TaskGroup() as group:
        for start in range(0, 400, 40):
            batch = updates[start : start + 60]
            group.create_task(database.write(lambda conn, batch=batch: inbox.add_updates(conn, batch, NOW)))
    async with asyncio.TaskGroup() as group:
        for _ in range(8):
            group.create_task(work())
    while await database.read(lambda conn: inbox.counts(conn).get("queued")):
        await work()
    assert await database.read(inbox.counts) == {"done": 400}
    assert all(ids == sorted(ids) for ids in order.values())
    assert sorted(i for ids in order.values() for i in ids) == list(range(400))


def test_what_has_not_begun_can_be_cancelled(conn: sqlite3.Connection) -> None:
    inbox.add_updates(conn, [update(1), update(2)], NOW)
    assert claimed(conn) == [1]
    assert not inbox.cancel(conn, 1, NOW)
    assert inbox.cancel(conn, 2, NOW)
    assert not inbox.cancel(conn, 2, NOW)
    assert inbox.counts(conn) == {"running": 1, "done": 1}
