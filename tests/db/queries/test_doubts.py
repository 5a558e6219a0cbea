"""Rows that may have arrived: whose messages they may be taken for."""

import sqlite3
from dataclasses import replace

from database_support import NOW
from tgllm.db.queries import known_ids, outbox_claims
from tgllm.db.queries.doubts import doubt_of, sent_lately
from tgllm.db.tables import outbox
from tgllm.db.tables.outbox import CARD, NewOutbox, OutboxRow

ROW = NewOutbox(lane="a", method="sendMessage", chat_id=7, payload={"text": "x"})
CARD_ROW = replace(ROW, priority=CARD)
OTHER_CHAT = replace(ROW, lane="b", chat_id=8)


def claim_all(conn: sqlite3.Connection, *rows: NewOutbox, now: int = NOW) -> list[OutboxRow]:
    outbox.add(conn, rows, now)
    return outbox_claims.claim(conn, 10, now)


def stored(conn: sqlite3.Connection, row: OutboxRow) -> OutboxRow:
    found = outbox.get(conn, row.id)
    assert found is not None
    return found


def test_a_claim_notes_the_highest_id(conn: sqlite3.Connection) -> None:
    known_ids.note(conn, [(8, 41), (-1_000_000_000_001, 99)])
    assert [row.known_id for row in claim_all(conn, ROW, OTHER_CHAT)] == [41, 41]


def test_the_id_from_before_a_doubtful_call_stays(conn: sqlite3.Connection) -> None:
    known_ids.note(conn, [(7, 41)])
    (row,) = claim_all(conn, ROW)
    outbox.mark_in_doubt(conn, row.id, NOW, "")
    known_ids.note(conn, [(7, 50)])
    (again,) = outbox_claims.claim(conn, 1, NOW)
    assert (again.id, again.known_id, again.doubt) == (row.id, 41, True)


def test_rows_that_have_arrived_are_sent(conn: sqlite3.Connection) -> None:
    known_ids.note(conn, [(7, 41)])
    doubtful, card = claim_all(conn, ROW, CARD_ROW)
    outbox.mark_in_doubt(conn, doubtful.id, NOW, "")
    # The card is not in doubt: its call is under way.
    outbox.mark_arrived(conn, [doubtful.id, card.id], NOW + 1)
    found = stored(conn, doubtful)
    assert (found.state, found.sent_at, found.message_id, found.doubt) == ("sent", NOW + 1, None, False)
    assert stored(conn, card).state == "sending"


def test_other_rows_of_the_chat_forget_their_ids(conn: sqlite3.Connection) -> None:
    known_ids.note(conn, [(7, 41)])
    # The most urgent first.
    lost, elsewhere, card = claim_all(conn, ROW, OTHER_CHAT, CARD_ROW)
    outbox.mark_in_doubt(conn, card.id, NOW + 1, "")
    topic = claim_all(conn, replace(ROW, lane="topic"))[0]
    outbox.forget_ids(conn, lost)
    assert [stored(conn, row).known_id for row in (lost, card, topic, elsewhere)] == [41, None, None, 41]


def erase(conn: sqlite3.Connection, row: OutboxRow) -> None:
    conn.execute("UPDATE outbox SET payload = '{}' WHERE id = ?", (row.id,))


def test_after_a_lost_message_that_was_erased_no_id_is_known_until_the_next_one(conn: sqlite3.Connection) -> None:
    known_ids.note(conn, [(7, 41)])
    (lost,) = claim_all(conn, ROW)
    outbox.mark_uncertain(conn, lost.id, "")
    erase(conn, lost)
    (next_one,), (elsewhere,) = claim_all(conn, ROW), claim_all(conn, OTHER_CHAT)
    assert (next_one.known_id, elsewhere.known_id) == (None, 41)
    known_ids.note(conn, [(7, 44)])
    outbox.mark_sent(conn, [(next_one.id, 44)], NOW)
    outbox.pass_over(conn, next_one)
    assert claim_all(conn, ROW)[0].known_id == 44


