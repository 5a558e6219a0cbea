"""Moves within a conversation: clear, begin anew, undo, ask again, go on from elsewhere."""

from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

import pytest

from tgllm.api import FinishReason, ModelRef, Unavailable
from tgllm.db.database import Database
from tgllm.db.engine.unit import Connection
from tgllm.db.tables import conversations, messages, users
from tgllm.db.tables.conversations import Conversation
from tgllm.db.tables.messages import Message
from tgllm.services.conversations import branches
from tgllm.services.conversations.turn import Branch, Turn, TurnOutcome, TurnStatus
from tgllm.services.turns.record import record_turn

T = TypeVar("T")

LANE = ":7:"


class Talk:
    """A conversation in the making."""

    def __init__(self, database: Database, turn: Turn) -> None:
        self._database = database
        self._turn = turn
        self._count = 0

    async def ask(
        self,
        question: str,
        answer: str = "yes",
        *,
        status: TurnStatus = "ok",
        reason: FinishReason = "stop",
        branch: Branch | None = None,
        title: str = "",
    ) -> str:
        """Ask something; returns the id of the turn."""
        self._count += 1
        turn = replace(self._turn, id=f"u{self._count}", text=question, branch=branch, title=title)
        turn = replace(turn, message_id=100 + self._count)
        error = Unavailable() if status == "failed" else None
        outcome = TurnOutcome(status, ModelRef("scripted", "model"), answer, reason=reason, error=error)
        await self._database.write(lambda conn: record_turn(conn, turn, outcome, (), (), self._count))
        return turn.id

    async def read(self, get: Callable[[Connection], T]) -> T:
        return await self._database.read(get)

    async def write(self, unit: Callable[[Connection], T]) -> T:
        return await self._database.write(unit)

    async def active(self) -> Conversation:
        found = await self.read(lambda conn: conversations.active_in(conn, LANE))
        assert found is not None
        return found

    async def context(self) -> list[str]:
        """What the next question follows."""
        conversation = await self.active()

        def get(conn: Connection) -> list[Message]:
            return messages.history(conn, conversation.id, branches.tip(conn, conversation), 100)

        return [message.text for message in await self.read(get)]

    async def last(self) -> Message:
        found = await self.read(lambda conn: branches.last_question(conn, LANE))
        assert found is not None
        return found


@pytest.fixture
async def talk(database: Database, turn: Turn) -> Talk:
    await database.write(lambda conn: users.ensure_owners(conn, [7], 0))
    return Talk(database, turn)


async def test_without_a_conversation_there_is_nothing(talk: Talk) -> None:
    assert await talk.read(lambda conn: branches.last_question(conn, LANE)) is None
    assert await talk.write(lambda conn: branches.undo(conn, LANE, 1)) is None
    assert not await talk.read(lambda conn: branches.is_cut(conn, LANE))
    assert await talk.read(lambda conn: branches.past(conn, LANE)) == []
    await talk.write(lambda conn: branches.clear(conn, LANE, 1))


async def test_clear_empties_the_context_and_keeps_what_was_said(talk: Talk) -> None:
    turn_id = await talk.ask("one")
    await talk.write(lambda conn: branches.clear(conn, LANE, 1))
    assert await talk.context() == []
    assert len(await talk.read(lambda conn: messages.of_turn(conn, turn_id))) == 2


async def test_the_title_is_the_first_question_shortened(talk: Talk) -> None:
    await talk.ask("one\n two   " + "three " * 20)
    await talk.ask("second")
    title = (await talk.active()).title
    assert title is not None
    assert title.startswith("one two three three")
    assert title.endswith("…")
    assert len(title) <= branches.TITLE_LENGTH


async def test_a_title_may_differ_from_the_text(talk: Talk) -> None:
    await talk.ask("[In reply to Bob] what?", title="what?")
    assert (await talk.active()).title == "what?"


async def test_a_question_asked_again_keeps_the_title(talk: Talk) -> None:
    await talk.ask("[In reply to Bob] what?", title="what?")
    await talk.ask("[In reply to Bob] what?", branch=branches.branch_before(await talk.last()))
    assert (await talk.active()).title == "what?"


async def test_what_begins_after_a_clear_gives_the_title(talk: Talk) -> None:
    await talk.ask("one", title="one")
    await talk.write(lambda conn: branches.clear(conn, LANE, 1))
    await talk.ask("two", title="two")
    assert (await talk.active()).title == "two"


async def test_new_keeps_the_former_one_in_the_list(talk: Talk) -> None:
    await talk.ask("one")
    await talk.write(lambda conn: branches.begin_new(conn, LANE, 1))
    assert await talk.context() == []
    await talk.ask("two")
    assert [found.title for found in await talk.read(lambda conn: branches.past(conn, LANE))] == ["two", "one"]


