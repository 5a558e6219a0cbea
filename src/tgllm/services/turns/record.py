"""Storage of a turn: question, answer, request and outbox rows, within one transaction."""

import json
from collections.abc import Sequence
from dataclasses import replace

from tgllm.api import JsonObject
from tgllm.db.engine.json_depth import check_depth
from tgllm.db.engine.unit import Connection, Unit
from tgllm.db.tables import conversations, files, messages, outbox
from tgllm.db.tables.outbox import NewOutbox
from tgllm.db.tables.usage import Spent
from tgllm.observe.logs import get_logger
from tgllm.plugins.calls.outcome import explain
from tgllm.services.common.lane import Lane
from tgllm.services.conversations import branches
from tgllm.services.conversations.answer_parts import file_part
from tgllm.services.conversations.history import estimate_tokens
from tgllm.services.conversations.turn import Branch, Turn, TurnOutcome, TurnStatus
from tgllm.services.files.attachment import parts_of
from tgllm.services.files.made import MadeFile
from tgllm.services.turns.request_record import record_requests
from tgllm.services.usage.accounting import Accounting

__all__ = ["record_turn", "within_limit"]

log = get_logger(__name__)

_MESSAGE_STATUS: dict[TurnStatus, messages.Status] = {
    "ok": "complete",
    "stopped": "stopped",
    "interrupted": "partial",
    "failed": "partial",
}

_ACCOUNTING = Accounting()


def record_turn(
    conn: Connection,
    turn: Turn,
    outcome: TurnOutcome,
    rows: Sequence[NewOutbox],
    units: Sequence[Unit],
    now: int,
    accounting: Accounting = _ACCOUNTING,
) -> Spent | None:
    """Store the result of a turn, and return its usage; None if no model was called.

    A question without an answer also becomes the head of its conversation, so that it can be retried; but the next
    question does not follow it: see ``branches.tip``.

    Args:
        conn: an open write transaction.
        turn: the question.
        outcome: result of the turn.
        rows: outbox rows with the messages to send.
        units: further units of work for the same transaction.
        now: UTC, in milliseconds.
        accounting: prices and calendar.
    """
    branch = _branch(conn, turn, now)
    question_id = messages.add(conn, _question(turn, branch), now)
    answer_id = None
    # White space counts as an empty answer: some services reject a conversation with a blank message.
    if not outcome.is_empty:
        answer_id = messages.add(conn, _answer(turn, outcome, branch, question_id), now)
    conversations.set_head(conn, branch.conversation_id, answer_id or question_id, now)
    branches.give_title(conn, branch, turn.title, turn.text, now)
    recorded = record_requests(conn, turn, outcome, (branch.conversation_id, answer_id), now, accounting)
    _attach(conn, turn, outcome, question_id, recorded.request_id, now)
    for file in outcome.files:
        files.add(conn, _made(turn, file, answer_id, recorded.request_id), now)
    outbox.add(conn, rows, now)
    for unit in units:
        unit(conn)
    return recorded.spent


def _attach(
    conn: Connection, turn: Turn, outcome: TurnOutcome, question_id: int, request_id: int | None, now: int
) -> None:
    """Link the files of a question to its message and to the model call."""
    if outcome.attached:
        files.link(conn, outcome.attached, question_id, request_id)
    if turn.file_ids:
        files.copy(conn, turn.file_ids, question_id, now)


def _branch(conn: Connection, turn: Turn, now: int) -> Branch:
    """Return the position of the question in the tree, and activate its conversation."""
    branch = turn.branch
    if branch is not None and conversations.get(conn, branch.conversation_id) is not None:
        conversations.activate(conn, branch.conversation_id, now)
        return branch if _is_there(conn, branch.parent_id) else replace(branch, parent_id=None)
    conversation = conversations.active_for(conn, turn.lane, now)
    return Branch(conversation.id, branches.tip(conn, conversation))


def _is_there(conn: Connection, message_id: int | None) -> bool:
    """Whether a message is still stored: retention may have deleted it meanwhile."""
    return message_id is None or messages.get(conn, message_id) is not None


def _question(turn: Turn, branch: Branch) -> messages.NewMessage:
    return messages.NewMessage(
        conversation_id=branch.conversation_id,
        parent_id=branch.parent_id,
        turn_id=turn.id,
        role="user",
        text=turn.text,
        parts=parts_of(turn.attachments),
        telegram_chat_id=Lane.parse(turn.lane).telegram_chat_id,
        telegram_message_ids=turn.message_ids,
        user_id=turn.author_id or None,
        tokens=estimate_tokens(turn.text),
    )


def _answer(turn: Turn, outcome: TurnOutcome, branch: Branch, question_id: int) -> messages.NewMessage:
    return messages.NewMessage(
        conversation_id=branch.conversation_id,
        parent_id=question_id,
        turn_id=turn.id,
        role="assistant",
        text=outcome.text,
        parts=[file_part(file.part.mime_type, file.part.name) for file in outcome.files],
        provider=outcome.model.provider,
        model=outcome.model.model,
        provider_data=within_limit(outcome.provider_data),
        status=_MESSAGE_STATUS[outcome.status],
        user_id=turn.person_id,
        tokens=estimate_tokens(outcome.text),
    )


def _made(turn: Turn, file: MadeFile, answer_id: int | None, request_id: int | None) -> files.NewFile:
    return files.NewFile(
        path=file.path,
        mime=file.part.mime_type,
        size=file.part.size,
        sha256=file.part.sha256,
        original_name=file.part.name,
        user_id=turn.person_id,
        message_id=answer_id,
        request_id=request_id,
    )


def within_limit(data: JsonObject | None) -> JsonObject | None:
    """Return a provider's data, or None if it is too large or not JSON: the answer is stored without it."""
    if data is None:
        return None
    try:
        check_depth(data)
        size = len(json.dumps({**data}, allow_nan=False).encode())
    except (TypeError, ValueError) as error:
        log.warning("turn.provider_data_dropped", error=explain(error))
        return None
    if size > messages.MAX_PROVIDER_DATA:
        log.warning("turn.provider_data_dropped", bytes=size)
        return None
    return data
