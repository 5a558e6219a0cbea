"""The messages that a turn reads: the newest ones that fit, whatever came before them."""

import sqlite3
from collections.abc import Callable

import pytest

from database_support import NOW
from engines import Engine
from tgllm.db.queries.contexts import HistoryMessage, Reader, newest, with_files
from tgllm.db.tables import conversations, messages
from tgllm.db.tables.messages import NewMessage


@pytest.fixture
def talk(conn: sqlite3.Connection) -> int:
    return conversations.active_for(conn, "a", NOW).id


def say(conn: sqlite3.Connection, talk: int, parent: int | None, text: str = "text", **more: object) -> int:
    """Store a message of ten tokens, unless something else is asked for."""
    values: dict[str, object] = {"role": "user", "tokens": 10, "turn_id": "t", **more}
    return messages.add(conn, NewMessage(conversation_id=talk, parent_id=parent, text=text, **values), NOW)  # type: ignore[arg-type]  fields by name


def talk_of(conn: sqlite3.Connection, talk: int, count: int, **more: object) -> list[int]:
    ids: list[int] = []
    for number in range(count):
        ids.append(say(conn, talk, ids[-1] if ids else None, str(number), **more))
    return ids


def ids(found: list[HistoryMessage]) -> list[int]:
    return [message.id for message in found]


def steps(conn: sqlite3.Connection, query: Callable[[], object]) -> int:
    """Count the operations of SQLite's virtual machine, in tens."""
    count = 0

    def tick() -> int:
        nonlocal count
        count += 1
        return 0

    conn.set_progress_handler(tick, 10)
    query()
    conn.set_progress_handler(None, 0)
    return count


def test_the_newest_that_fit_and_the_one_that_does_not(conn: sqlite3.Connection, talk: int) -> None:
    said = talk_of(conn, talk, 10)
    assert ids(newest(conn, talk, said[-1], room=35, most=100)) == said[-4:]
    assert ids(newest(conn, talk, said[-1], room=1000, most=100)) == said
    assert ids(newest(conn, talk, said[-1], room=1000, most=3)) == said[-3:]
    assert newest(conn, talk, None, room=1000, most=100) == []


def test_the_last_exchange_is_read_however_long_it_is(conn: sqlite3.Connection, talk: int) -> None:
    said = talk_of(conn, talk, 4)
    assert ids(newest(conn, talk, said[-1], room=0, most=100)) == said[-2:]


def test_only_the_branch_is_read(conn: sqlite3.Connection, talk: int) -> None:
    one = say(conn, talk, None)
    two, other = say(conn, talk, one), say(conn, talk, one)
    three = say(conn, talk, two)
    assert ids(newest(conn, talk, three, room=1000, most=100)) == [one, two, three]
    assert ids(newest(conn, talk, other, room=1000, most=100)) == [one, other]
    elsewhere = conversations.active_for(conn, "b", NOW).id
    assert newest(conn, elsewhere, three, room=1000, most=100) == []


def test_messages_without_an_estimate_count_by_their_length(conn: sqlite3.Connection, talk: int) -> None:
    """Never more than an estimate would: what fits is read in any case."""
    said = talk_of(conn, talk, 10, tokens=None)
    last = say(conn, talk, said[-1], "x" * 330, tokens=None)
    assert ids(newest(conn, talk, last, room=99, most=100)) == [said[-1], last]
    assert ids(newest(conn, talk, last, room=100, most=100)) == [*said, last]


def test_what_is_not_summarised_yet_is_read_too(conn: sqlite3.Connection, talk: int) -> None:
    said = talk_of(conn, talk, 10)
    assert ids(newest(conn, talk, said[-1], room=20, most=100, until=said[3])) == said[4:]
    assert ids(newest(conn, talk, said[-1], room=55, most=100, until=said[8])) == said[-6:]


def test_a_message_is_as_it_was_stored(conn: sqlite3.Connection, talk: int, engine: Engine) -> None:
    text = 'a "quote" \\ \n\t\x00\x1f   <b>ü 😀\ufffd'
    part = {"type": "file", "name": "ü"}
    asked = say(conn, talk, None, text, parts=[part], telegram_message_ids=[5, 6])
    mine = {"provider": "echo", "model": "words", "provider_data": {"signature": ["ü", None, 1.5]}}
    said = say(conn, talk, asked, "", role="assistant", **mine)
    question, answer = newest(conn, talk, said, room=1000, most=9, reader=Reader("echo", "words"))
    kept = text.replace("\0", "\ufffd") if engine.is_postgres else text
    assert (question.text, question.parts, question.telegram_message_ids) == (kept, (part,), (5, 6))
    assert (question.parent_id, question.tokens, question.tokens_before) == (None, 10, 0)
    assert (answer.text, answer.role, answer.provider, answer.model) == ("", "assistant", "echo", "words")
    assert (answer.provider_data, answer.tokens_before) == ({"signature": ["ü", None, 1.5]}, 10)
    assert newest(conn, talk, said, room=1000, most=9, reader=Reader("echo", "other"))[1].provider_data is None


