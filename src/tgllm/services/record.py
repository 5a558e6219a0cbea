"""Writes down a turn: question, answer, request and messages to send, all in the caller's transaction."""

import json
from collections.abc import Sequence

from tgllm.api import JsonObject
from tgllm.db import conversations, messages, outbox, requests
from tgllm.db.outbox import NewOutbox
from tgllm.db.unit import Connection, Unit
from tgllm.observe.logs import get_logger
from tgllm.plugins.outcome import explain
from tgllm.services.lane import Lane
from tgllm.services.turn import Turn, TurnOutcome, TurnStatus

__all__ = ["record_turn"]

log = get_logger(__name__)

_MESSAGE_STATUS: dict[TurnStatus, messages.Status] = {
    "ok": "complete",
    "stopped": "stopped",
    "interrupted": "partial",
    "failed": "partial",
}

_MOST_TOKENS = 2**62


def record_turn(
    conn: Connection,
    turn: Turn,
    outcome: TurnOutcome,
    rows: Sequence[NewOutbox],
    units: Sequence[Unit],
    now: int,
) -> None:
    """Store all that came of a turn.

    A turn without any answer leaves the conversation where it was, so that its question is not repeated to the model.

    Args:
        conn: in a transaction.
        turn: the question.
        outcome: how it ended.
        rows: the messages to send.
        units: further work in the same transaction.
        now: UTC, in milliseconds.
    """
    conversation = conversations.active_for(conn, turn.lane, now)
    question_id = messages.add(conn, _question(turn, conversation), now)
    answer_id = None
    if outcome.text:
        answer_id = messages.add(conn, _answer(turn, outcome, conversation, question_id), now)
        conversations.set_head(conn, conversation.id, answer_id, now)
    _record_request(conn, turn, outcome, conversation.id, answer_id, now)
    outbox.add(conn, rows, now)
    for unit in units:
        unit(conn)


def _question(turn: Turn, conversation: conversations.Conversation) -> messages.NewMessage:
    return messages.NewMessage(
        conversation_id=conversation.id,
        parent_id=conversation.head_message_id,
        turn_id=turn.id,
        role="user",
        text=turn.text,
        telegram_chat_id=Lane.parse(turn.lane).chat_id,
        telegram_message_ids=() if turn.message_id is None else (turn.message_id,),
        user_id=turn.user.id,
    )


def _answer(
    turn: Turn, outcome: TurnOutcome, conversation: conversations.Conversation, question_id: int
) -> messages.NewMessage:
    return messages.NewMessage(
        conversation_id=conversation.id,
        parent_id=question_id,
        turn_id=turn.id,
        role="assistant",
        text=outcome.text,
        provider=outcome.model.provider,
        model=outcome.model.model,
        provider_data=_within_limit(outcome.provider_data),
        status=_MESSAGE_STATUS[outcome.status],
        user_id=turn.user.id,
    )


def _within_limit(data: JsonObject | None) -> JsonObject | None:
    """A provider's data, or None if a turn can't keep it, being too much or no JSON: the answer matters more."""
    if data is None:
        return None
    try:
        size = len(json.dumps({**data}, allow_nan=False).encode())
    except (TypeError, ValueError, RecursionError) as error:
        log.warning("turn.provider_data_dropped", error=explain(error))
        return None
    if size > messages.MAX_PROVIDER_DATA:
        log.warning("turn.provider_data_dropped", bytes=size)
        return None
    return data


def _record_request(
    conn: Connection, turn: Turn, outcome: TurnOutcome, conversation_id: int, answer_id: int | None, now: int
) -> None:
    request_id = requests.start(
        conn,
        requests.NewRequest(
            turn_id=turn.id,
            attempt=turn.attempt,
            conversation_id=conversation_id,
            user_id=turn.user.id,
            provider=outcome.model.provider,
            model=outcome.model.model,
        ),
        now - round(outcome.seconds * 1000),
    )
    requests.finish(conn, request_id, _request_outcome(outcome, answer_id), now)


def _request_outcome(outcome: TurnOutcome, answer_id: int | None) -> requests.Outcome:
    usage, error, first_token = outcome.usage, outcome.error, outcome.first_token_seconds
    return requests.Outcome(
        status=outcome.status,
        message_id=answer_id,
        finish_reason=outcome.reason,
        input_tokens=_count(usage.input_tokens),
        output_tokens=_count(usage.output_tokens),
        reasoning_tokens=_count(usage.reasoning_tokens),
        cached_tokens=_count(usage.cached_tokens),
        first_token_ms=None if first_token is None else round(first_token * 1000),
        latency_ms=round(outcome.seconds * 1000),
        error_code=None if error is None else error.code,
        error_text=None if error is None else str(error),
    )


def _count(tokens: object) -> int | None:
    """A count of tokens as it can be stored; None for what is no count, since a plugin may say anything."""
    return tokens if isinstance(tokens, int) and 0 <= tokens <= _MOST_TOKENS else None
