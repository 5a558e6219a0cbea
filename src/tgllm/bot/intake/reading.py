"""Sorts the updates of a response: those that can be stored, and those that can't be read."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, cast

from tgllm.bot.telegram.get_updates import MOST_ID, Entry, Undecoded, id_of
from tgllm.bot.updates.raw import to_inbox
from tgllm.bot.updates.values import as_id, as_mapping
from tgllm.db.engine.json_depth import check_depth
from tgllm.db.tables.inbox import NewUpdate

__all__ = ["MOST_DEPTH", "Batch", "Unreadable", "sort_out"]

IN_NAME_OF_A_CHAT: Final = "message:sender"
"""Kind of the row of a message that no person has sent."""
_MESSAGES: Final = ("message", "edited_message", "channel_post", "edited_channel_post")
MOST_DEPTH: Final = 200
"""Nesting levels of a readable update. SQLite reads 1000 (sqlite.org: JSON functions), and Telegram sends about ten."""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """An update that is quarantined when it is received, without its content."""

    update_id: int
    reason: str


@dataclass(frozen=True, slots=True)
class Batch:
    """The updates of a response."""

    updates: Sequence[NewUpdate] = ()
    unreadable: Sequence[Unreadable] = ()
    in_name_of_chats: Mapping[int, Mapping[str, Any]] = field(default_factory=dict[int, Mapping[str, Any]])
    """Messages in the name of a chat, by update id. They are not stored, but their authors may be told why."""
    without_id: int = 0
    """Number of entries without a usable update id, which can be neither stored nor confirmed."""
    message_ids: Sequence[tuple[int, int]] = ()
    """Chat and message id of all messages in it."""
    has_more: bool = False
    """Whether more updates wait behind it, as far as its size shows."""

    @property
    def is_empty(self) -> bool:
        """Whether the response had no updates."""
        return not (self.updates or self.unreadable or self.without_id)

    @property
    def ids(self) -> Sequence[int]:
        """Ids of all its updates."""
        return [each.update_id for each in (*self.updates, *self.unreadable)]


def sort_out(entries: Iterable[Entry], *, has_more: bool = False) -> Batch:
    """Sort the entries of a response. Of two with the same id the readable one counts.

    Args:
        entries: the entries.
        has_more: whether more updates wait behind them.
    """
    updates: dict[int, NewUpdate] = {}
    unreadable: dict[int, Unreadable] = {}
    in_name_of_chats: dict[int, Mapping[str, Any]] = {}
    without_id = 0
    message_ids: list[tuple[int, int]] = []
    for entry in entries:
        message_ids += _message_ids(entry)
        match _read(entry):
            case NewUpdate() as update:
                updates.setdefault(update.update_id, update)
                if update.kind == IN_NAME_OF_A_CHAT:
                    in_name_of_chats[update.update_id] = as_mapping(cast("Mapping[str, Any]", entry).get("message"))
            case Unreadable() as bad:
                unreadable.setdefault(bad.update_id, bad)
            case None:
                without_id += 1
    rest = [bad for update_id, bad in unreadable.items() if update_id not in updates]
    return Batch(list(updates.values()), rest, in_name_of_chats, without_id, message_ids, has_more)


def _message_ids(entry: Entry) -> Iterator[tuple[int, int]]:
    """Yield the chat and the id of the message of an update, if it is one of the bot's account."""
    update = as_mapping(entry)
    for kind in _MESSAGES:
        if kind not in update:
            continue
        message = as_mapping(update[kind])
        chat_id, message_id = as_id(as_mapping(message.get("chat")).get("id")), as_id(message.get("message_id"))
        # An ephemeral message has the id 0.
        if chat_id and message_id and 0 < message_id < MOST_ID and abs(chat_id) < MOST_ID:
            yield chat_id, message_id


def _read(entry: Entry) -> NewUpdate | Unreadable | None:
    """Return the entry as an inbox row; None without a usable id."""
    if isinstance(entry, Undecoded):
        return None if entry.update_id is None else Unreadable(entry.update_id, entry.reason)
    if not isinstance(entry, Mapping):
        return None
    raw = cast("Mapping[str, Any]", entry)
    update_id = id_of(raw.get("update_id"))
    if update_id is None:
        return None
    try:
        update = to_inbox(raw)
        # Counting is cheap, and no more brackets than levels are allowed means no more levels either.
        if update is not None and update.payload.count("{") + update.payload.count("[") > MOST_DEPTH:
            check_depth(raw, MOST_DEPTH)
    except Exception as error:  # noqa: BLE001  whatever is wrong with an update, the others of its batch are stored
        return Unreadable(update_id, f"{type(error).__name__}: it can't be stored")
    return update
