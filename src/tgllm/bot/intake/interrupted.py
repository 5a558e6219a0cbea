"""Counts the usage of questions that were being answered when the program ended, so that crashes give no free answers.

A model call is stored only when it ends, so its input is estimated again from the same context; its output so far is
unknown. A question is counted even if the program ended before the model was called.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from tgllm.api import ChatInfo, ChatKind
from tgllm.bot.parts import BotParts
from tgllm.bot.turns.attachments import attachments_in
from tgllm.bot.updates.command import ParsedCommand, parse_command
from tgllm.bot.updates.formats.markdown import markdown_of
from tgllm.bot.updates.formats.written import joined, written_in
from tgllm.bot.updates.raw import CONTINUE, RETRY, content_of, is_raw_own, turn_id_of
from tgllm.bot.updates.values import as_id, as_mapping
from tgllm.db.engine.unit import Connection
from tgllm.db.tables import inbox
from tgllm.db.tables.inbox import InboxRow
from tgllm.db.tables.users import SeenUser
from tgllm.services.common.lane import Lane
from tgllm.services.conversations.turn import Turn
from tgllm.services.people.standing import standing_of

__all__ = ["count_interrupted"]

_ASKING_AGAIN: Final = frozenset({"retry", "continue"})
"""Commands that call a model without a question in their text."""


def count_interrupted(conn: Connection, rows: Iterable[InboxRow], parts: BotParts, now: int) -> None:
    """Count the questions among the updates that were running when the program ended.

    Args:
        conn: in the transaction that queues them again.
        rows: the updates.
        parts: of the bot.
        now: UTC, in milliseconds.
    """
    for row in rows:
        turn = _turn(conn, row, parts, now)
        if turn is not None:
            parts.core.conversations.count_interrupted(conn, turn, now)


def _turn(conn: Connection, row: InboxRow, parts: BotParts, now: int) -> Turn | None:
    """Return the turn of an update; None if it calls no model, or its sender may not use the bot."""
    lane, content = Lane.parse(row.lane), content_of(row)
    question = _question(conn, row, content, parts, now)
    sender_id = as_id(as_mapping(content.get("from")).get("id"))
    if question is None or sender_id is None:
        return None
    standing = standing_of(conn, SeenUser(sender_id), lane.access_id, now)
    # An unknown user had no turn: users are stored before their turns start.
    if standing.closed is not None or standing.row is None:
        return None
    kind: ChatKind = "private" if lane.chat_id > 0 else "supergroup"
    chat = ChatInfo(lane.chat_id, kind, topic_id=lane.topic_id, direct_topic_id=lane.direct_topic_id)
    return Turn(turn_id_of(row.update_id), row.lane, standing.user, chat, question, attempt=row.attempts)


def _question(conn: Connection, row: InboxRow, content: Mapping[str, Any], parts: BotParts, now: int) -> str | None:
    """Return the question of an update, empty for a retry of an earlier one; None if it asks nothing."""
    if row.kind == "callback_query":
        return "" if str(content.get("data")).partition(":")[0] in {RETRY, CONTINUE} else None
    if row.kind not in {"message", "edited_message"}:
        return None
    command = parse_command(written_in(content), parts.username) if is_raw_own(content) else None
    if command is not None:
        return _asked_by(command, content)
    if not parts.relevance.is_for_the_bot(conn, Lane.parse(row.lane), content, now):
        return None
    items = [content, *(content_of(each) for each in inbox.followers(conn, row.update_id))]
    words = markdown_of(joined([written_in(each) for each in items]))
    # Files without words are a question, too.
    return words if words or any(attachments_in(each, parts.downloads.most_bytes) for each in items) else None


def _asked_by(command: ParsedCommand, content: Mapping[str, Any]) -> str | None:
    """Return the question of a command in the same way."""
    if command.name == "fork" and "reply_to_message" in content:
        return command.markdown or None
    return "" if command.name in _ASKING_AGAIN else None
