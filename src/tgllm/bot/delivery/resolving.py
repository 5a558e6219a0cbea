"""Finds out whether a message of unknown delivery has arrived, by the ids of messages.

The ids that it may have (``candidates``) are tried one by one with a call that changes nothing: the buttons of the
message with that id are replaced by the very buttons that the row has. "message is not modified" means that it is the
message; an error that there is no such message, or that it is not the bot's, means that it is another one.

If none is the message, it has not arrived and is sent. Its new id then closes the range of ids: those below it that
were not tried are tried now, and if one of them is the message, the second copy is deleted.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from aiogram import Bot
from aiogram.exceptions import AiogramError
from aiogram.methods import DeleteMessage, EditMessageReplyMarkup
from aiogram.types import InlineKeyboardMarkup

from tgllm.bot.delivery.candidates import MOST_CANDIDATES, candidates, unexplained
from tgllm.bot.delivery.fallbacks import FOLLOWING
from tgllm.bot.delivery.repeats import MARKED
from tgllm.bot.delivery.rows import EDIT_OF_PART, PLACEHOLDER
from tgllm.bot.telegram.failures import NOT_MODIFIED, CallFailure, classify, fatal_error
from tgllm.db.database import Database
from tgllm.db.queries.doubts import Doubt, doubt_of
from tgllm.db.tables.outbox import OutboxRow
from tgllm.observe.logs import get_logger

__all__ = ["Absent", "Arrived", "Earlier", "Resolver", "Result", "Unclear", "is_resolvable"]

log = get_logger(__name__)

_NOT_THERE = ("message to edit not found", "message_id_invalid", "message identifier is not specified")
_NOT_OURS = ("message can't be edited",)
_REPEATS = 3
"""Most repeats of a call that Telegram refuses because of its rate limits."""


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


@dataclass(frozen=True, slots=True)
class Unclear:
    """It can't be found out."""

    reason: str


Result = Arrived | Absent | Unclear | CallFailure
"""A ``CallFailure`` says that Telegram did not answer; it is tried again later."""


def is_resolvable(row: OutboxRow) -> bool:
    """Return whether the message of a row can be found by its id."""
    payload = row.payload
    # Ephemeral messages have no id, and those of a business connection belong to the sequence of another account.
    has_id = "ephemeral_message_parameters" not in payload and "business_connection_id" not in payload
    sends = row.kind == "send" or EDIT_OF_PART in payload
    if MARKED in payload and FOLLOWING in payload:
        # What follows the mark may have arrived, and could be taken for it.
        return False
    return sends and has_id and row.known_id is not None and row.chat_id is not None


