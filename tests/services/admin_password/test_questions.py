"""Which messages count as answers, and until when."""

import json
import sqlite3
from collections.abc import Generator
from contextlib import closing
from pathlib import Path
from typing import Final

import pytest

from tgllm.db.engine.sqlite import connect
from tgllm.db.file.schema import prepare
from tgllm.db.tables import inbox
from tgllm.db.tables.inbox import NewUpdate
from tgllm.services.admin_password.questions import LATE, Kind, Question, Questions, has_questions

ANN: Final = 7
ASKED_AT, UNTIL = 1_000_000, 1_060_000


def kind(questions: Questions, at: int, *, update_id: int = 11, locked_until: int = 0) -> Kind | None:
    return questions.kind_of_answer(ANN, update_id, received_at=at, sent_at=at, locked_until=locked_until)


@pytest.fixture
def conn(tmp_path: Path) -> Generator[sqlite3.Connection]:
    """A connection to a fresh database."""
    path = tmp_path / "tgllm.db"
    prepare(path, ASKED_AT)
    with closing(connect(path)) as connection:
        yield connection


@pytest.fixture
def asked(conn: sqlite3.Connection) -> Questions:
    questions = Questions()
    questions.ask(conn, ANN, Question(10, UNTIL, "backup"), ASKED_AT)
    return questions


def test_until_when_it_is_an_answer(asked: Questions) -> None:
    assert kind(asked, UNTIL, update_id=10) is None
    found = [kind(asked, at) for at in (ASKED_AT, UNTIL, UNTIL + 1, UNTIL + LATE, UNTIL + LATE + 1)]
    assert found == ["answer", "answer", "late", "late", None]


def test_after_the_first_late_one_others_may_be_something_else(conn: sqlite3.Connection, asked: Questions) -> None:
    asked.warn(conn, ANN)
    assert [kind(asked, at) for at in (UNTIL + 1, UNTIL + LATE + 1)] == ["after", None]
    asked.ask(conn, ANN, Question(12, UNTIL, "backup"), ASKED_AT)
    assert kind(asked, UNTIL + 1, update_id=13) == "late"


def test_an_update_that_may_hold_the_password_is_emptied_also_if_the_transaction_runs_again(
    conn: sqlite3.Connection, asked: Questions
) -> None:
    """The disk was full at the first attempt, which was rolled back."""
    payload = json.dumps({"update_id": 11, "message": {"text": "secret"}})
    update = NewUpdate(11, f":{ANN}:", "message", control=False, payload=payload)
    inbox.add_updates(conn, [update], ASKED_AT)
    inbox.finish(conn, 11, "failed", ASKED_AT, "broken")
    for end in ("ROLLBACK", "COMMIT"):
        conn.execute("BEGIN IMMEDIATE")
        asked.close(conn, ANN)
        conn.execute(end)
    assert "secret" not in conn.execute("SELECT payload FROM inbox").fetchone()[0]
    assert asked.of(ANN) is None
    assert not has_questions(conn)


def test_a_lockout(conn: sqlite3.Connection) -> None:
    questions, end = Questions(), UNTIL
    found = [kind(questions, at, locked_until=end) for at in (end - 1, end, end + LATE, end + LATE + 1)]
    assert found == ["late", "after", "after", None]
    questions.go_on(conn, ANN, end)
    assert kind(questions, end - 1, locked_until=end) is None
    assert kind(questions, end - 1, locked_until=end + 1) == "late"


def test_a_group_that_was_told_to_ask_in_private() -> None:
    questions = Questions()
    questions.expect_elsewhere(ANN, UNTIL)
    assert [kind(questions, at) for at in (UNTIL, UNTIL + LATE + 1)] == ["after", None]
