"""Tells people that their message has been seen, while an answer to an earlier one is still being written."""

from collections.abc import Iterable

from tgllm.bot.updates import chat_and_message
from tgllm.db.inbox import NewUpdate
from tgllm.db.outbox import NewOutbox
from tgllm.services.lane import Lane
from tgllm.services.running import RunningTurns

__all__ = ["WAITING", "acknowledgements"]

WAITING = "👀"
"""The reaction. Bot API: ReactionTypeEmoji lists those there are."""


def acknowledgements(updates: Iterable[NewUpdate], running: RunningTurns) -> list[NewOutbox]:
    """A reaction for each message that has to wait for the turn of its lane.

    In private chats only: in groups most messages are not for the bot.
    """
    found = [_reaction(update) for update in updates if running.in_lane(update.lane) is not None]
    return [row for row in found if row is not None]


def _reaction(update: NewUpdate) -> NewOutbox | None:
    place = chat_and_message(update)
    lane = Lane.parse(update.lane)
    if update.control or update.kind != "message" or place is None or lane.business_connection_id is not None:
        return None
    chat_id, message_id = place
    payload = {"chat_id": chat_id, "message_id": message_id, "reaction": [{"type": "emoji", "emoji": WAITING}]}
    return NewOutbox(lane=update.lane, method="setMessageReaction", chat_id=chat_id, payload=payload, kind="other")
