"""Intake of a batch of updates: the work in the transaction that stores them, and directly after it."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from tgllm.api.clock import milliseconds
from tgllm.bot.intake.dispatch import Dispatch
from tgllm.bot.intake.hiding import Hiding
from tgllm.bot.parts import BotParts
from tgllm.bot.turns.edits import stop_superseded, take_edits
from tgllm.bot.updates.redaction import redacted
from tgllm.db.engine.unit import Connection
from tgllm.db.tables import inbox, outbox
from tgllm.db.tables.inbox import NewUpdate
from tgllm.db.tables.outbox import NewOutbox
from tgllm.observe.redaction import redactor
from tgllm.services.common.lane import Lane
from tgllm.services.people.standing import may_talk

__all__ = ["Intake"]

Heard = Callable[[Iterable[int]], None]
"""Called with the chats of new updates."""


@dataclass(frozen=True, slots=True)
class _Arrived:
    """Result of the transaction."""

    new: Sequence[NewUpdate]
    """The new updates; the others were stored when they were first received."""
    begun: Mapping[int, str]
    """The turns that may have to restart; see ``take_edits``."""
    reactions: Sequence[NewOutbox]
    """The reactions to waiting messages."""


class Intake:
    """Stores updates and starts those that may start."""

    def __init__(self, parts: BotParts, dispatch: Dispatch, heard: Heard, hiding: Hiding) -> None:
        self._parts = parts
        self._hiding = hiding
        self._dispatch = dispatch
        self._heard = heard

    async def take(self, updates: Sequence[NewUpdate]) -> None:
        """Store and start the updates of a response, possibly an empty batch.

        Raises:
            DatabaseError: the updates can't be stored.
        """
        unconfirmed = self._parts.core.unconfirmed
        if not updates:
            unconfirmed.note((), any_new=False)
            return

        def stored(arrived: _Arrived) -> None:
            self._hiding.stored(arrived.new)
            unconfirmed.note((update.update_id for update in updates), any_new=bool(arrived.new))
            self._stored(arrived)

        updates = [redacted(update, redactor.without_known) for update in updates]
        updates = await self._hiding.hide(updates)
        now = milliseconds(self._parts.core.clock)
        await self._dispatch.add(lambda conn: self._store(conn, updates, now), stored)

    def _store(self, conn: Connection, updates: Sequence[NewUpdate], now: int) -> _Arrived:
        """Store the new updates; called on the database thread."""
        parts = self._parts
        new = inbox.add_updates(conn, [_with_access(conn, update, now) for update in updates], now)
        begun = take_edits(conn, new, parts.username, parts.core.password.questions, now)
        reactions = parts.acknowledgements.put(conn, new, now)
        outbox.add(conn, reactions, now)
        return _Arrived(new, begun, reactions)

    def _stored(self, arrived: _Arrived) -> None:
        """Notify the other parts of the bot, before any of the updates starts."""
        parts = self._parts
        if arrived.reactions:
            parts.acknowledgements.note(arrived.reactions)
        stop_superseded(arrived.new, arrived.begun, parts.core.running, parts.username)
        self._heard(Lane.parse(update.lane).chat_id for update in arrived.new)


def _with_access(conn: Connection, update: NewUpdate, now: int) -> NewUpdate:
    """Return the update with the information whether its sender may use the bot in its chat."""
    chat_id = Lane.parse(update.lane).chat_id
    may_use = update.sender_id is not None and may_talk(conn, update.sender_id, chat_id, now)
    return update if may_use else replace(update, stranger=True)
