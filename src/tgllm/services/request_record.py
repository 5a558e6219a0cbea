"""Writes down what was asked of a model, what it cost, and what it adds to a person's usage."""

from tgllm.api import Usage
from tgllm.db import requests, usage
from tgllm.db.unit import Connection
from tgllm.services.accounting import Accounting
from tgllm.services.turn import Turn, TurnOutcome

__all__ = ["record_requests"]

_MOST_TOKENS = 2**32
"""More than that in one call is no count but a mistake, and sums of it would not fit the database."""


def record_requests(
    conn: Connection,
    turn: Turn,
    outcome: TurnOutcome,
    belongs_to: tuple[int, int | None],
    now: int,
    accounting: Accounting,
) -> None:
    """Store the call of the model, and before it the one that failed and was made again.

    Args:
        conn: in a transaction.
        turn: the question.
        outcome: how it ended.
        belongs_to: ids of the conversation and of the answer.
        now: UTC, in milliseconds.
        accounting: at which prices and on which day it counts.
    """
    conversation_id, answer_id = belongs_to
    began = now - round(outcome.seconds * 1000)
    attempt = turn.attempt
    if outcome.first_error is not None:
        error = outcome.first_error
        failed = requests.Outcome(status="failed", error_code=error.code, error_text=str(error))
        requests.finish(conn, _start(conn, turn, outcome, conversation_id, attempt, began), failed, now)
        attempt += 1
    counted = _counted(outcome.usage)
    cost = accounting.prices.cost(conn, outcome.model, counted)
    final = _request_outcome(outcome, counted, cost, answer_id)
    requests.finish(conn, _start(conn, turn, outcome, conversation_id, attempt, began), final, now)
    spent = usage.Spent(input_tokens=counted.input_tokens, output_tokens=counted.output_tokens, cost_micros=cost)
    day = accounting.days.day(now)
    usage.add(conn, turn.user.id, day, outcome.model.provider, outcome.model.model, spent)


def _start(conn: Connection, turn: Turn, outcome: TurnOutcome, conversation_id: int, attempt: int, began: int) -> int:
    new = requests.NewRequest(
        turn_id=turn.id,
        attempt=attempt,
        conversation_id=conversation_id,
        user_id=turn.user.id,
        provider=outcome.model.provider,
        model=outcome.model.model,
    )
    return requests.start(conn, new, began)


def _request_outcome(outcome: TurnOutcome, counted: Usage, cost: int | None, answer_id: int | None) -> requests.Outcome:
    error, first_token = outcome.error, outcome.first_token_seconds
    return requests.Outcome(
        status=outcome.status,
        message_id=answer_id,
        finish_reason=outcome.reason,
        input_tokens=counted.input_tokens,
        output_tokens=counted.output_tokens,
        reasoning_tokens=counted.reasoning_tokens,
        cached_tokens=counted.cached_tokens,
        cost_micros=cost,
        first_token_ms=None if first_token is None else round(first_token * 1000),
        latency_ms=round(outcome.seconds * 1000),
        error_code=None if error is None else error.code,
        error_text=None if error is None else str(error),
    )


def _counted(reported: Usage) -> Usage:
    return Usage(
        _count(reported.input_tokens),
        _count(reported.output_tokens),
        _count(reported.reasoning_tokens),
        _count(reported.cached_tokens),
    )


def _count(tokens: object) -> int | None:
    """A count of tokens as it can be stored; None for what is no count, since a plugin may say anything."""
    return tokens if isinstance(tokens, int) and 0 <= tokens <= _MOST_TOKENS else None
