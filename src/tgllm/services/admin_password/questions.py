"""Open password prompts.

While a prompt is open, the admin's next private message is the answer. For some minutes after it has expired, and
during a lockout, a message still counts as a late answer: it is deleted without a check and never reaches the model,
since it may contain the password. Prompts are also stored in the database, so that this holds after a restart.
"""

from dataclasses import dataclass, replace
from typing import Any, Final, Literal, cast

from tgllm.db.engine.unit import Connection
from tgllm.db.queries import scrub
from tgllm.db.tables import kv
from tgllm.db.tables.inbox import UPDATE_LIFE, InboxRow

__all__ = [
    "LATE",
    "Kind",
    "Question",
    "Questions",
    "forget_question",
    "has_questions",
    "stored_questions",
    "updates_after",
]

LATE: Final = 300_000
"""Milliseconds after the expiry of a prompt during which a message still counts as a late answer."""

Kind = Literal["answer", "late", "after"]
"""``late``: deleted without a check; ``after``: a late answer was deleted before, so this one may be something else."""


@dataclass(frozen=True, slots=True)
class Question:
    """A prompt for the password."""

    update_id: int
    """Update of the admin command that caused the prompt; answers have a higher id."""
    until: int
    """Time of expiry, UTC in milliseconds."""
    line: str = ""
    """The admin command to run after a correct answer; not stored, and empty if no answer is accepted any more."""


class Questions:
    """Open prompts, at most one for each admin."""

    def __init__(self) -> None:
        self._open: dict[int, Question] = {}
        self._answers: dict[int, set[int]] = {}
        self._warned: set[int] = set()
        self._went_on: dict[int, int] = {}
        """The lockouts in which admins have cancelled, by user id."""
        self._elsewhere: dict[int, int] = {}
        """Until when a password may be sent in a group, by user id."""

    def ask(self, conn: Connection, user_id: int, question: Question, now: int) -> None:
        """Open a prompt, in place of an earlier one of the same admin."""
        self._open[user_id] = question
        self._answers.pop(user_id, None)
        self._warned.discard(user_id)
        _store(conn, user_id, question, now)

    def of(self, user_id: int) -> Question | None:
        """Return the prompt of an admin."""
        return self._open.get(user_id)

    def kind_of_answer(
        self, user_id: int, update_id: int, *, received_at: int, sent_at: int, locked_until: int = 0
    ) -> Kind | None:
        """Classify a message: an answer to the sender's prompt, a late answer, or None for an ordinary message.

        Args:
            user_id: the sender.
            update_id: the message's update.
            received_at: when it was received, UTC in milliseconds.
            sent_at: when it was sent or edited according to Telegram; earlier if the bot was offline.
            locked_until: end of the sender's lockout, UTC in milliseconds; 0 if there is none.
        """
        question = self._open.get(user_id)
        if question is not None and update_id <= question.update_id:
            return None
        if self._went_on.get(user_id) == locked_until:
            locked_until = 0
        if received_at < locked_until:
            return "late"
        if question is not None and question.line and received_at <= question.until:
            return "answer"
        if question is not None and min(received_at, sent_at) <= question.until + LATE:
            return "after" if user_id in self._warned else "late"
        until = max(locked_until, self._elsewhere.get(user_id, 0))
        if until and received_at <= until + LATE:
            return "after"
        self._open.pop(user_id, None)
        return None

    def expect_elsewhere(self, user_id: int, until: int) -> None:
        """Expect that an admin sends the password in a group, where the command that needs it was sent."""
        self._elsewhere[user_id] = until

    def warn(self, conn: Connection, user_id: int) -> None:
        """Note that a late answer of an admin was deleted, and that they were notified."""
        question = self._open.get(user_id)
        self.close(conn, user_id)
        self._warned.add(user_id)
        if question is not None:
            self._open[user_id] = replace(question, line="")

    def go_on(self, conn: Connection, user_id: int, locked_until: int) -> None:
        """Close the prompt of an admin who has cancelled, and treat their messages as ordinary ones."""
        self.close(conn, user_id)
        self._elsewhere.pop(user_id, None)
        self._went_on[user_id] = locked_until

    def note_answer(self, user_id: int, message_id: int) -> None:
        """Remember the id of an answer, so that edits of it don't reach the model."""
        self._answers.setdefault(user_id, set()).add(message_id)

    def was_answer(self, user_id: int, message_id: int) -> bool:
        """Whether a message was an answer to the latest prompt."""
        return message_id in self._answers.get(user_id, ())

    def wait_until(self, conn: Connection, user_id: int, until: int, now: int, *, again: bool) -> None:
        """Extend a prompt after a wrong answer; with ``again`` False, further messages only count as late answers."""
        question = self._open[user_id]
        self._open[user_id] = replace(question, until=until, line=question.line if again else "")
        _store(conn, user_id, self._open[user_id], now)

    def close(self, conn: Connection, user_id: int) -> None:
        """Close the prompt of an admin, and scrub failed updates since then, which may contain the password."""
        question = self._open.pop(user_id, None) or _stored(conn, user_id)
        forget_question(conn, user_id)
        if question is not None:
            for row in updates_after(conn, user_id, question):
                if row.state not in {"queued", "running"}:
                    scrub.scrub(conn, row.update_id)

    def learn(self, questions: dict[int, Question]) -> None:
        """Note prompts of other replicas. Answers to them are late here, since their commands are not stored."""
        for user_id, question in questions.items():
            known = self._open.get(user_id)
            if known is None or known.update_id < question.update_id:
                self._open[user_id] = question

    def restore(self, questions: dict[int, Question]) -> None:
        """Restore prompts of an earlier run. Answers to them are late, since their commands are not stored."""
        self._open = dict(questions)


def stored_questions(conn: Connection) -> dict[int, Question]:
    """Return the stored prompts by user id."""
    return {
        int(key.removeprefix("user:")): _question_of(value) for key, value in kv.items(conn, scrub.QUESTIONS).items()
    }


def updates_after(conn: Connection, user_id: int, question: Question) -> list[InboxRow]:
    """Return an admin's private updates since a prompt that are not done, oldest first."""
    return scrub.private_updates_after(conn, user_id, question.update_id, question.until - UPDATE_LIFE)


def has_questions(conn: Connection) -> bool:
    """Whether any prompt is stored."""
    return bool(kv.items(conn, scrub.QUESTIONS))


def forget_question(conn: Connection, user_id: int) -> None:
    """Delete the stored prompt of an admin."""
    kv.delete(conn, scrub.QUESTIONS, _key(user_id))


def _store(conn: Connection, user_id: int, question: Question, now: int) -> None:
    kv.set_value(conn, scrub.QUESTIONS, _key(user_id), {"update_id": question.update_id, "until": question.until}, now)


def _stored(conn: Connection, user_id: int) -> Question | None:
    """Return the stored prompt of an admin: a unit of work that runs again finds it closed in memory."""
    value = kv.get(conn, scrub.QUESTIONS, _key(user_id))
    return None if value is None else _question_of(value)


def _question_of(value: object) -> Question:
    stored = cast("dict[str, Any]", value)
    return Question(stored["update_id"], stored["until"])


def _key(user_id: int) -> str:
    # /forget deletes rows whose key is the bare user id; this one stays.
    return f"user:{user_id}"
