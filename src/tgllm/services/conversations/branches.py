"""Navigation in a conversation, which is a tree of messages: clear, undo, fork, new, reopen.

The head of a conversation is its latest message: an answer, or a question without an answer. A question without an
answer is not sent to the model again, so the next question follows the message before it.
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
    "cut_before_answer",
    "give_title",
    "go_to",
    "is_cut",
    "last_question",
    "past",
    "reopen",
    "tip",
    "title_of",
    "undo",
]

TITLE_LENGTH = 60
"""Maximum length of a title in characters."""
MOST_PAST = 400
"""Maximum number of listed conversations of a chat."""


def tip(conn: Connection, conversation: Conversation) -> int | None:
    """Return the id of the message that the next question follows; None if it is the first one."""
    head = _head(conn, conversation)
    if head is None:
        return None
    return head.parent_id if head.role == "user" else head.id


def last_question(conn: Connection, lane: str) -> Message | None:
    """Return the last question of the lane's active conversation; None if it is empty."""
    conversation = conversations.active_in(conn, lane)
    head = None if conversation is None else _head(conn, conversation)
    if head is None or head.role == "user":
        return head
    return None if head.parent_id is None else messages.get(conn, head.parent_id)


def branch_before(question: Message) -> Branch:
    """Return the branch on which a question is asked again."""
    return Branch(question.conversation_id, question.parent_id, question.user_id)


def branch_at_answer(conn: Connection, lane: str, chat_id: int, telegram_message_id: int) -> Branch | None:
    """Return the branch that continues the answer of a Telegram message; None if it is not an answer of this lane."""
    shown = messages.find_by_telegram(conn, chat_id, telegram_message_id)
    if shown is None or shown.role != "assistant":
        return None
    conversation = conversations.get(conn, shown.conversation_id)
    if conversation is None or conversation.lane != lane:
        return None
    return Branch(conversation.id, shown.id)


def go_to(conn: Connection, branch: Branch, now: int) -> None:
    """Activate a branch; later messages of its conversation stay stored, on another branch."""
    conversations.activate(conn, branch.conversation_id, now)
    conversations.set_head(conn, branch.conversation_id, branch.parent_id, now)


def clear(conn: Connection, lane: str, now: int) -> None:
    """Clear the context of the active conversation; its messages stay stored."""
    conversation = conversations.active_in(conn, lane)
    if conversation is not None:
        conversations.set_head(conn, conversation.id, None, now)


def begin_new(conn: Connection, lane: str, now: int) -> None:
    """Start a conversation and keep the former one; an empty one is reused, so that empty ones don't accumulate."""
    conversation = conversations.active_in(conn, lane)
    if conversation is None or conversation.head_message_id is not None:
        conversations.start_new(conn, lane, now)


def undo(conn: Connection, lane: str, now: int) -> Message | None:
    """Remove the last question and its answer from the context; return the question, None if there is none."""
    question = last_question(conn, lane)
    if question is not None:
        go_to(conn, branch_before(question), now)
    return question


def is_cut(conn: Connection, lane: str) -> bool:
    """Whether the last answer is incomplete: stopped, interrupted, or truncated by the model's output limit."""
    conversation = conversations.active_in(conn, lane)
    head = None if conversation is None else _head(conn, conversation)
    if head is None:
        return False
    return (head.role == "assistant" and head.status != "complete") or _reached_limit(conn, head)


def cut_before_answer(conn: Connection, lane: str) -> Message | None:
    """Return the last question if the model reached its output limit before it answered, while it was reasoning."""
    conversation = conversations.active_in(conn, lane)
    head = None if conversation is None else _head(conn, conversation)
    return head if head is not None and head.role == "user" and _reached_limit(conn, head) else None


def past(conn: Connection, lane: str) -> Sequence[Conversation]:
    """Return the lane's conversations that are not empty, the last changed first."""
    found = conversations.list_for(conn, lane, MOST_PAST)
    return [conversation for conversation in found if conversation.head_message_id is not None]


def reopen(conn: Connection, lane: str, conversation_id: int, now: int) -> Conversation | None:
    """Activate an earlier conversation and return it; None if the lane has no such conversation."""
    conversation = conversations.get(conn, conversation_id)
    if conversation is None or conversation.lane != lane:
        return None
    conversations.activate(conn, conversation_id, now)
    return conversation


def give_title(conn: Connection, branch: Branch, title: str, text: str, now: int) -> None:
    """Set the title of a conversation when its first question is stored.

    Args:
        conn: an open write transaction.
        branch: position of the question.
        title: title given by a person; empty: keep the existing title, or use ``text``.
        text: the question as sent to the model.
        now: UTC, in milliseconds.
    """
    if branch.parent_id is not None:
        return
    conversation = conversations.get(conn, branch.conversation_id)
    if title or conversation is None or conversation.title is None:
        conversations.set_title(conn, branch.conversation_id, title_of(title or text), now)


def title_of(text: str) -> str:
    """Return the title of a conversation that begins with a text."""
    line = " ".join(text.split())
    return line if len(line) <= TITLE_LENGTH else line[: TITLE_LENGTH - 1].rstrip() + "…"


def _head(conn: Connection, conversation: Conversation) -> Message | None:
    return None if conversation.head_message_id is None else messages.get(conn, conversation.head_message_id)


def _reached_limit(conn: Connection, head: Message) -> bool:
    """Whether the answer was truncated: ``head``, or the missing answer to it."""
    answer_id = head.id if head.role == "assistant" else None
    return any(
        request.message_id == answer_id and request.finish_reason == "length"
        for request in requests.of_turn(conn, head.turn_id)
    )