def test_the_estimates_before_a_message_are_those_of_its_branch(conn: sqlite3.Connection, talk: int) -> None:
    one = say(conn, talk, None, tokens=7)
    say(conn, talk, one, tokens=1000)
    two = say(conn, talk, one, tokens=5)
    three = say(conn, talk, two)
    assert [row.tokens_before for row in newest(conn, talk, three, room=1000, most=9)] == [0, 7, 12]


@pytest.mark.sqlite  # counts the steps of SQLite's virtual machine
@pytest.mark.parametrize("files", [False, True])
def test_a_long_conversation_costs_no_more_than_what_fits(conn: sqlite3.Connection, talk: int, *, files: bool) -> None:
    """Reading is counted in operations of SQLite, which do not depend on the machine."""
    said = [say(conn, talk, None, parts=[{"type": "file"}] if files else ())]
    for _ in range(2040):
        said.append(say(conn, talk, said[-1]))
    short, long = said[40], said[-1]

    def read(head: int) -> list[HistoryMessage]:
        return newest(conn, talk, head, room=195, most=2000)

    assert len(read(long)) == len(read(short)) == 20
    assert abs(steps(conn, lambda: read(long)) - steps(conn, lambda: read(short))) <= 2
    if not files:
        assert steps(conn, lambda: with_files(conn, talk, said[-21], most=2000)) < 5


def test_older_messages_with_files_are_found_on_the_branch(conn: sqlite3.Connection, talk: int) -> None:
    file = [{"type": "file", "name": "a.pdf"}]
    one = say(conn, talk, None)
    paper = say(conn, talk, one, parts=file)
    taken_back = say(conn, talk, paper, parts=file)
    head = paper
    for _ in range(5):
        head = say(conn, talk, head)
    assert ids(with_files(conn, talk, head, most=100)) == [paper]
    assert ids(with_files(conn, talk, taken_back, most=100)) == [paper, taken_back]
    assert ids(with_files(conn, talk, head, most=5)) == []
    assert with_files(conn, talk, None, most=100) == []
    assert with_files(conn, conversations.active_for(conn, "b", NOW).id, head, most=100) == []


class TestKept:
    """Messages that an earlier call has read, of which only the ids are read again."""

    @pytest.fixture
    def said(self, conn: sqlite3.Connection, talk: int) -> list[int]:
        return talk_of(conn, talk, 60)

    def read(
        self, conn: sqlite3.Connection, talk: int, head: int, kept: list[HistoryMessage] | None = None
    ) -> list[HistoryMessage]:
        known = {row.id: row for row in kept or ()}
        return newest(conn, talk, head, room=495, most=2000, reader=Reader("echo", "words", known))

    @pytest.mark.sqlite  # counts the steps of SQLite's virtual machine
    def test_only_new_ones_and_the_first_are_read(self, conn: sqlite3.Connection, talk: int, said: list[int]) -> None:
        before = self.read(conn, talk, said[-1])
        head = say(conn, talk, say(conn, talk, said[-1]), "last")
        after = self.read(conn, talk, head, before)
        assert after == self.read(conn, talk, head)
        assert len(after) == 50
        assert [row.id for row in after if not any(row is each for each in before)] == [said[12], head - 1, head]
        costs = [steps(conn, lambda kept=kept: self.read(conn, talk, head, kept)) for kept in (before, None)]
        assert costs[0] < 0.8 * costs[1]

    def test_another_branch_is_read_as_it_is(self, conn: sqlite3.Connection, talk: int, said: list[int]) -> None:
        before = self.read(conn, talk, said[-1])
        other = say(conn, talk, said[40], "other")
        assert self.read(conn, talk, other, before) == self.read(conn, talk, other)
        assert self.read(conn, talk, said[30], before) == self.read(conn, talk, said[30])

    @pytest.mark.sqlite  # SQLite gives the id of a deleted row to a later one
    def test_a_message_with_the_id_of_a_deleted_one_is_read(
        self, conn: sqlite3.Connection, talk: int, said: list[int]
    ) -> None:
        before = self.read(conn, talk, said[-1])
        conn.execute("DELETE FROM messages WHERE id = ?", (said[-1],))
        values = NewMessage(
            conversation_id=talk, parent_id=said[-2], turn_id="later", role="user", text="other", tokens=10
        )
        assert messages.add(conn, values, NOW + 1) == said[-1]
        assert self.read(conn, talk, said[-1], before)[-1].text == "other"

    def test_files_that_come_or_go_are_noticed(self, conn: sqlite3.Connection, talk: int, said: list[int]) -> None:
        before = self.read(conn, talk, said[-1])
        messages.set_parts(conn, said[50], [{"type": "file", "name": "a.pdf"}])
        assert {row.id: row.parts for row in self.read(conn, talk, said[-1], before)}[said[50]]
        without = [row for row in self.read(conn, talk, said[-1]) if not row.parts_json]
        messages.set_parts(conn, said[50], [])
        assert self.read(conn, talk, said[-1], without) == before

    def test_the_first_one_after_deleted_ones_has_none_before_it(
        self, conn: sqlite3.Connection, talk: int, said: list[int]
    ) -> None:
        before = self.read(conn, talk, said[-1])
        conn.execute("UPDATE messages SET parent_id = NULL WHERE id = ?", (said[30],))
        after = self.read(conn, talk, said[-1], before)
        assert (after[0].id, after[0].parent_id) == (said[30], None)
        assert after == self.read(conn, talk, said[-1])
