"""Moves within a conversation, which is a tree: start over, take back, go on from elsewhere, come back to it.

The head of a conversation is what was said last: an answer, or a question that got none. A question without an answer
is not shown to the model again, so the next one follows what came before it.
"""

from collections.abc import Sequence

from tgllm.db.engine.unit import Connection
from tgllm.db.tables import conversations, messages, requests
from tgllm.db.tables.conversations import Conversation
from tgllm.db.tables.messages import Message
from tgllm.services.conversations.turn import Branch

__all__ = [
    "TITLE_LENGTH",
    "begin_new",
    "branch_at_answer",
    "branch_before",
    "clear",
    "give_title",
    "go_to",
    "is_cut",
    "last_question",
    "past",
    "reopen",
    "shown_before_next",
    "shown_by",
    "tip",
    "title_of",
    "undo",
]

TITLE_LENGTH = 60
"""Characters of a title at most."""
MOST_PAST = 400
"""Conversations of a chat that are listed at most."""


def tip(conn: Connection, conversation: Conversation) -> int | None:
    """The id of the message that the next question follows; None: it is the first one."""
    head = _head(conn, conversation)
    if head is None:
        return None
    return head.parent_id if head.role == "user" else head.id


def last_question(conn: Connection, lane: str) -> Message | None:
    """The question that was asked last in the lane's conversation; None in an empty one."""
    conversation = conversations.active_in(conn, lane)
    head = None if conversation is None else _head(conn, conversation)
    if head is None or head.role == "user":
        return head
    return None if head.parent_id is None else messages.get(conn, head.parent_id)


def shown_before_next(conn: Connection, lane: str) -> tuple[int, ...]:
    """Telegram's ids of the messages that show the answer which the lane's next question follows."""
    conversation = conversations.active_in(conn, lane)
    return () if conversation is None else shown_by(conn, tip(conn, conversation))


def shown_by(conn: Connection, message_id: int | None) -> tuple[int, ...]:
    """Telegram's ids of the messages that show a stored one; none for None."""
    message = None if message_id is None else messages.get(conn, message_id)
    return () if message is None else message.telegram_message_ids


def branch_before(question: Message) -> Branch:
    """Where a question is asked anew."""
    return Branch(question.conversation_id, question.parent_id, question.user_id)


def branch_at_answer(conn: Connection, lane: str, chat_id: int, telegram_message_id: int) -> Branch | None:
    """Where to go on from an answer that a message of the chat shows; None if it shows no answer of this lane."""
    shown = messages.find_by_telegram(conn, chat_id, telegram_message_id)
    if shown is None or shown.role != "assistant":
        return None
    conversation = conversations.get(conn, shown.conversation_id)
    if conversation is None or conversation.lane != lane:
        return None
    return Branch(conversation.id, shown.id)


def go_to(conn: Connection, branch: Branch, now: int) -> None:
    """Go on from there: what the conversation had after it is left aside, not forgotten."""
    conversations.activate(conn, branch.conversation_id, now)
    conversations.set_head(conn, branch.conversation_id, branch.parent_id, now)


def clear(conn: Connection, lane: str, now: int) -> None:
    """Let the model know nothing of what was said; the messages stay stored."""
    conversation = conversations.active_in(conn, lane)
    if conversation is not None:
        conversations.set_head(conn, conversation.id, None, now)


def begin_new(conn: Connection, lane: str, now: int) -> None:
    """Begin a conversation and keep the former one; an empty one is gone on with, so that no empty ones pile up."""
    conversation = conversations.active_in(conn, lane)
    if conversation is None or conversation.head_message_id is not None:
        conversations.start_new(conn, lane, now)


def undo(conn: Connection, lane: str, now: int) -> Message | None:
    """Take the last question and its answer out of the context; returns the question, None in an empty conversation."""
    question = last_question(conn, lane)
    if question is not None:
        go_to(conn, branch_before(question), now)
    return question


def is_cut(conn: Connection, lane: str) -> bool:
    """Whether the last answer is there but not whole: stopped, broken off, or at the model's limit of length."""
    conversation = conversations.active_in(conn, lane)
    head = None if conversation is None else _head(conn, conversation)
    if head is None or head.role != "assistant":
        return False
    return head.status != "complete" or _reached_limit(conn, head)


def past(conn: Connection, lane: str) -> Sequence[Conversation]:
    """The lane's conversations in which something was said, the one that changed last first."""
    found = conversations.list_for(conn, lane, MOST_PAST)
    return [conversation for conversation in found if conversation.head_message_id is not None]


def reopen(conn: Connection, lane: str, conversation_id: int, now: int) -> Conversation | None:
    """Go on with an earlier conversation; None if the lane has no such one."""
    conversation = conversations.get(conn, conversation_id)
    if conversation is None or conversation.lane != lane:
        return None
    conversations.activate(conn, conversation_id, now)
    return conversation


def give_title(conn: Connection, branch: Branch, title: str, text: str, now: int) -> None:
    """Name a conversation when its first question is stored.

    Args:
        conn: in a transaction.
        branch: where the question stands.
        title: what a person wrote; empty: the conversation keeps the name it has, or gets ``text`` as one.
        text: the question as the model reads it.
        now: UTC, in milliseconds.
    """
    if branch.parent_id is not None:
        return
    conversation = conversations.get(conn, branch.conversation_id)
    if title or conversation is None or conversation.title is None:
        conversations.set_title(conn, branch.conversation_id, title_of(title or text), now)


def title_of(text: str) -> str:
    """What lists call a conversation that begins with this text."""
    line = " ".join(text.split())
    return line if len(line) <= TITLE_LENGTH else line[: TITLE_LENGTH - 1].rstrip() + "…"


def _head(conn: Connection, conversation: Conversation) -> Message | None:
    return None if conversation.head_message_id is None else messages.get(conn, conversation.head_message_id)


def _reached_limit(conn: Connection, answer: Message) -> bool:
    return any(
        request.message_id == answer.id and request.finish_reason == "length"
        for request in requests.of_turn(conn, answer.turn_id)
    )