class Resolver:
    """Tries the ids that a message may have."""

    def __init__(self, bot: Bot, database: Database) -> None:
        """Create the resolver."""
        self._bot = bot
        self._database = database

    async def find(self, row: OutboxRow) -> Result:
        """Find out whether the message of a row has arrived."""
        doubt = await self._database.read(lambda conn: doubt_of(conn, row))
        if doubt is None:
            return Unclear("no ids are known")
        if len({json.dumps(_buttons(rival.payload)) for rival in _others(row, doubt)}) > 1:
            # What is changed could not be restored.
            return Unclear("there are messages with several kinds of buttons")
        ids = candidates(doubt.above, doubt.known, doubt.open_rows)
        if ids is None:
            return Unclear("too many ids are possible")
        result = await self._try(row, doubt, ids)
        log.info("send.resolved", outbox=row.id, chat=row.chat_id, tried=len(ids), result=type(result).__name__.lower())
        return result

    async def find_earlier(self, row: OutboxRow, absent: Absent, message_id: int) -> Earlier:
        """Look for an earlier copy of a message that was sent again as ``message_id``, and delete the second.

        If there are many ids, the newest are tried: the call was made shortly before.
        """
        known = await self._database.read(lambda conn: doubt_of(conn, row))
        ids = unexplained(absent.doubt.above, (known or absent.doubt).known, absent.tried, message_id)
        latest = ids[: -MOST_CANDIDATES - 1 : -1]
        found = await self._try(row, absent.doubt, latest) if latest else absent
        if not isinstance(found, Arrived) or found.message_id is None or row.chat_id is None:
            return Earlier(None, is_certain=isinstance(found, Absent) and len(latest) == len(ids))
        try:
            await self._bot(DeleteMessage(chat_id=row.chat_id, message_id=message_id))
        except AiogramError as error:
            log.warning("send.second_copy", outbox=row.id, chat=row.chat_id, reason=classify(error).reason)
            return Earlier(None, is_certain=False)
        return Earlier(found.message_id)

    async def _try(self, row: OutboxRow, doubt: Doubt, ids: Sequence[int]) -> Result:
        others = _others(row, doubt)
        alike = [rival for rival in doubt.rivals if rival not in others]
        found: list[int] = []
        for message_id in ids:
            answer = await self._answer(row, message_id, row.payload)
            if isinstance(answer, CallFailure | Unclear):
                return answer
            if answer == "changed":
                restored = await self._restore(row, message_id, others)
                if restored is not None:
                    return restored
            elif answer == "same":
                found.append(message_id)
                if not alike:
                    return Arrived(message_id)
        if not found:
            return Absent(doubt, frozenset(ids))
        if len(found) > len(alike) and all(_needs_no_id(each) for each in (row, *alike)):
            return Arrived(None, [rival.id for rival in alike], found)
        return Unclear("it is one of several messages that can't be told apart")

    async def _restore(
        self, row: OutboxRow, message_id: int, others: Sequence[OutboxRow]
    ) -> Unclear | CallFailure | None:
        """Put back the buttons of the message of another row; return None if that was possible."""
        if not others:
            return Unclear("it was another message")
        answer = await self._answer(row, message_id, others[0].payload)
        if isinstance(answer, CallFailure | Unclear):
            return answer
        return None if answer in {"changed", "same"} else Unclear("it was another message")

    async def _answer(
        self, row: OutboxRow, message_id: int, payload: Mapping[str, Any]
    ) -> Literal["same", "changed", "other"] | CallFailure | Unclear:
        """Set the buttons of a message; return whether it had them, or has changed, or is not one of the bot."""
        failure = await self._set_buttons(row.chat_id, message_id, _buttons(payload))
        for _ in range(_REPEATS):
            # The limiter holds the chat meanwhile. The ids that were tried before need not be tried again.
            if failure is not None and failure.meaning == "wait":
                failure = await self._set_buttons(row.chat_id, message_id, _buttons(payload))
        if failure is None:
            return "changed"
        words = failure.reason.lower()
        if NOT_MODIFIED in words:
            return "same"
        if failure.meaning == "rejected" and any(known in words for known in (*_NOT_THERE, *_NOT_OURS)):
            return "other"
        return failure if failure.meaning != "rejected" else Unclear(f"an unexpected answer: {failure.reason}")

    async def _set_buttons(self, chat_id: int | None, message_id: int, markup: object) -> CallFailure | None:
        try:
            keyboard = None if markup is None else InlineKeyboardMarkup.model_validate(markup)
            await self._bot(EditMessageReplyMarkup(chat_id=chat_id, message_id=message_id, reply_markup=keyboard))
        except Exception as error:
            if (fatal := fatal_error(error)) is not None:
                raise fatal from error
            return classify(error)
        return None


def _others(row: OutboxRow, doubt: Doubt) -> Sequence[OutboxRow]:
    """Return the rivals of a row that have other buttons."""
    return [rival for rival in doubt.rivals if _buttons(rival.payload) != _buttons(row.payload)]


def _needs_no_id(row: OutboxRow) -> bool:
    """Return whether nothing follows a row that refers to its message."""
    return PLACEHOLDER not in row.payload and FOLLOWING not in row.payload


def _buttons(payload: Mapping[str, Any]) -> object:
    """Return the buttons of the message that a payload sends; None if it has none."""
    markup = payload.get("reply_markup")
    return json.loads(json.dumps(markup)) if markup else None
