"""Stops an answer whose question has been edited meanwhile: the edit asks it anew once its turn comes."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from tgllm.bot.addressing import words_in
from tgllm.bot.commands import parse_command
from tgllm.bot.updates import as_mapping
from tgllm.db.inbox import NewUpdate
from tgllm.services.running import RunningTurn, RunningTurns

__all__ = ["stop_superseded"]


def stop_superseded(updates: Iterable[NewUpdate], running: RunningTurns, username: str) -> None:
    """Stop the turns whose question is edited by one of these updates, which are stored already.

    Args:
        updates: those that have just come.
        running: all turns.
        username: the bot's own, without the @.
    """
    for update in updates:
        turn = running.in_lane(update.lane)
        if update.kind == "edited_message" and turn is not None:
            message = as_mapping(as_mapping(json.loads(update.payload)).get(update.kind))
            if turn.message_ids == (message.get("message_id"),) and _asks_otherwise(turn, message, username):
                turn.stop("person")


def _asks_otherwise(turn: RunningTurn, message: Mapping[str, Any], username: str) -> bool:
    """Whether the text is another one; Telegram also tells of changes that are not to the text.

    Before the words the model may be told who says them and what they answer.
    """
    text = message.get("text") or message.get("caption")
    if not isinstance(text, str) or parse_command(text, username) is not None:
        return False
    is_private = as_mapping(message.get("chat")).get("type") == "private"
    words = text.strip() if is_private else words_in(text, username)
    return turn.question != words and not turn.question.endswith((f"\n{words}", f": {words}"))
