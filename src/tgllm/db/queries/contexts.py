"""The part of a conversation that a turn needs: the newest messages that fit, and older ones with files.

Each query follows a branch from its end and stops as soon as it can, so its cost does not grow with the conversation.
It returns one row of JSON: SQLite releases the GIL at each row, and a busy event loop gives it back late.
"""

import json
from collections.abc import Mapping
from itertools import starmap
from operator import itemgetter
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from tgllm.api.types import ChatMessage
from tgllm.db.engine.unit import Connection
from tgllm.db.tables.messages import Role

__all__ = ["HistoryMessage", "Reader", "newest", "with_files"]


class HistoryMessage(NamedTuple):
    """A message of a conversation as a turn needs it; most fields are columns of the table ``messages``."""

    id: int
    parent_id: int | None
    conversation_id: int
    role: Role
    text: str
    telegram_ids_json: str = "[]"
    tokens: int | None = None
    tokens_before: int | None = None
    created_at: int = 0

    # Most messages have neither of the JSON columns; these fields are then None.
    parts_json: str | None = None
    data_json: str | None = None
    """The column ``provider_data``; None also if the message is from another model than the one that answers."""
    provider: str | None = None
    model: str | None = None
    said: ChatMessage | None = None
    """The same message for the model that answers, if it was converted in an earlier turn."""

    # The columns of JSON are parsed only when they are needed: most messages have none, and few turns need the ids.

    @property
    def parts(self) -> tuple[dict[str, Any], ...]:
        """Names of its attachments."""
        return tuple(json.loads(self.parts_json)) if self.parts_json else ()

    @property
    def provider_data(self) -> dict[str, Any] | None:
        """Data that is passed back to the same provider and model."""
        return None if self.data_json is None else json.loads(self.data_json)

    @property
    def telegram_message_ids(self) -> tuple[int, ...]:
        """Telegram's ids of the messages that show it."""
        return tuple(json.loads(self.telegram_ids_json))


class Reader(NamedTuple):
    """The model that answers, and the messages that were read for it before."""

    provider: str = ""
    """Only what this provider and model returned themselves is read of ``provider_data``."""
    model: str = ""
    kept: Mapping[int, HistoryMessage] = MappingProxyType({})
    """Messages without files by id, which are not read again. Telegram's ids of them may be outdated."""


_NO_READER: Final = Reader()

# Not more than the estimate of messages that are stored without one; see ``providers.tokens``.
_COST: Final = "coalesce(message.tokens, length(message.text) * 10 / 33)"
_FIELDS: Final = """
    message.id, message.parent_id, message.conversation_id, message.role, message.text,
    message.telegram_message_ids, message.tokens, message.tokens_before, message.created_at"""
_DATA: Final = "CASE WHEN message.provider = :provider AND message.model = :model THEN message.provider_data END"
# Each value costs time, in a long history for hundreds of messages.
_COLUMNS: Final = f"""CASE WHEN message.parts IS NULL AND {_DATA} IS NULL THEN json_array({_FIELDS})
    ELSE json_array({_FIELDS}, message.parts, {_DATA}, message.provider, message.model) END"""
_LEAST: Final = 2
"""Messages that are read in any case: of an exchange that does not fit, the end is shown."""
_MOST_BEYOND: Final = 400
"""Number of messages from which on none is read beyond ``room``."""
# CROSS JOIN keeps SQLite from changing the order of the tables, and so that of the messages.
_BRANCH: Final = f"""
    WITH RECURSIVE branch (id, parent_id, stamp, room, number) AS (
        SELECT id, parent_id, CASE WHEN parts IS NULL THEN created_at END, :room - {_COST}, 1 FROM messages AS message
        WHERE conversation_id = :conversation_id AND id = :head
        UNION ALL
        SELECT message.id, message.parent_id, CASE WHEN message.parts IS NULL THEN message.created_at END,
            room - {_COST}, number + 1
        FROM branch CROSS JOIN messages AS message ON message.id = branch.parent_id
        WHERE number < :most
            AND (room >= 0 OR number < {_LEAST} OR (branch.parent_id > :until AND number < {_MOST_BEYOND}))
    )"""  # noqa: S608  only constants are inserted
