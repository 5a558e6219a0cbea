"""Message ids that a message of unknown delivery may have.

Telegram counts the messages of a sequence up by one (``tgllm.db.queries.known_ids``). A message that was sent when
``above`` was the highest known id has one of the ids above it that are not known as those of other messages.
"""

from collections.abc import Collection, Sequence
from typing import Final

__all__ = ["MOST_CANDIDATES", "candidates", "unexplained"]

MOST_CANDIDATES: Final = 12
"""Most ids that are tried for one message; each costs a call."""
_MOST_WITH_OTHERS: Final = 24
"""The same if other messages of unknown delivery, each of which may have one of the ids, are the reason."""
_SPARE: Final = 2
"""Ids above the highest known one that are tried besides those of other messages of unknown delivery."""


def candidates(above: int, known: Collection[int], open_rows: int) -> Sequence[int] | None:
    """Return the ids that the message may have; None if they are too many.

    Args:
        above: the highest id that was known before the call.
        known: the known ids above it.
        open_rows: number of messages of unknown delivery in the sequence, this one included.
    """
    top = max(known, default=above) + open_rows + _SPARE
    if top - above - len(known) > min(MOST_CANDIDATES + open_rows - 1, _MOST_WITH_OTHERS):
        return None
    return [message_id for message_id in range(above + 1, top + 1) if message_id not in known]


def unexplained(above: int, known: Collection[int], tried: Collection[int], sent_now: int) -> Sequence[int]:
    """Return the ids below that of a message that was sent now which are neither known nor were tried."""
    return [
        message_id for message_id in range(above + 1, sent_now) if message_id not in known and message_id not in tried
    ]
