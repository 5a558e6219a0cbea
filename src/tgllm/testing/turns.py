"""Turns for tests of what stops them."""

from tgllm.api import ChatInfo, UserInfo
from tgllm.services.conversations.turn import Turn

__all__ = ["turn_of"]


def turn_of(turn_id: str, lane: str, user_id: int, text: str = "", message_ids: tuple[int, ...] = ()) -> Turn:
    """Return a turn of a user.

    Args:
        turn_id: of the turn.
        lane: key of its lane.
        user_id: who asked, in a private chat.
        text: the question.
        message_ids: of the messages that hold the question.
    """
    return Turn(
        turn_id,
        lane,
        UserInfo(user_id, "Ann", "user"),
        ChatInfo(user_id, "private"),
        text,
        message_id=message_ids[0] if message_ids else None,
        more_message_ids=message_ids[1:],
    )
