"""Finds out whether a message of unknown delivery has arrived, by the ids of messages.

The ids that it may have (``candidates``) are tried one by one with a call that changes nothing (``probes``): the
buttons of the message with that id are replaced by the very buttons that the row has. If several messages may have
arrived, their texts and topics say which one it is.

If none is the message, it has not arrived and is sent. Its new id then closes the range of ids: those below it that
were not tried are tried now, and if one of them is the message, the second copy is deleted.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal
from weakref import WeakValueDictionary

from aiogram import Bot
from aiogram.exceptions import AiogramError
from aiogram.methods import DeleteMessage

from tgllm.bot.delivery.candidates import MOST_CANDIDATES, candidates, unexplained
from tgllm.bot.delivery.fallbacks import FOLLOWING
from tgllm.bot.delivery.probes import LOOKING, Changed, Unclear, are_told_apart, buttons_of, owner_of, set_buttons
from tgllm.bot.delivery.repeats import MARKED
from tgllm.bot.delivery.rows import EDIT_OF_PART, PLACEHOLDER
from tgllm.bot.telegram.failures import CallFailure, classify
from tgllm.db.database import Database
from tgllm.db.queries.doubts import Doubt, doubt_of, sent_lately
from tgllm.db.tables import outbox
from tgllm.db.tables.outbox import OutboxRow
from tgllm.observe.logs import get_logger

__all__ = [
    "MOST_CALLS",
    "Absent",
    "Arrived",
    "Earlier",
    "Resolver",
    "Result",
    "Unclear",
    "why_not_found_out",
]

log = get_logger(__name__)

MOST_CALLS = 8
"""Most calls of a row whose results stay unknown; those that Telegram has certainly not executed don't count."""


@dataclass(frozen=True, slots=True)
class Arrived:
    """The message has arrived."""

    message_id: int | None
    """None if it is one of several that can't be told apart, all of which have arrived."""
    too: Sequence[int] = ()
    """The rows of the others."""
    ids: Sequence[int] = ()
    """The ids of all of them."""


@dataclass(frozen=True, slots=True)
class Absent:
    """No message with an id that was tried is the one."""

    doubt: Doubt
    tried: frozenset[int]


@dataclass(frozen=True, slots=True)
class Earlier:
    """An earlier copy of a message that was sent again."""

    message_id: int | None
    """None if none was found."""
    is_certain: bool = True
    """Whether the message is in the chat once."""


Result = Arrived | Absent | Unclear | CallFailure
"""A ``CallFailure`` says that Telegram did not answer; it is tried again later."""


_Owner = OutboxRow | Literal["other", "one of several"]
"""The row that has sent a message; ``other`` if it is not one of the bot, or is not there."""


def why_not_found_out(row: OutboxRow, *, resolve: bool) -> str | None:
    """Return why it is not found out whether the message of a row has arrived; None if it is.

    Args:
        row: a row that sends a message.
        resolve: whether the settings allow to look for ids.
    """
    if not resolve:
        return "sending.resolve is off"
    if row.unconfirmed >= MOST_CALLS:
        return f"calls without a result: {row.unconfirmed}"
    return _why_without_id(row)


def _why_without_id(row: OutboxRow) -> str | None:
    payload = row.payload
    if row.kind != "send" and EDIT_OF_PART not in payload:
        return "it is no message"
    if "ephemeral_message_parameters" in payload:
        return "an ephemeral message has no id"
    if "business_connection_id" in payload:
        return "its id belongs to the sequence of another account"
    if MARKED in payload and FOLLOWING in payload:
        return "what follows the mark may have arrived, and could be taken for it"
    if row.known_id is None or row.chat_id is None:
        return "no id is known from before the call, or a lost message could be taken for it"
    return None