async def test_empty_conversations_do_not_pile_up(talk: Talk) -> None:
    await talk.ask("one")
    for _ in range(3):
        await talk.write(lambda conn: branches.begin_new(conn, LANE, 5))
    assert len(await talk.read(lambda conn: conversations.list_for(conn, LANE, 10))) == 2


async def test_an_earlier_conversation_is_gone_on_with(talk: Talk) -> None:
    await talk.ask("one")
    first = await talk.active()
    await talk.write(lambda conn: branches.begin_new(conn, LANE, 5))
    assert (await talk.write(lambda conn: branches.reopen(conn, LANE, first.id, 6))) is not None
    assert await talk.context() == ["one", "yes"]


async def test_conversations_of_other_chats_are_not_reopened(talk: Talk) -> None:
    await talk.ask("one")
    first = await talk.active()
    assert await talk.write(lambda conn: branches.reopen(conn, ":8:", first.id, 6)) is None
    assert await talk.write(lambda conn: branches.reopen(conn, LANE, first.id + 1, 6)) is None


async def test_undo_takes_back_one_turn_after_the_other(talk: Talk) -> None:
    await talk.ask("one")
    await talk.ask("two")
    for left, taken in ((["one", "yes"], "two"), ([], "one")):
        question = await talk.write(lambda conn: branches.undo(conn, LANE, 9))
        assert question is not None
        assert question.text == taken
        assert await talk.context() == left
    assert await talk.write(lambda conn: branches.undo(conn, LANE, 9)) is None


async def test_a_question_without_an_answer_is_the_last_one_and_not_in_the_context(talk: Talk) -> None:
    await talk.ask("one")
    failed = await talk.ask("two", "", status="failed")
    last = await talk.last()
    assert (last.text, last.turn_id) == ("two", failed)
    assert await talk.context() == ["one", "yes"]
    await talk.ask("three")
    assert await talk.context() == ["one", "yes", "three", "yes"]


async def test_undo_takes_back_a_question_without_an_answer_first(talk: Talk) -> None:
    await talk.ask("one")
    await talk.ask("two", "", status="failed")
    await talk.write(lambda conn: branches.undo(conn, LANE, 9))
    assert (await talk.last()).text == "one"
    assert await talk.context() == ["one", "yes"]


async def test_a_question_asked_again_takes_the_place_of_the_first_time(talk: Talk) -> None:
    await talk.ask("one")
    await talk.ask("two", "bad")
    await talk.ask("two", "good", branch=branches.branch_before(await talk.last()))
    assert await talk.context() == ["one", "yes", "two", "good"]


async def test_another_branch_begins_at_an_earlier_answer(talk: Talk) -> None:
    first = await talk.ask("one", "first answer")
    await talk.ask("two")
    answer = (await talk.read(lambda conn: messages.of_turn(conn, first)))[1]
    for shown in (55, 56):
        await talk.write(lambda conn: messages.add_telegram_id(conn, first, 7, shown))  # noqa: B023  run at once
    branch = await talk.read(lambda conn: branches.branch_at_answer(conn, LANE, 7, 56))
    assert branch == Branch(answer.conversation_id, answer.id)
    await talk.write(lambda conn: branches.begin_new(conn, LANE, 8))
    await talk.write(lambda conn: branches.go_to(conn, branch, 9))
    assert await talk.context() == ["one", "first answer"]


async def test_a_branch_begins_at_answers_of_its_own_lane_only(talk: Talk) -> None:
    turn_id = await talk.ask("one")
    await talk.write(lambda conn: messages.add_telegram_id(conn, turn_id, 7, 55))
    for lane, shown in ((":7:3", 55), (LANE, 101), (LANE, 999)):
        assert await talk.read(lambda conn: branches.branch_at_answer(conn, lane, 7, shown)) is None  # noqa: B023  run at once


@pytest.mark.parametrize(
    ("status", "reason", "cut"),
    [
        ("ok", "stop", False),
        ("ok", "length", True),
        ("stopped", "stopped", True),
        ("interrupted", "stopped", True),
        ("failed", "stopped", True),
    ],
)
async def test_an_answer_is_cut_or_whole(talk: Talk, status: TurnStatus, reason: FinishReason, cut: bool) -> None:
    await talk.ask("one", status=status, reason=reason)
    assert await talk.read(lambda conn: branches.is_cut(conn, LANE)) is cut


async def test_no_answer_is_not_a_cut_one(talk: Talk) -> None:
    await talk.ask("one", "", status="failed")
    assert not await talk.read(lambda conn: branches.is_cut(conn, LANE))


async def test_an_answer_that_was_cut_before_it_began_can_be_continued(talk: Talk) -> None:
    turn_id = await talk.ask("one", "", reason="length")
    assert await talk.read(lambda conn: branches.is_cut(conn, LANE))
    question = await talk.read(lambda conn: branches.cut_before_answer(conn, LANE))
    assert question is not None
    assert question.turn_id == turn_id
    await talk.ask("two")
    assert await talk.read(lambda conn: branches.cut_before_answer(conn, LANE)) is None
