"""What an edit does to its question: one that waits is asked as it is by then, one that is being answered is stopped.

A question that was stopped is asked anew once the turn of the edit comes.
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from tgllm.bot.addressing import words_in
from tgllm.bot.commands import parse_command
from tgllm.bot.updates import as_mapping, message_of
from tgllm.db import inbox
from tgllm.db.inbox import NewUpdate
from tgllm.db.unit import Connection
from tgllm.services.running import RunningTurn, RunningTurns

__all__ = ["stop_superseded", "take_edits"]


def take_edits(conn: Connection, updates: Iterable[NewUpdate], username: str, now: int) -> None:
    """Put edits of messages that wait in the place of those; commands are left as they are.

    Args:
        conn: in the transaction that stores the updates, after that.
        updates: those that have just come.
        username: the bot's own, without the @.
        now: UTC, in milliseconds.
    """
    for update in updates:
        edited = _edited(update)
        message_id = edited.get("message_id")
        row = inbox.queued_message(conn, update.lane, message_id) if isinstance(message_id, int) else None
        if row is None or _is_command(message_of(row.payload), username) or _is_command(edited, username):
            continue
        payload = json.dumps({"update_id": row.update_id, "message": edited}, separators=(",", ":"))
        inbox.rewrite(conn, row.update_id, payload)
        inbox.finish(conn, update.update_id, "done", now)


def stop_superseded(updates: Iterable[NewUpdate], running: RunningTurns, username: str) -> None:
    """Stop the turns whose question is edited by one of these updates, which are stored already.

    Args:
        updates: those that have just come.
        running: all turns.
        username: the bot's own, without the @.
    """
    for update in updates:
        turn = running.in_lane(update.lane)
        if turn is not None and _is_superseded(turn, _edited(update), username):
            turn.stop("person")


def _edited(update: NewUpdate) -> Mapping[str, Any]:
    """The message as an edit has left it; empty for an update of another kind."""
    if update.kind != "edited_message":
        return {}
    return as_mapping(as_mapping(json.loads(update.payload)).get(update.kind))


def _is_superseded(turn: RunningTurn, edited: Mapping[str, Any], username: str) -> bool:
    """Whether the turn answers that message alone, and its text is another one by now.

    Telegram also tells of changes that are not to the text. Before the words the model may be told who says them and
    what they answer.
    """
    text = _text(edited)
    if turn.message_ids != (edited.get("message_id"),) or text is None or parse_command(text, username) is not None:
        return False
    is_private = as_mapping(edited.get("chat")).get("type") == "private"
    words = text.strip() if is_private else words_in(text, username)
    return turn.question != words and not turn.question.endswith((f"\n{words}", f": {words}"))


def _is_command(message: Mapping[str, Any], username: str) -> bool:
    text = _text(message)
    return text is not None and parse_command(text, username) is not None


def _text(message: Mapping[str, Any]) -> str | None:
    text = message.get("text") or message.get("caption")
    return text if isinstance(text, str) else None
