"""Intake of a batch of updates: the work in the transaction that stores them, and directly after it."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from tgllm.api import DatabaseError
from tgllm.api.clock import milliseconds
from tgllm.bot.intake.chat_authors import answer_to_chat_author
from tgllm.bot.intake.dispatch import Dispatch
from tgllm.bot.intake.hiding import Hiding
from tgllm.bot.intake.old_presses import REASON, OldPresses
from tgllm.bot.intake.overtaking import overtakes
from tgllm.bot.intake.reading import Batch, Unreadable
from tgllm.bot.intake.unreadable import Quarantine
from tgllm.bot.parts import BotParts
from tgllm.bot.turns.edits import stop_superseded, take_edits
from tgllm.bot.turns.elsewhere import order_looks
from tgllm.bot.ui.command_table import Reads
from tgllm.bot.updates.redaction import redacted
from tgllm.db.engine.unit import Connection
from tgllm.db.queries import known_ids
from tgllm.db.queries.shared import claims
from tgllm.db.tables import inbox, outbox
from tgllm.db.tables.inbox import NewUpdate
from tgllm.db.tables.outbox import NewOutbox
from tgllm.observe.logs import get_logger
from tgllm.observe.metrics.table import UPDATES_RECEIVED
from tgllm.observe.redaction import redactor
from tgllm.services.access.stranger_limits import Key
from tgllm.services.common.lane import Lane
from tgllm.services.common.update_notes import HIDDEN, notes_of
from tgllm.services.people.standing import may_talk

__all__ = ["Intake"]

log = get_logger(__name__)

Heard = Callable[[Iterable[int]], None]
"""Called with the chats of new updates."""
Note = Callable[[Sequence[int], bool], None]
"""Called with the ids of stored updates, and whether any of them is new."""


@dataclass(frozen=True, slots=True)
class _About:
    """What is known of a batch besides its updates."""

    reads: Mapping[str, Reads] = field(default_factory=dict[str, Reads])
    """When commands only read, by name and alias."""
    in_name_of_chats: Mapping[int, Mapping[str, Any]] = field(default_factory=dict[int, Mapping[str, Any]])
    """Messages in the name of a chat, by update id."""
    old_presses: Collection[int] = ()
    """Ids of the presses that are too old to be acted on."""
    message_ids: Sequence[tuple[int, int]] = ()
    """Chat and message id of its messages."""


@dataclass(frozen=True, slots=True)
class _Arrived:
    """Result of the transaction."""

    new: Sequence[NewUpdate]
    """The new updates; the others were stored when they were first received."""
    begun: Mapping[int, str]
    """The turns that may have to restart; see ``take_edits``."""
    reactions: Sequence[NewOutbox]
    """The reactions to waiting messages."""
    dropped: int = 0
    """Number of new updates that are not handled."""
    answered: Collection[Key] = ()
    """Answers to messages in the name of chats, for the limits."""


class Intake:
    """Stores updates and starts those that may start."""

    def __init__(
        self,
        parts: BotParts,
        dispatch: Dispatch,
        heard: Heard,
        hiding: Hiding,
        reads: Callable[[], Mapping[str, Reads]] = dict,
        note: Note | None = None,
    ) -> None:
        """Create the intake.

        Args:
            parts: of the bot.
            dispatch: starts the updates.
            heard: gets the chats of new updates.
            hiding: keeps the admin password out of the database.
            reads: returns when commands only read, by name and alias.
            note: records what Telegram may deliver again; by default the latest batch, as getUpdates does.
        """
        self._note = note or self._note_batch
        self._parts = parts
        self._reads = reads
        self._about = _About()
        """Of the batch that is stored; one at a time is."""
        self._hiding = hiding
        self._dispatch = dispatch
        self._heard = heard
        self._quarantine = Quarantine(parts.core)
        self._old_presses = OldPresses(parts.core.clock)

    async def take(self, batch: Batch) -> bool:
        """Store and start the updates of a response, possibly an empty batch.

        Returns:
            Whether any of the updates was new.

        Raises:
            DatabaseError: the updates can't be stored.
        """
        old = self._old_presses.find(batch, milliseconds(self._parts.core.clock))
        self._about = _About(self._reads(), batch.in_name_of_chats, old, batch.message_ids)
        any_new, refused = await self._all(batch.updates)
        if await self._quarantine.put([*batch.unreadable, *refused], without_id=batch.without_id):
            any_new = True
        self._note(batch.ids, any_new)
        return any_new

    def _note_batch(self, ids: Sequence[int], any_new: bool) -> None:  # noqa: FBT001  as ``Note`` has it
        self._parts.core.unconfirmed.note(ids, any_new=any_new)

    async def _all(self, updates: Sequence[NewUpdate]) -> tuple[bool, Sequence[Unreadable]]:
        """Store updates together, or one by one if that fails; return whether any was new, and those that can't be."""
        arrived: list[_Arrived] = []

        def stored(found: _Arrived) -> None:
            arrived.append(found)
            self._hiding.stored(found.new)
            self._stored(found)

        now = milliseconds(self._parts.core.clock)
        refused: list[Unreadable] = []
        try:
            if updates:
                clean = await self._without_secrets(updates)
                await self._dispatch.add(lambda conn: self._store(conn, clean, now), stored)
        except DatabaseError:
            raise
        except Exception as error:  # noqa: BLE001  any part of an update may be what can't be stored
            log.warning("intake.one_by_one", count=len(updates), error=type(error).__name__)
            refused = [bad for update in updates if (bad := await self._one(update, now, stored)) is not None]
            # Some may have been stored by the attempt that failed, so that no commit here synchronises them.
            await self._parts.core.database.sync()
            self._dispatch.arrived.set()
        return any(each.new or each.dropped for each in arrived), refused

    async def _without_secrets(self, updates: Sequence[NewUpdate]) -> Sequence[NewUpdate]:
        """Return the updates as they may be stored."""
        return await self._hiding.hide([redacted(update, redactor.without_known) for update in updates])

    async def _one(self, update: NewUpdate, now: int, stored: Callable[[_Arrived], None]) -> Unreadable | None:
        """Store an update, which is claimed later and not yet synchronised; return it as unreadable if that fails."""
        try:
            clean = await self._without_secrets([update])
            await self._parts.core.database.write(
                lambda conn: self._store(conn, clean, now), durable=False, then=stored
            )
        except DatabaseError:
            raise
        except Exception as error:  # noqa: BLE001  any part of an update may be what can't be stored
            return Unreadable(update.update_id, f"{type(error).__name__}: it can't be stored")
        return None

    def _store(self, conn: Connection, updates: Sequence[NewUpdate], now: int) -> _Arrived:
        """Store the new updates; called on the database thread."""
        parts = self._parts
        known_ids.note(conn, self._about.message_ids)
        added = [each for update in updates for each in self._add(conn, update, now)]
        new = [update for update in added if update.update_id not in self._about.old_presses]
        for update in added:
            if update.update_id in self._about.old_presses:
                inbox.finish(conn, update.update_id, "expired", now, REASON)
        begun = take_edits(conn, new, parts.username, parts.core.password.questions, now)
        holder = parts.core.database.member_id
        if holder is not None:
            for update in new:
                if HIDDEN in notes_of(update.payload):
                    inbox.keep_for(conn, update.update_id, holder)
            order_looks(conn, new, holder, now)
            claims.arrived(conn, holder, new, has_place=self._dispatch.has_place)
        reactions = parts.acknowledgements.put(conn, new, now)
        outbox.add(conn, reactions, now)
        answered: set[Key] = set()
        for message in (self._about.in_name_of_chats.get(update.update_id) for update in new):
            if message is not None:
                outbox.add(conn, answer_to_chat_author(conn, message, parts, self._about.reads, answered), now)
        return _Arrived(new, begun, reactions, len(added) - len(new), answered)

    def _add(self, conn: Connection, update: NewUpdate, now: int) -> Sequence[NewUpdate]:
        """Add an update behind those of its lane, unless it need not wait for them; return it if it is new."""
        update = _with_access(conn, update, now)
        if overtakes(conn, update, self._about.reads, self._parts.username):
            update = replace(update, control=True)
        return inbox.add_updates(conn, [update], now)

    def _stored(self, arrived: _Arrived) -> None:
        """Notify the other parts of the bot, before any of the updates starts."""
        parts = self._parts
        for key in arrived.answered:
            parts.core.access.limits.count(key)
        for update in arrived.new:
            UPDATES_RECEIVED.add(update.kind)
        if arrived.reactions:
            parts.acknowledgements.note(arrived.reactions)
        stop_superseded(
            arrived.new,
            arrived.begun,
            parts.core.running,
            parts.bot_id,
            parts.username,
            most_bytes=parts.downloads.most_bytes,
        )
        self._heard(Lane.parse(update.lane).chat_id for update in arrived.new)


def _with_access(conn: Connection, update: NewUpdate, now: int) -> NewUpdate:
    """Return the update with the information whether its sender may use the bot in its chat."""
    chat_id = Lane.parse(update.lane).chat_id
    may_use = update.sender_id is not None and may_talk(conn, update.sender_id, chat_id, now)
    return update if may_use else replace(update, stranger=True)