def test_a_message_of_another_stream_may_be_older_than_a_lost_one(conn: sqlite3.Connection) -> None:
    known_ids.note(conn, [(7, 41)])
    lost, card = claim_all(conn, ROW, CARD_ROW)
    outbox.mark_uncertain(conn, lost.id, "")
    erase(conn, lost)
    outbox.mark_sent(conn, [(card.id, 42)], NOW)
    outbox.pass_over(conn, card)
    assert claim_all(conn, ROW)[0].known_id is None
    (late,) = claim_all(conn, CARD_ROW, now=NOW + 3_600_000)
    outbox.pass_over(conn, late)
    assert claim_all(conn, replace(ROW, lane="topic"))[0].known_id == 41


def test_messages_that_were_given_up_and_calls_under_way_are_rivals(conn: sqlite3.Connection) -> None:
    known_ids.note(conn, [(7, 41), (8, 41)])
    # The most urgent first.
    stopped, elsewhere, card = claim_all(conn, ROW, CARD_ROW, OTHER_CHAT)
    outbox.mark_in_doubt(conn, stopped.id, NOW, "")
    assert outbox.drop(conn, stopped.id, "stopped")
    (lost,) = claim_all(conn, ROW)
    outbox.mark_uncertain(conn, lost.id, "")
    reaction, answer = claim_all(conn, replace(ROW, lane="d", kind="other"), replace(ROW, lane="c"))
    outbox.mark_in_doubt(conn, answer.id, NOW, "")
    outbox.mark_in_doubt(conn, elsewhere.id, NOW, "")
    found = doubt_of(conn, stored(conn, answer))
    assert found is not None
    assert {rival.id for rival in found.rivals} == {stopped.id, lost.id, card.id}
    assert reaction.id not in {rival.id for rival in found.rivals}
    # Those in doubt may have any of the next ids.
    assert found.open_rows == 2


def test_who_has_sent_a_message_lately(conn: sqlite3.Connection) -> None:
    sent, elsewhere = claim_all(conn, ROW, OTHER_CHAT)
    outbox.mark_sent(conn, [(sent.id, 42), (elsewhere.id, 43)], NOW)
    (answer,) = claim_all(conn, ROW)
    found = [sent_lately(conn, answer, number) for number in (42, 43)]
    assert [row and row.id for row in found] == [sent.id, None]


def test_ids_that_were_excluded_are_not_tried_again(conn: sqlite3.Connection) -> None:
    known_ids.note(conn, [(7, 41)])
    (row,) = claim_all(conn, ROW)
    outbox.mark_in_doubt(conn, row.id, NOW, "")
    (again,) = outbox_claims.claim(conn, 1, NOW)
    outbox.exclude(conn, row.id, 45)
    outbox.exclude(conn, row.id, 43)
    assert (again.known_id, stored(conn, row).known_id) == (41, 45)
    outbox.forget_ids(conn, replace(row, id=99))
    outbox.exclude(conn, row.id, 46)
    assert stored(conn, row).known_id is None


def test_calls_without_a_result_are_counted(conn: sqlite3.Connection) -> None:
    (row,) = claim_all(conn, ROW)
    outbox.release(conn, row.id, NOW)
    assert stored(conn, row).unconfirmed == 0
    outbox_claims.claim(conn, 1, NOW)
    outbox.mark_ready_again(conn, row.id, NOW, "refused", refused=True)
    assert stored(conn, row).unconfirmed == 0
    outbox_claims.claim(conn, 1, NOW)
    outbox.mark_in_doubt(conn, row.id, NOW, "cut")
    # It is found out about the call, and then there is another one.
    outbox_claims.claim(conn, 1, NOW)
    assert stored(conn, row).unconfirmed == 1
    outbox.release(conn, row.id, NOW)
    outbox_claims.claim(conn, 1, NOW)
    outbox.begin_again(conn, row.id)
    assert stored(conn, row).unconfirmed == 2
    outbox.mark_uncertain(conn, row.id, "cut")
    assert outbox.resend(conn, row.id)
    assert stored(conn, row).unconfirmed == 0


def test_a_row_that_is_erased_during_its_call_is_not_found_for_another(conn: sqlite3.Connection) -> None:
    known_ids.note(conn, [(7, 41)])
    erased, card = claim_all(conn, ROW, CARD_ROW)
    erase(conn, erased)
    assert outbox.drop_erased(conn, erased.id)
    assert not outbox.drop_erased(conn, card.id)
    assert stored(conn, card).known_id is None
    assert claim_all(conn, ROW)[0].known_id is None