_NEWEST = f"""{_BRANCH}
    SELECT json_group_array({_COLUMNS}) FROM branch CROSS JOIN messages AS message ON message.id = branch.id
"""  # noqa: S608  only constants are inserted
_STAMPS = f"{_BRANCH} SELECT json_group_array(id), json_group_array(stamp) FROM branch"  # noqa: S608  only constants
_THESE = f"""
    SELECT json_group_array({_COLUMNS})
    FROM json_each(:ids) CROSS JOIN messages AS message ON message.id = CAST(json_each.value AS INTEGER)
"""  # noqa: S608  only constants are inserted
_OLDEST_WITH_FILES = "SELECT min(id) FROM messages WHERE conversation_id = ? AND parts IS NOT NULL"
_WITH_FILES = f"""
    WITH RECURSIVE branch (id, parent_id, number) AS (
        SELECT id, parent_id, 1 FROM messages WHERE conversation_id = :conversation_id AND id = :head
        UNION ALL
        SELECT message.id, message.parent_id, number + 1
        FROM branch CROSS JOIN messages AS message ON message.id = branch.parent_id
        WHERE number < :most AND message.id >= :oldest
    )
    SELECT json_group_array({_COLUMNS}) FROM branch CROSS JOIN messages AS message ON message.id = branch.id
    WHERE message.parts IS NOT NULL
"""  # noqa: S608  only constants are inserted


def newest(
    conn: Connection,
    conversation_id: int,
    head: int | None,
    *,
    room: int,
    most: int,
    until: int | None = None,
    reader: Reader = _NO_READER,
) -> list[HistoryMessage]:
    """Return the newest messages of the branch that ends with ``head``, oldest first.

    The oldest one is the first that exceeds ``room``, if the branch is that long.

    Args:
        conn: an open transaction.
        conversation_id: the conversation.
        head: last message of the branch; None: there is none.
        room: tokens to fill, in terms of the stored estimates.
        most: maximum number of messages.
        until: of the last ``_MOST_BEYOND`` messages, those after this id are returned also if they exceed ``room``;
            None: no such messages.
        reader: the model that answers, and what was read for it before.
    """
    if head is None or most < 1:
        return []
    values: dict[str, object] = {"conversation_id": conversation_id, "head": head, "room": room, "most": most}
    values |= {"until": head if until is None else until, "provider": reader.provider, "model": reader.model}
    return _beside(conn, reader.kept, values) if reader.kept else _messages(conn, _NEWEST, values)


def _beside(conn: Connection, kept: Mapping[int, HistoryMessage], values: dict[str, object]) -> list[HistoryMessage]:
    """Return the messages of a branch, of which only the ids are read where they are kept.

    The text of a message never changes, and neither does anything else that counts of one without files, except that
    the first of a branch has lost the one before it. The id alone does not identify a message, since SQLite gives the
    id of a deleted one to a later one.
    """
    ids, stamps = map(json.loads, conn.execute(_STAMPS, values).fetchone())
    known: dict[int, HistoryMessage] = {}
    # Without the first one, which comes last. A message with files has no stamp.
    for message_id, stamp in zip(ids[:-1], stamps[:-1], strict=True):
        row = kept.get(message_id)
        if row is not None and row.created_at == stamp:
            known[message_id] = row
    missing = json.dumps([message_id for message_id in ids if message_id not in known])
    known |= {row.id: row for row in _messages(conn, _THESE, values | {"ids": missing})}
    ids.reverse()
    return [known[message_id] for message_id in ids]


def with_files(conn: Connection, conversation_id: int, head: int | None, *, most: int) -> list[HistoryMessage]:
    """Return the messages with files among the last ``most`` of the branch that ends with ``head``, oldest first."""
    oldest = conn.execute(_OLDEST_WITH_FILES, (conversation_id,)).fetchone()[0]
    if head is None or oldest is None or oldest > head:
        return []
    values = {"conversation_id": conversation_id, "head": head, "oldest": oldest, "most": most}
    return _messages(conn, _WITH_FILES, {**values, "provider": "", "model": ""})


def _messages(conn: Connection, query: str, values: dict[str, object]) -> list[HistoryMessage]:
    # JSON columns are strings in it, since JSON that is nested in JSON could exceed the depth that SQLite accepts.
    # PostgreSQL returns NULL for no messages, and any order; what SQLite returns, the newest first, is quick to sort. A
    # message has a higher id than the one before it.
    found: list[list[Any]] = json.loads(conn.execute(query, values).fetchone()[0] or "[]")
    found.sort(key=itemgetter(0))
    return [*starmap(HistoryMessage, found)]
