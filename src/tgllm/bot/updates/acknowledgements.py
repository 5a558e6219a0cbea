"""Reactions to messages that wait while an answer to an earlier message is being written.

A message gets the reaction when it is stored, and loses it when it has been handled. Which messages have one is known
from memory; where several replicas share the updates, a note in the stored update says so, since another one may handle
it.
"""

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from typing import Final

from tgllm.bot.updates.raw import message_of
from tgllm.bot.updates.scrubbing import Relevance
from tgllm.bot.updates.values import as_id
from tgllm.db.engine.unit import Connection
from tgllm.db.tables import inbox
from tgllm.db.tables.inbox import InboxRow, NewUpdate
from tgllm.db.tables.outbox import TIDY, NewOutbox
from tgllm.services.common.lane import Lane
from tgllm.services.common.update_notes import WAITS, notes_of, with_note
from tgllm.services.turns.running import RunningTurns

__all__ = ["WAITING", "Acknowledgements"]

WAITING = "👀"
"""The reaction. Bot API: ReactionTypeEmoji lists the allowed emoji."""

_MOST_NOTED = 10_000
_BEGUN: Final = 1500
"""Milliseconds after its start from which an update that another replica runs counts as a turn: before, it may wait
for the rest of a text that a client has split."""


class Acknowledgements:
    """Sets and removes the reactions."""

    def __init__(self, running: RunningTurns, relevance: Relevance, started_at: int, holder: int | None = None) -> None:
        """Start without reactions.

        Args:
            running: the turns that messages wait for.
            relevance: decides which messages are for the bot; the others get no reaction.
            started_at: start of the program, UTC in milliseconds; messages from before it may have a reaction.
            holder: number of this replica; None where there is one process only.
        """
        self._running = running
        self._relevance = relevance
        self._started_at = started_at
        self._holder = holder
        self._noted: OrderedDict[tuple[str, int], None] = OrderedDict()

    def put(self, conn: Connection, updates: Iterable[NewUpdate], now: int) -> Sequence[NewOutbox]:
        """Return a reaction for each message that waits for the running turn of its lane.

        Args:
            conn: in the transaction that stores the updates.
            updates: the new updates.
            now: UTC in milliseconds.
        """
        found: list[NewOutbox] = []
        for update in updates:
            if update.control or update.kind != "message" or not self._is_busy(conn, update.lane, now):
                continue
            message = message_of(update.payload)
            lane, message_id = Lane.parse(update.lane), as_id(message.get("message_id"))
            if message_id is not None and self._relevance.is_for_the_bot(conn, lane, message, now):
                found.append(_reaction(lane, message_id, WAITING))
                # As it is stored: an edit that came with it has replaced its text.
                if self._holder is not None and (row := inbox.get(conn, update.update_id)) is not None:
                    inbox.rewrite(conn, update.update_id, with_note(row.payload, WAITS))
        return found

    def _is_busy(self, conn: Connection, lane: str, now: int) -> bool:
        """Return whether a turn of the lane runs, here or elsewhere."""
        if self._running.in_lane(lane) is not None:
            return True
        if self._holder is None:
            return False
        rows = inbox.running_in(conn, lane)
        return any(row.holder != self._holder and now - (row.started_at or now) >= _BEGUN for row in rows)

    def note(self, reactions: Iterable[NewOutbox]) -> None:
        """Remember the messages with reactions from ``put``, once those are committed."""
        if self._holder is not None:
            return
        for row in reactions:
            self._noted[row.lane, int(str(row.payload["message_id"]))] = None
            if len(self._noted) > _MOST_NOTED:
                self._noted.popitem(last=False)

    def taken_away(self, row: InboxRow, message_ids: Sequence[int] = ()) -> list[NewOutbox]:
        """Return the calls that remove the reactions of a handled update.

        Args:
            row: the update.
            message_ids: ids of the messages that were handled with it, if there are several.
        """
        is_old = row.received_at < self._started_at if self._holder is None else WAITS in notes_of(row.payload)
        if row.kind != "message" or row.control or not (is_old or self._noted):
            return []
        own = as_id(message_of(row.payload).get("message_id"))
        ids = [*message_ids]
        # Ephemeral messages have the id 0, and no reactions.
        if own and own not in ids:
            ids.append(own)
        lane = Lane.parse(row.lane)
        # Removing a reaction that does not exist is harmless.
        return [_reaction(lane, each) for each in ids if self._forget(row.lane, each) or is_old]

    def _forget(self, lane: str, message_id: int) -> bool:
        if (lane, message_id) not in self._noted:
            return False
        del self._noted[lane, message_id]
        return True


def _reaction(lane: Lane, message_id: int, emoji: str | None = None) -> NewOutbox:
    """Return the row that sets a reaction, or removes it if ``emoji`` is None. Bot API: setMessageReaction."""
    reaction = [{"type": "emoji", "emoji": emoji}] if emoji else []
    payload = {"chat_id": lane.chat_id, "message_id": message_id, "reaction": reaction}
    return NewOutbox(
        lane=lane.key,
        method="setMessageReaction",
        chat_id=lane.chat_id,
        payload=payload,
        kind="other",
        priority=TIDY,
    )
