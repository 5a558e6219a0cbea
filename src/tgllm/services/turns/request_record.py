"""Storage of model calls, their costs, and their usage."""

from dataclasses import dataclass

from tgllm.api import BudgetExceeded, FileUnreadable, ModelRef, Usage
from tgllm.db.engine.unit import Connection
from tgllm.db.tables import requests
from tgllm.db.tables import usage as sums
from tgllm.services.conversations.turn import Turn, TurnOutcome
from tgllm.services.turns.token_count import counted
from tgllm.services.usage.accounting import Accounting

__all__ = ["InterruptedCall", "Recorded", "record_interrupted", "record_requests", "spent_of"]


@dataclass(frozen=True, slots=True)
class InterruptedCall:
    """A call that was not stored, because the process ended."""

    model: ModelRef
    conversation_id: int | None
    tokens: Usage
    """Tokens to count as usage; input and output are not None."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """What was stored of the calls of a turn."""

    request_id: int | None = None
    """Id of the call; None if none was sent to a model."""
    spent: sums.Spent | None = None
    """Usage that was added; None if there is none."""


def record_requests(
    conn: Connection,
    turn: Turn,
    outcome: TurnOutcome,
    belongs_to: tuple[int, int | None],
    now: int,
    accounting: Accounting,
) -> Recorded:
    """Store the call of a turn, and a failed first call before it, and add the usage.

    A question that was rejected by a budget, or whose files can't be read, is not stored as a call, and a call that was
    not sent has no usage.

    Args:
        conn: an open write transaction.
        turn: the question.
        outcome: result of the turn.
        belongs_to: ids of the conversation and of the answer.
        now: UTC, in milliseconds.
        accounting: prices and calendar.
    """
    if isinstance(outcome.error, BudgetExceeded) or (isinstance(outcome.error, FileUnreadable) and not outcome.asked):
        return Recorded()
    conversation_id, answer_id = belongs_to
    began = now - round(outcome.seconds * 1000)
    attempt = turn.attempt
    if outcome.first_error is not None:
        error = outcome.first_error
        failed = requests.Outcome(status="failed", error_code=error.code, error_text=str(error))
        requests.add(conn, _call(turn, outcome.model, conversation_id, attempt), failed, began, now)
        attempt += 1
    spent, reported = spent_of(conn, outcome, accounting), counted(outcome.usage)
    if spent is not None and _tokens(outcome) == reported:
        cost = spent.cost_micros
    else:
        cost = accounting.prices.cost(conn, outcome.model, reported)
    final = _request_outcome(outcome, reported, cost, answer_id)
    request_id = requests.add(conn, _call(turn, outcome.model, conversation_id, attempt), final, began, now)
    if spent is None:
        return Recorded()
    _add_usage(conn, turn, outcome.model, spent, accounting.days.day(now))
    return Recorded(request_id, spent)


def spent_of(conn: Connection, outcome: TurnOutcome, accounting: Accounting) -> sums.Spent | None:
    """Return the usage that a turn counts, with its cost; None if the model was not asked.

    Args:
        conn: an open transaction.
        outcome: result of the turn.
        accounting: prices.
    """
    if not outcome.asked:
        return None
    tokens = _tokens(outcome)
    return _spent(tokens, accounting.prices.cost(conn, outcome.model, tokens))


def record_interrupted(conn: Connection, turn: Turn, call: InterruptedCall, now: int, accounting: Accounting) -> None:
    """Store a call that the end of the process interrupted, and add its usage, once for each attempt.

    Args:
        conn: an open write transaction.
        turn: the question.
        call: the call, with estimated tokens.
        now: UTC, in milliseconds.
        accounting: prices and calendar.
    """
    if any(each.attempt == turn.attempt for each in requests.of_turn(conn, turn.id)):
        return
    ended = requests.Outcome(status="interrupted", error_code="interrupted", error_text="the program ended")
    requests.add(conn, _call(turn, call.model, call.conversation_id, turn.attempt), ended, now, now)
    cost = accounting.prices.cost(conn, call.model, call.tokens)
    _add_usage(conn, turn, call.model, _spent(call.tokens, cost), accounting.days.day(now))


def _tokens(outcome: TurnOutcome) -> Usage:
    return counted(outcome.usage) if outcome.spent is None else outcome.spent


def _spent(tokens: Usage, cost: int | None) -> sums.Spent:
    return sums.Spent(input_tokens=tokens.input_tokens, output_tokens=tokens.output_tokens, cost_micros=cost)


def _add_usage(conn: Connection, turn: Turn, model: ModelRef, spent: sums.Spent, day: str) -> None:
    group_id = turn.chat.id if turn.chat.is_group else sums.NO_GROUP
    sums.add(conn, turn.user.id, day, model.provider, model.model, spent, group_id=group_id)


def _call(turn: Turn, model: ModelRef, conversation_id: int | None, attempt: int) -> requests.NewRequest:
    return requests.NewRequest(
        turn_id=turn.id,
        attempt=attempt,
        conversation_id=conversation_id,
        user_id=turn.person_id,
        provider=model.provider,
        model=model.model,
    )


def _request_outcome(
    outcome: TurnOutcome, reported: Usage, cost: int | None, answer_id: int | None
) -> requests.Outcome:
    error, first_token = outcome.error, outcome.first_token_seconds
    return requests.Outcome(
        status=outcome.status,
        message_id=answer_id,
        finish_reason=outcome.reason,
        input_tokens=reported.input_tokens,
        output_tokens=reported.output_tokens,
        reasoning_tokens=reported.reasoning_tokens,
        cached_tokens=reported.cached_tokens,
        cost_micros=cost,
        first_token_ms=None if first_token is None else round(first_token * 1000),
        latency_ms=round(outcome.seconds * 1000),
        error_code=None if error is None else error.code,
        error_text=None if error is None else str(error),
    )
