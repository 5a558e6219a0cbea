"""Writing down a turn."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, cast

import pytest

from tgllm.api import ContextTooLong, JsonObject, ModelRef, Unavailable, Usage
from tgllm.config.sections.prices import PriceSetting
from tgllm.db.database import Database
from tgllm.db.engine.unit import Unit
from tgllm.db.queries.retention import forget_messages
from tgllm.db.tables import conversations, kv, messages, models, outbox, requests, usage, users
from tgllm.db.tables.messages import Message
from tgllm.db.tables.models import NewModel
from tgllm.db.tables.outbox import NewOutbox
from tgllm.db.tables.requests import Request
from tgllm.services.common.lane import Lane
from tgllm.services.conversations import branches
from tgllm.services.conversations.turn import Branch, Turn, TurnOutcome, TurnStatus
from tgllm.services.models.pricing import Prices
from tgllm.services.turns.record import record_turn
from tgllm.services.usage.accounting import Accounting

OUTCOME = TurnOutcome(
    "ok", ModelRef("scripted", "model"), "Fine.", "hm", "stop", Usage(1, 2, 3, 4), {"a": 1}, None, 0.5
)
ROW = NewOutbox(lane=Lane(7).key, method="sendMessage", chat_id=7, payload={"chat_id": 7, "text": "Fine."})


@pytest.fixture(autouse=True)
async def _ann(database: Database) -> None:
    await database.write(lambda conn: users.ensure_owners(conn, [7], 0))


async def record(
    database: Database, turn: Turn, outcome: TurnOutcome, rows: Sequence[NewOutbox] = (), units: Sequence[Unit] = ()
) -> None:
    await database.write(lambda conn: record_turn(conn, turn, outcome, rows, units, 10_000))


async def said(database: Database, turn: Turn) -> list[Message]:
    return await database.read(lambda conn: messages.of_turn(conn, turn.id))


async def request_of(database: Database, turn: Turn) -> Request:
    return (await database.read(lambda conn: requests.of_turn(conn, turn.id)))[0]


async def test_question_answer_request_and_messages_are_stored(database: Database, turn: Turn) -> None:
    await record(database, turn, replace(OUTCOME, seconds=2.0), [ROW])
    question, answer = await said(database, turn)
    assert (question.role, question.text, question.telegram_message_ids) == ("user", "How are you?", (70,))
    assert (answer.role, answer.text, answer.parent_id, answer.status) == (
        "assistant",
        "Fine.",
        question.id,
        "complete",
    )
    assert (answer.provider, answer.model, answer.provider_data) == ("scripted", "model", {"a": 1})
    request = await request_of(database, turn)
    assert (request.status, request.message_id, request.finish_reason) == ("ok", answer.id, "stop")
    assert (request.input_tokens, request.output_tokens) == (1, 2)
    assert (request.reasoning_tokens, request.cached_tokens) == (3, 4)
    assert (request.created_at, request.finished_at, request.latency_ms) == (8_000, 10_000, 2_000)
    assert request.first_token_ms == 500
    assert await database.read(outbox.counts) == {"ready": 1}


async def test_the_next_question_follows_the_answer(database: Database, turn: Turn) -> None:
    await record(database, turn, OUTCOME)
    later = replace(turn, id="u2", text="And now?")
    await record(database, later, OUTCOME)
    first, second = await said(database, turn), await said(database, later)
    assert second[0].parent_id == first[-1].id


async def test_a_question_without_an_answer_is_not_repeated_to_the_model(database: Database, turn: Turn) -> None:
    await record(database, turn, OUTCOME)
    await record(database, replace(turn, id="u2"), replace(OUTCOME, status="failed", text="", error=Unavailable()))
    conversation = await database.read(lambda conn: conversations.active_in(conn, turn.lane))
    assert conversation is not None
    assert await database.read(lambda conn: branches.tip(conn, conversation)) == (await said(database, turn))[-1].id


@pytest.mark.parametrize(
    ("status", "stored"),
    [("ok", "complete"), ("stopped", "stopped"), ("interrupted", "partial"), ("failed", "partial")],
)
async def test_how_it_ended_is_kept(database: Database, turn: Turn, status: TurnStatus, stored: str) -> None:
    error = Unavailable("gone") if status == "failed" else None
    await record(database, turn, replace(OUTCOME, status=status, error=error))
    request = await request_of(database, turn)
    assert (await said(database, turn))[-1].status == stored
    assert request.status == status
    assert (request.error_code, request.error_text) == (("unavailable", "gone") if error else (None, None))


async def test_further_work_is_in_the_same_transaction(database: Database, turn: Turn) -> None:
    await record(database, turn, OUTCOME, units=[lambda conn: kv.set_value(conn, "test", "key", 1, 0)])
    assert await database.read(lambda conn: kv.get(conn, "test", "key")) == 1


async def test_nothing_is_stored_where_further_work_fails(database: Database, turn: Turn) -> None:
    def fail(_conn: object) -> None:
        raise LookupError

    with pytest.raises(LookupError):
        await record(database, turn, OUTCOME, [ROW], [fail])
    assert await said(database, turn) == []
    assert await database.read(outbox.counts) == {}


def nested(levels: int) -> dict[str, object]:
    value: object = 0
    for _ in range(levels - 1):
        value = [value]
    return {"a": value}


@pytest.mark.parametrize(
    "data",
    # SQLite refuses what is 2,000 deep, and Python from 3.12 on writes it.
    [{"a": "x" * messages.MAX_PROVIDER_DATA}, {"a": object()}, {"a": float("nan")}, ["no object"], nested(2_000)],
    ids=["too large", "no JSON", "not a number", "a list", "too deep"],
)
async def test_data_that_can_not_be_kept_does_not_cost_the_answer(database: Database, turn: Turn, data: object) -> None:
    await record(database, turn, replace(OUTCOME, provider_data=cast("JsonObject", data)))
    answer = (await said(database, turn))[-1]
    assert (answer.text, answer.provider_data) == ("Fine.", None)


@pytest.mark.parametrize("tokens", [-1, 2**70, "many", 1.5])
async def test_a_count_that_is_none_does_not_cost_the_answer(database: Database, turn: Turn, tokens: Any) -> None:
    await record(database, turn, replace(OUTCOME, usage=Usage(tokens, 2)))
    request = await request_of(database, turn)
    assert (request.input_tokens, request.output_tokens, request.status) == (None, 2, "ok")


PRICED = NewModel(
    provider="scripted", model="model", title="M", input_price=1_000_000, output_price=2_000_000, cached_price=0
)


async def test_cost_and_usage_are_in_the_same_transaction(database: Database, turn: Turn) -> None:
    await database.write(lambda conn: models.upsert(conn, [PRICED], 0))
    await record(database, turn, replace(OUTCOME, usage=Usage(10, 20, cached_tokens=4)))
    await record(database, replace(turn, id="u2"), replace(OUTCOME, usage=Usage(100, 0)))

    assert (await request_of(database, turn)).cost_micros == 6 + 40
    assert await database.read(lambda conn: usage.total(conn, "1970-01-01", turn.user.id)) == usage.Total(
        requests=2, input_tokens=110, output_tokens=20, cost_micros=146, unpriced_requests=0
    )
    assert await database.read(lambda conn: usage.total(conn, "1970-01-02")) == usage.Total(0, 0, 0, 0, 0)


async def test_an_unknown_price_is_not_free(database: Database, turn: Turn) -> None:
    await record(database, turn, OUTCOME)

    assert (await request_of(database, turn)).cost_micros is None
    assert (await database.read(lambda conn: usage.total(conn, "1970-01-01"))).unpriced_requests == 1


async def test_the_operators_price_goes_first(database: Database, turn: Turn) -> None:
    await database.write(lambda conn: models.upsert(conn, [PRICED], 0))
    prices = Prices([PriceSetting(model="scripted/model", input=5, output=7)])
    outcome = replace(OUTCOME, usage=Usage(1, 1))
    await database.write(lambda conn: record_turn(conn, turn, outcome, (), (), 10_000, Accounting(prices)))

    assert (await request_of(database, turn)).cost_micros == 12


async def test_a_first_call_that_failed_is_stored_too(database: Database, turn: Turn) -> None:
    await record(database, replace(turn, attempt=2), replace(OUTCOME, first_error=ContextTooLong("too long")))
    found = await database.read(lambda conn: requests.of_turn(conn, turn.id))

    assert [(row.attempt, row.status, row.error_code, row.message_id is None) for row in found] == [
        (2, "failed", "context_too_long", True),
        (3, "ok", None, False),
    ]


async def test_a_question_whose_past_is_deleted_meanwhile_is_stored_without_it(database: Database, turn: Turn) -> None:
    await record(database, turn, OUTCOME)
    (_, answer) = await said(database, turn)
    branch = Branch(answer.conversation_id, answer.id)
    await database.write(lambda conn: forget_messages(conn, 20_000, 10))
    await record(database, replace(turn, id="u2", branch=branch), OUTCOME)
    (again, _) = await said(database, replace(turn, id="u2"))
    assert (again.conversation_id, again.parent_id) == (answer.conversation_id, None)

    gone = Branch(99, 98)
    await record(database, replace(turn, id="u3", branch=gone), OUTCOME)
    (elsewhere, _) = await said(database, replace(turn, id="u3"))
    assert elsewhere.conversation_id == answer.conversation_id