class Resolver:
    """Tries the ids that a message may have."""

    def __init__(self, bot: Bot, database: Database) -> None:
        """Create the resolver."""
        self._bot = bot
        self._database = database
        self._searches: WeakValueDictionary[int | None, asyncio.Lock] = WeakValueDictionary()
        """One search at a time in a chat: two could not tell what has changed the buttons of a message."""

    async def find(self, row: OutboxRow) -> Result:
        """Find out whether the message of a row has arrived."""
        async with self._searches.setdefault(row.chat_id, asyncio.Lock()):
            return await self._find(row)

    async def _find(self, row: OutboxRow) -> Result:
        doubt = await self._database.read(lambda conn: doubt_of(conn, row))
        if doubt is None:
            return Unclear("no ids are known")
        others = [rival for rival in doubt.rivals if not _have_same_buttons(row, rival)]
        if others and _only_other(row, others) is None and not are_told_apart([row, *doubt.rivals]):
            # What is changed could not be restored.
            return Unclear("there are messages with several kinds of buttons")
        ids = candidates(doubt.above, doubt.known, doubt.open_rows)
        if ids is None:
            return Unclear("too many ids are possible")
        result = await self._try(row, doubt, ids, in_order=True)
        log.info(
            "send.resolved",
            outbox=row.id,
            chat=row.chat_id,
            tried=len(ids),
            result=type(result).__name__.lower(),
            reason=result.reason if isinstance(result, Unclear | CallFailure) else None,
        )
        return result

    async def find_earlier(self, row: OutboxRow, absent: Absent, message_id: int) -> Earlier:
        """Look for an earlier copy of a message that was sent again as ``message_id``, and delete the second.

        If there are many ids, the newest are tried: the call was made shortly before.
        """
        known = await self._database.read(lambda conn: doubt_of(conn, row))
        ids = unexplained(absent.doubt.above, (known or absent.doubt).known, absent.tried, message_id)
        latest = ids[: -MOST_CANDIDATES - 1 : -1]
        found: Result = absent
        if latest:
            async with self._searches.setdefault(row.chat_id, asyncio.Lock()):
                found = await self._try(row, absent.doubt, latest)
        if not isinstance(found, Arrived) or found.message_id is None or row.chat_id is None:
            return Earlier(None, is_certain=isinstance(found, Absent) and len(latest) == len(ids))
        try:
            await self._bot(DeleteMessage(chat_id=row.chat_id, message_id=message_id))
        except AiogramError as error:
            log.warning("send.second_copy", outbox=row.id, chat=row.chat_id, reason=classify(error).reason)
            return Earlier(None, is_certain=False)
        return Earlier(found.message_id)

    async def _try(self, row: OutboxRow, doubt: Doubt, ids: Sequence[int], *, in_order: bool = False) -> Result:
        alike = [rival for rival in doubt.rivals if _have_same_buttons(row, rival)]
        found: list[int] = []
        excluded = doubt.above
        for message_id in ids:
            if in_order and not found:
                excluded = await self._exclude_below(row, doubt, message_id, excluded)
            owner = await self._owner(row, message_id, doubt)
            if isinstance(owner, CallFailure | Unclear):
                return owner
            if owner == "one of several":
                found.append(message_id)
            elif isinstance(owner, OutboxRow) and owner.id == row.id:
                return Arrived(message_id)
        if not found:
            return Absent(doubt, frozenset(ids))
        if len(found) > len(alike) and all(_needs_no_id(each) for each in (row, *alike)):
            return Arrived(None, [rival.id for rival in alike], found)
        return Unclear("it is one of several messages that can't be told apart")

    async def _owner(self, row: OutboxRow, message_id: int, doubt: Doubt) -> _Owner | CallFailure | Unclear:
        """Find out which row has sent a message; its buttons are those of that row afterwards."""
        answer = await set_buttons(self._bot, row.chat_id, message_id, buttons_of(row.payload))
        if not (isinstance(answer, Changed) or answer == "same"):
            return answer
        # It may be one that was sent meanwhile.
        now, sent = await self._database.read(
            lambda conn: (doubt_of(conn, row) or doubt, sent_lately(conn, row, message_id))
        )
        if answer == "same":
            if message_id in now.known:
                return "other"
            if not any(_have_same_buttons(row, rival) for rival in now.rivals):
                return row
            if not are_told_apart([row, *now.rivals]):
                return "one of several"
            # The answer to a change contains the message.
            answer = await set_buttons(self._bot, row.chat_id, message_id, LOOKING)
            if isinstance(answer, CallFailure):
                return answer
        look = answer.look if isinstance(answer, Changed) else None
        owner = sent or owner_of(look, (row, *now.rivals)) or _only_other(row, now.rivals)
        if owner is None:
            return Unclear("it was another message")
        restored = await set_buttons(self._bot, row.chat_id, message_id, buttons_of(owner.payload))
        if isinstance(restored, CallFailure | Unclear):
            return restored
        return owner if restored != "other" else Unclear("it was another message")

    async def _exclude_below(self, row: OutboxRow, doubt: Doubt, message_id: int, excluded: int) -> int:
        """Keep that the ids below one are not the row's, so that they are not tried again after a fault or a crash.

        An id that Telegram has not given away yet may be that of the next call of the row, and is not kept.
        """
        last = min(message_id - 1, max(doubt.known, default=0))
        if last <= excluded:
            return excluded
        await self._database.write(lambda conn: outbox.exclude(conn, row.id, last))
        return last


def _have_same_buttons(row: OutboxRow, other: OutboxRow) -> bool:
    return buttons_of(row.payload) == buttons_of(other.payload)


def _only_other(row: OutboxRow, rivals: Sequence[OutboxRow]) -> OutboxRow | None:
    """Return a rival whose message had other buttons than the row; None if they had several kinds, or there is none."""
    others = [rival for rival in rivals if not _have_same_buttons(row, rival)]
    return others[0] if others and all(_have_same_buttons(others[0], other) for other in others) else None


def _needs_no_id(row: OutboxRow) -> bool:
    """Return whether nothing follows a row that refers to its message."""
    return PLACEHOLDER not in row.payload and FOLLOWING not in row.payload
