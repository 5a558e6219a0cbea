"""The bot keeps what it is done with for as long as the settings say, and no longer."""

import os
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import pytest

from tgllm.config.sections.access import AccessSection
from tgllm.config.sections.retention import RetentionSection
from tgllm.db.database import Database
from tgllm.db.engine.unit import Connection
from tgllm.db.queries import outbox_claims
from tgllm.db.queries.scrub import scrub
from tgllm.db.tables import audit, broadcasts, conversations, inbox, messages, outbox, requests
from tgllm.db.tables.audit import NewEntry
from tgllm.db.tables.inbox import NewUpdate
from tgllm.db.tables.messages import NewMessage
from tgllm.db.tables.outbox import NewOutbox
from tgllm.db.tables.requests import NewRequest, Outcome
from tgllm.services.files.storage.store import FileStorage
from tgllm.services.maintenance.retention import PIECE, Retention
from tgllm.services.maintenance.unconfirmed import Unconfirmed
from tgllm.services.personal_data.export_files import write_exports
from tgllm.testing.clock import ManualClock

DAY = 86_400
START = 1_790_000_000.0
MANY = PIECE * 2 + 1


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Database]:
    async with await Database.open(tmp_path / "tgllm.db") as database:
        yield database


def fill(conn: Connection, now: int) -> None:
    """More of everything than one piece holds, all of it done with; and two questions, of which one was undone."""
    updates = [NewUpdate(number, "a", "message", control=False, payload="{}") for number in range(1, MANY + 1)]
    inbox.add_updates(conn, updates, now)
    for update in updates:
        inbox.finish(conn, update.update_id, "done", now)
    turns = [f"access:7:{number}" if number == 1 else f"u{number}" for number in range(MANY)]
    rows = [NewOutbox(lane=turn, method="sendMessage", chat_id=7, payload={}, turn_id=turn) for turn in turns]
    ids = outbox.add(conn, rows, now)
    outbox_claims.claim(conn, MANY, now)
    outbox.mark_sent(conn, [(row_id, 1) for row_id in ids], now)
    conversation = conversations.active_for(conn, "a", now).id
    for turn in ("undone", "kept"):
        new = NewMessage(conversation_id=conversation, parent_id=None, turn_id=turn, role="user", text="?")
        conversations.set_head(conn, conversation, messages.add(conn, new, now), now)
    for _ in range(MANY):
        audit.add(conn, NewEntry(actor_id=None, source="shell", action="test"), now)


def left(conn: Connection) -> tuple[int, int, int, int]:
    """How many updates, sent messages, questions and changes there are."""
    conversation = conversations.active_in(conn, "a")
    first = "SELECT count(*) FROM messages WHERE conversation_id = ? AND parent_id IS NULL"
    said = 0 if conversation is None else conn.execute(first, (conversation.id,)).fetchone()[0]
    return inbox.counts(conn).get("done", 0), outbox.counts(conn).get("sent", 0), said, audit.count(conn)


def of_batch(*ids: int) -> Unconfirmed:
    """These have come last."""
    unconfirmed = Unconfirmed()
    unconfirmed.note(ids, any_new=True)
    return unconfirmed


async def cleaned(
    store: Database, tmp_path: Path, days: float, settings: Mapping[str, float]
) -> tuple[int, int, int, int]:
    """What is left so many days after everything was done with."""
    clock = ManualClock(START + days * DAY)
    await Retention(
        store, FileStorage(tmp_path), clock, RetentionSection.model_validate(settings), AccessSection(), of_batch(MANY)
    ).clean()
    return await store.read(left)


@pytest.mark.parametrize(
    ("days", "settings", "expected"),
    [
        (6.9, {}, (MANY, MANY, 2, MANY)),
        # The update that came last stays, and the card of an admin, which may still be edited.
        (7.1, {}, (1, 1, 2, MANY)),
        (31, {}, (1, 1, 1, MANY)),
        (61, {}, (1, 0, 1, MANY)),
        (61, {"cleared_days": 0.0}, (1, 0, 2, MANY)),
        (15, {"updates_days": 30.0, "audit_days": 10.0}, (MANY, MANY, 2, 0)),
        (15, {"updates_days": 30.0, "messages_days": 10.0}, (MANY, MANY, 0, MANY)),
    ],
)
async def test_what_is_left_after_some_days(
    store: Database, tmp_path: Path, days: float, settings: Mapping[str, float], expected: tuple[int, int, int, int]
) -> None:
    await store.write(lambda conn: fill(conn, int(START * 1000)))
    assert await cleaned(store, tmp_path, days, settings) == expected


async def test_files_that_a_crash_has_left_behind_go_after_a_day(store: Database, tmp_path: Path) -> None:
    (left_behind,) = write_exports(tmp_path, ["secret"], START)
    for hours, stays in ((23, True), (25, False)):
        await Retention(
            store,
            FileStorage(tmp_path),
            ManualClock(START + hours * 3600),
            RetentionSection(),
            AccessSection(),
            of_batch(MANY),
        ).clean()
        assert left_behind.exists() is stays


async def test_a_file_that_cannot_be_removed_keeps_no_rows(store: Database, tmp_path: Path) -> None:
    (left_behind,) = write_exports(tmp_path, ["secret"], START)
    left_behind.unlink()
    left_behind.mkdir()
    os.utime(left_behind, (START, START))
    await store.write(lambda conn: fill(conn, int(START * 1000)))
    with pytest.raises(OSError, match=left_behind.name):
        await cleaned(store, tmp_path, 31, {})
    updates, sent, _, _ = await store.read(left)
    assert (updates, sent) == (1, 1)


def fail_and_announce(conn: Connection) -> None:
    """A call that failed and one that did not; and broadcasts: one stopped, one under way, one not confirmed."""
    now = int(START * 1000)
    for turn, status in (("failed", "failed"), ("fine", "ok")):
        new = NewRequest(turn_id=turn, conversation_id=None, user_id=None, provider="p", model="m")
        requests.add(conn, new, Outcome(status=status), now, now)
    for admin_id in (1, 2, 3):
        broadcasts.add_preview(conn, admin_id=admin_id, text="x", lane="a", language="", expires_at=now, now=now)
    broadcasts.stop(conn, 1, now)
    broadcasts.start(conn, 2, now)


async def test_failed_calls_and_ended_broadcasts_stay_for_a_month(store: Database, tmp_path: Path) -> None:
    await store.write(fail_and_announce)

    def kept(conn: Connection) -> tuple[list[str], list[int]]:
        announced = [number for number in (1, 2, 3) if broadcasts.get(conn, number) is not None]
        return [request.turn_id for request in requests.recent(conn, 9)], announced

    for days, expected in ((30.9, (["fine", "failed"], [1, 2, 3])), (31.1, (["fine"], [2]))):
        await Retention(
            store,
            FileStorage(tmp_path),
            ManualClock(START + days * DAY),
            RetentionSection(),
            AccessSection(),
            of_batch(MANY),
        ).clean()
        assert await store.read(kept) == expected


async def test_while_nobody_knows_what_may_come_again_no_update_goes(store: Database, tmp_path: Path) -> None:
    def fill_and_empty(conn: Connection) -> None:
        fill(conn, int(START * 1000))
        scrub(conn, 1)

    await store.write(fill_and_empty)
    clock = ManualClock(START + 8 * DAY)
    await Retention(store, FileStorage(tmp_path), clock, RetentionSection(), AccessSection(), Unconfirmed()).clean()
    assert await store.read(left) == (MANY, 1, 2, MANY)
