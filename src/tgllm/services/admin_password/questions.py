"""Questions for the admin password that wait for an answer.

While one waits, whatever the person writes to the bot in private is the answer. For some minutes after its time is over
the next message is still taken for one, deleted and not looked at: it may hold the password. The note in the database
that somebody has been asked is what a restart needs in order to know that too.
"""

from dataclasses import dataclass, replace
from typing import Any, Final, Literal, cast

from tgllm.db.engine.unit import Connection
from tgllm.db.queries import scrub
from tgllm.db.tables import kv
from tgllm.db.tables.inbox import UPDATE_LIFE, InboxRow

__all__ = ["LATE", "Question", "Questions", "forget_question", "has_questions", "stored_questions", "updates_after"]

LATE: Final = 300_000
"""Milliseconds after its time that a question still takes a message away from the model."""


@dataclass(frozen=True, slots=True)
class Question:
    """Somebody has been asked for the password."""

    update_id: int
    """What they were asked for; answers come after it."""
    until: int
    """UTC in milliseconds."""
    line: str = ""
    """The admin command that is to be run; it is not stored."""


class Questions:
    """One question at most for each person."""

    def __init__(self) -> None:
        """Know of none."""
        self._open: dict[int, Question] = {}
        self._answers: dict[int, set[int]] = {}

    def ask(self, conn: Connection, user_id: int, question: Question, now: int) -> None:
        """Wait for an answer; a question that was open before is not."""
        self._open[user_id] = question
        self._answers.pop(user_id, None)
        _store(conn, user_id, question, now)

    def of(self, user_id: int) -> Question | None:
        """The question that somebody has been asked."""
        return self._open.get(user_id)

    def kind_of_answer(
        self, user_id: int, update_id: int, *, received_at: int, sent_at: int
    ) -> Literal["answer", "late"] | None:
        """What a message is to the question that its sender has been asked; None: nothing.

        Args:
            user_id: the sender.
            update_id: the message's update.
            received_at: when it came, UTC in milliseconds.
            sent_at: when it was sent or edited, as Telegram says; the bot may have been out of reach since then.
        """
        question = self._open.get(user_id)
        if question is None or update_id <= question.update_id:
            return None
        if question.line and received_at <= question.until:
            return "answer"
        if min(received_at, sent_at) <= question.until + LATE:
            return "late"
        del self._open[user_id]
        return None

    def note_answer(self, user_id: int, message_id: int) -> None:
        """Remember which message was an answer: its edits are none of the model's business."""
        self._answers.setdefault(user_id, set()).add(message_id)

    def was_answer(self, user_id: int, message_id: int) -> bool:
        """Whether the message was the answer to the latest question."""
        return message_id in self._answers.get(user_id, ())

    def wait_until(self, conn: Connection, user_id: int, until: int, now: int, *, again: bool) -> None:
        """After a wrong answer: wait for another one, or (``again`` False) only take away what comes late."""
        question = self._open[user_id]
        self._open[user_id] = replace(question, until=until, line=question.line if again else "")
        _store(conn, user_id, self._open[user_id], now)

    def close(self, conn: Connection, user_id: int) -> None:
        """End the question of a person, and empty what came in the meantime and could not be read."""
        question = self._open.pop(user_id, None)
        forget_question(conn, user_id)
        if question is not None:
            for row in updates_after(conn, user_id, question):
                if row.state not in {"queued", "running"}:
                    scrub.scrub(conn, row.update_id)

    def restore(self, questions: dict[int, Question]) -> None:
        """Take up what an earlier run has asked: answers to it are late, since what was to be done is not known."""
        self._open = dict(questions)


def stored_questions(conn: Connection) -> dict[int, Question]:
    """What earlier runs have asked, by person."""
    found: dict[int, Question] = {}
    for key, value in kv.items(conn, scrub.QUESTIONS).items():
        stored = cast("dict[str, Any]", value)
        found[int(key.removeprefix("user:"))] = Question(stored["update_id"], stored["until"])
    return found


def updates_after(conn: Connection, user_id: int, question: Question) -> list[InboxRow]:
    """The updates of somebody who has been asked that came since then and were not done with, oldest first."""
    return scrub.private_updates_after(conn, user_id, question.update_id, question.until - UPDATE_LIFE)


def has_questions(conn: Connection) -> bool:
    """Whether anything is stored here."""
    return bool(kv.items(conn, scrub.QUESTIONS))


def forget_question(conn: Connection, user_id: int) -> None:
    """Leave no note that somebody has been asked."""
    kv.delete(conn, scrub.QUESTIONS, _key(user_id))


def _store(conn: Connection, user_id: int, question: Question, now: int) -> None:
    kv.set_value(conn, scrub.QUESTIONS, _key(user_id), {"update_id": question.update_id, "until": question.until}, now)


def _key(user_id: int) -> str:
    # Rows whose key is the id alone are a person's own and go with /forget.
    return f"user:{user_id}"
