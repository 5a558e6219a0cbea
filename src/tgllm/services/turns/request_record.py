"""Storage of model calls, their costs, and their usage."""

from collections.abc import Sequence
from dataclasses import dataclass

from tgllm.api import BudgetExceeded, FileUnreadable, ModelRef, Usage
from tgllm.db.engine.unit import Connection
from tgllm.db.tables import requests
from tgllm.db.tables import usage as sums
from tgllm.services.conversations.turn import Turn, TurnOutcome
from tgllm.services.turns.token_count import counted
from tgllm.services.usage.accounting import Accounting

__all__ = [
    "InterruptedCall",
    "Recorded",
    "failed_models",
    "open_call",
    "record_failed",
    "record_interrupted",
    "record_open",
    "record_requests",
    "spent_of",
]


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
    belongs_to: tuple[int | None, int | None],
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
        belongs_to: ids of the conversation, None before its first message, and of the answer, None for one that
            calls tools or is empty.
        now: UTC, in milliseconds.
        accounting: prices and calendar.
    """
    if isinstance(outcome.error, BudgetExceeded) or (isinstance(outcome.error, FileUnreadable) and not outcome.asked):
        return Recorded()
    conversation_id, answer_id = belongs_to
    began = now - round(outcome.seconds * 1000)
    attempt = _number(conn, turn, is_first=not outcome.has_earlier_calls)
    attempt = _add_first_call(conn, turn, outcome, (conversation_id, attempt), (began, now))
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


def record_failed(
    conn: Connection, turn: Turn, outcome: TurnOutcome, conversation_id: int | None, now: int, accounting: Accounting
) -> sums.Spent | None:
    """Store the call of a model in whose place another one is asked; return its usage, None if it has used nothing.

    A question counts as one request, however many models fail before it is answered, as long as they charge nothing.

    Args:
        conn: an open write transaction.
        turn: the question.
        outcome: result of the call.
        conversation_id: the conversation; None before its first message.
        now: UTC, in milliseconds.
        accounting: prices and calendar.
    """
    reported = counted(outcome.usage)
    cost = accounting.prices.cost(conn, outcome.model, reported)
    result, began = _request_outcome(outcome, reported, cost, None), now - round(outcome.seconds * 1000)
    number = _number(conn, turn, is_first=False)
    number = _add_first_call(conn, turn, outcome, (conversation_id, number), (began, now))
    requests.add(conn, _call(turn, outcome.model, conversation_id, number), result, began, now)
    spent = spent_of(conn, outcome, accounting)
    if spent is None or not (spent.input_tokens or spent.output_tokens):
        return None
    _add_usage(conn, turn, outcome.model, spent, accounting.days.day(now))
    return spent


def _add_first_call(
    conn: Connection, turn: Turn, outcome: TurnOutcome, place: tuple[int | None, int], times: tuple[int, int]
) -> int:
    """Store the first call of a model that was called twice, if it was; return the number of the last one.

    Args:
        conn: an open write transaction.
        turn: the question.
        outcome: result of the last call.
        place: id of the conversation, and number of the first call.
        times: beginning and end.
    """
    conversation_id, number = place
    if (error := outcome.first_error) is None:
        return number
    failed = requests.Outcome(status="failed", error_code=error.code, error_text=str(error))
    requests.add(conn, _call(turn, outcome.model, conversation_id, number), failed, *times)
    return number + 1


def record_open(conn: Connection, turn: Turn, model: ModelRef, conversation_id: int | None, now: int) -> None:
    """Store the call of a fallback before it is made, so that a crash counts it for the right model.

    ``record_requests`` and ``record_failed`` replace it.
    """
    number = _number(conn, turn, is_first=False)
    requests.add(conn, _call(turn, model, conversation_id, number), requests.Outcome(status="interrupted"), now, now)


def open_call(conn: Connection, turn_id: str) -> ModelRef | None:
    """Return the fallback that was being asked when the process ended; None without one."""
    last = next(reversed(requests.of_turn(conn, turn_id)), None)
    is_open = last is not None and last.status == "interrupted" and last.error_code is None
    return ModelRef(last.provider, last.model) if last is not None and is_open else None


def failed_models(conn: Connection, turn: Turn) -> Sequence[ModelRef]:
    """Return the models that did not answer earlier attempts at the same question, before a crash."""
    return [ModelRef(each.provider, each.model) for each in requests.of_turn(conn, turn.id) if each.status == "failed"]


def _number(conn: Connection, turn: Turn, *, is_first: bool) -> int:
    """Return the number of the next call of a turn; a call without an outcome is deleted.

    Args:
        conn: an open write transaction.
        turn: the question.
        is_first: whether there is no other call if the question was not interrupted.
    """
    if is_first and turn.attempt == 1:
        return 1
    requests.drop_open(conn, turn.id)
    stored = requests.of_turn(conn, turn.id)
    return max(turn.attempt, stored[-1].attempt + 1 if stored else 1)


def record_interrupted(conn: Connection, turn: Turn, call: InterruptedCall, now: int, accounting: Accounting) -> None:
    """Store a call that the end of the process interrupted, and add its usage, once for each attempt.

    Args:
        conn: an open write transaction.
        turn: the question.
        call: the call, with estimated tokens.
        now: UTC, in milliseconds.
        accounting: prices and calendar.
    """
    if _is_counted(requests.of_turn(conn, turn.id), turn):
        return
    number = _number(conn, turn, is_first=False)
    ended = requests.Outcome(status="interrupted", error_code="interrupted", error_text="the program ended")
    requests.add(conn, _call(turn, call.model, call.conversation_id, number), ended, now, now)
    cost = accounting.prices.cost(conn, call.model, call.tokens)
    _add_usage(conn, turn, call.model, _spent(call.tokens, cost), accounting.days.day(now))


def _is_counted(stored: Sequence[requests.Request], turn: Turn) -> bool:
    """Whether the latest attempt at a question has no call that is still to be counted."""
    if not stored:
        return False
    last, interrupted = stored[-1], [each for each in stored if each.status == "interrupted"]
    if last.status == "interrupted":
        return last.error_code is not None and len(interrupted) >= turn.attempt
    return last.attempt >= turn.attempt


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
        cache_write_tokens=reported.cache_write_tokens,
        cost_micros=cost,
        first_token_ms=None if first_token is None else round(first_token * 1000),
        latency_ms=round(outcome.seconds * 1000),
        error_code=None if error is None else error.code,
        error_text=None if error is None else str(error),
    )
