"""A proposal is stored once for a call, and decided once, by the person who was asked."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from loop_support import add_person
from tgllm.api import ToolFailed
from tgllm.db.database import Database
from tgllm.db.engine.unit import Connection
from tgllm.db.tables.memory import proposals
from tgllm.observe.visible import is_safe
from tgllm.services.chats.facts import MOST_LENGTH, facts_in
from tgllm.services.common.lane import Lane
from tgllm.services.conversations.turn import Turn
from tgllm.services.memory.proposals import MOST_IN_DAY, VALID_DAYS, decide, propose

DAY = 24 * 3600 * 1000
NOW = 100 * DAY
MINE = Lane(7)


def ask(conn: Connection, turn_id: str = "u1") -> list[proposals.Proposal]:
    """What the person is asked with the answer of the turn."""
    found = proposals.unasked(conn, turn_id)
    for each in found:
        proposals.set_state(conn, each.id, "open", "new")
    return found


def press(conn: Connection, each: proposals.Proposal, *, keep: bool = True, now: int = NOW) -> str:
    return decide(conn, each.id, each.mark, MINE, 7, keep=keep, now=now).result


async def test_a_repeated_call_stores_one_proposal(database: Database, turn: Turn) -> None:
    def unit(conn: Connection) -> None:
        assert propose(conn, turn, "c1", " I like tea. ", NOW) == "proposed"
        assert propose(conn, turn, "c1", " I like tea. ", NOW) == "proposed"
        assert propose(conn, turn, "c2", "I LIKE tea.", NOW) == "asked_before"
        (asked,) = ask(conn)
        assert asked.text == "I like tea."
        # The turn runs again after its answer was stored, or a crash came before: nobody is asked twice.
        assert propose(conn, turn, "c1", "I like tea.", NOW) == "proposed"
        assert ask(conn) == []

    await database.write(unit)


async def test_before_the_card_is_sent_nothing_can_be_decided(database: Database, turn: Turn) -> None:
    def unit(conn: Connection) -> None:
        propose(conn, turn, "c1", "I like tea.", NOW)
        (waiting,) = proposals.unasked(conn, "u1")
        assert press(conn, waiting) == "over"
        assert facts_in(conn, MINE.key) == []

    await database.write(unit)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.sampled_from([7, 8]), st.sampled_from([0, VALID_DAYS * DAY])), max_size=6))
async def test_of_any_presses_the_first_valid_one_decides(
    database: Database, turn: Turn, presses: list[tuple[bool, int, int]]
) -> None:
    def unit(conn: Connection) -> None:
        add_person(conn)
        conn.execute("DELETE FROM facts")
        conn.execute("DELETE FROM fact_proposals")
        propose(conn, turn, "c1", "I like tea.", NOW)
        (asked,) = ask(conn)
        for keep, person, later in presses:
            decide(conn, asked.id, asked.mark, MINE, person, keep=keep, now=NOW + later)
        valid = [keep for keep, person, later in presses if person == 7 and not later]
        wanted = ["I like tea."] if valid[:1] == [True] else []
        assert [fact.text for fact in facts_in(conn, MINE.key)] == wanted
        for fact in facts_in(conn, MINE.key):
            assert (fact.source, fact.user_id, fact.message_id, fact.owner) == ("model", 7, turn.message_id, 7)

    await database.write(unit)


async def test_what_is_declined_is_not_proposed_again_and_what_expired_is(database: Database, turn: Turn) -> None:
    def unit(conn: Connection) -> None:
        propose(conn, turn, "c1", "I like tea.", NOW)
        propose(conn, turn, "c2", "I like rain.", NOW)
        tea, rain = ask(conn)
        press(conn, tea, keep=False)
        later = Turn("u2", turn.lane, turn.user, turn.chat, "And?")
        after = NOW + VALID_DAYS * DAY
        assert propose(conn, later, "c3", "I like rain.", after - 1) == "asked_before"
        assert propose(conn, later, "c3", "I like tea.", after) == "declined_before"
        assert propose(conn, later, "c3", "I like rain.", after) == "proposed"
        assert press(conn, rain, now=after) == "expired"

    await database.write(unit)


async def test_the_proposals_of_a_day_are_limited(database: Database, turn: Turn) -> None:
    def unit(conn: Connection) -> None:
        for number in range(MOST_IN_DAY):
            each = Turn(f"u{number}", turn.lane, turn.user, turn.chat, "Hello")
            propose(conn, each, f"c{number}", f"fact {number}", NOW)
        with pytest.raises(ToolFailed, match="today"):
            propose(conn, turn, "next", "one more", NOW)
        assert propose(conn, turn, "next", "one more", NOW + DAY + 1) == "proposed"

    await database.write(unit)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(st.text(max_size=MOST_LENGTH))
async def test_what_is_kept_is_what_is_shown(database: Database, turn: Turn, fact: str) -> None:
    def unit(conn: Connection) -> None:
        add_person(conn)
        conn.execute("DELETE FROM facts")
        conn.execute("DELETE FROM fact_proposals")
        try:
            propose(conn, turn, "c1", fact, NOW)
        except ToolFailed:
            return
        (asked,) = ask(conn)
        assert is_safe(asked.text)
        assert press(conn, asked) == "kept"
        assert [each.text for each in facts_in(conn, MINE.key)] == [asked.text]

    await database.write(unit)
