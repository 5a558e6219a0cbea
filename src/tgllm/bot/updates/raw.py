"""Raw updates: how they are fetched, and to which lane they belong.

Updates are read as plain JSON, without aiogram's models, so that an update that aiogram can't parse is stored like any
other.
"""

import json
from collections.abc import Mapping
from typing import Any

from tgllm.bot.telegram.get_updates import id_of
from tgllm.bot.updates.command import named_command
from tgllm.bot.updates.fields import MESSAGE, UPDATE, unknown_restriction
from tgllm.bot.updates.formats.written import written_in
from tgllm.bot.updates.origins import with_readable_origins
from tgllm.bot.updates.places import NOWHERE, Place, place_of
from tgllm.bot.updates.rich_text import without_rich_messages
from tgllm.bot.updates.service_messages import is_service, without_service_reply
from tgllm.bot.updates.values import as_id, as_mapping, is_set
from tgllm.db.tables.inbox import InboxRow, NewUpdate
from tgllm.observe.logs import get_logger
from tgllm.services.common.lane import Lane
from tgllm.services.common.text import mend_surrogates
from tgllm.services.common.turn_ids import turn_id_of

__all__ = [
    "ALLOWED_UPDATES",
    "CONTINUE",
    "FORGET",
    "MESSAGE_KINDS",
    "REMOVE_FILE",
    "REOPEN",
    "RETRY",
    "content_of",
    "is_raw_own",
    "lane_of",
    "message_of",
    "sender_of",
    "to_inbox",
    "turn_id_of",
]

ALLOWED_UPDATES = tuple(kind for kind, treatment in UPDATE.items() if treatment != "closed")
"""The kinds of updates that the bot asks Telegram for."""

log = get_logger(__name__)

MESSAGE_KINDS = frozenset({"message", "edited_message"})
CONTROL_KINDS = frozenset({"callback_query", "stopped_message_generation"})
_CONTROL_COMMANDS = frozenset({"stop", "cancel"})

RETRY = "retry"
"""First word of the callback data of the button that retries the last question; the turn's id follows."""
CONTINUE = "continue"
"""The same for the button that continues an answer that was cut off; the turn's id follows."""
REOPEN = "reopen"
"""The same for the button that reopens an earlier conversation; its id follows."""
FORGET = "forget"
"""The same for the button that deletes a user's data; the user's id and the expiry time follow."""
REMOVE_FILE = "fdrop"
"""The same for the button that removes a file; its id and a page follow."""
_NOT_OWN = tuple(name for name, treatment in MESSAGE.items() if treatment == "question")
LANE_PRESSES = frozenset({RETRY, CONTINUE, REOPEN, FORGET, REMOVE_FILE})
"""Presses that change the conversation, so they wait for its running turn."""


def to_inbox(raw: Mapping[str, Any]) -> NewUpdate | None:
    """Return the inbox row for an update; None without an update id, since such an update can't be confirmed.

    The content of an update that is ignored is not stored; the kind of its row names the reason.

    Raises:
        ValueError: it contains a number that is no JSON, such as NaN.
        RecursionError: it is nested too deeply.
    """
    update_id = id_of(raw.get("update_id"))
    if update_id is None:
        return None
    kind, place = _kind_and_place(raw)
    # A press is answered all the same: the button is shown as busy until then.
    is_kept = not place.closed or kind == "callback_query"
    if not is_kept:
        # A field that this version does not know is worth a look; the others may be many.
        say = log.warning if place.closed == "unknown_field" else log.debug
        say("update.ignored", kind=kind, reason=place.closed, field=place.field)
        raw = {"update_id": update_id}
    elif kind in MESSAGE_KINDS:
        raw = {**raw, kind: with_readable_origins(without_service_reply(as_mapping(raw[kind])))}
    row_kind = kind if is_kept or place.closed == "kind" else f"{kind}:{place.closed}"
    return NewUpdate(
        update_id=update_id,
        # SQLite can't store a lone surrogate; one in an update would keep the whole batch from being stored.
        lane=mend_surrogates(place.lane.key),
        kind=mend_surrogates(row_kind),
        control=is_kept and (bool(place.closed) or _is_control(kind, raw.get(kind))),
        payload=_payload(raw),
        sender_id=sender_of(kind, as_mapping(raw.get(kind))),
    )


def _payload(raw: Mapping[str, Any]) -> str:
    """Return the JSON that is stored; a lone surrogate, which no reply could contain, becomes U+FFFD."""
    payload = json.dumps(raw, separators=(",", ":"), allow_nan=False)
    # The escape of a surrogate; most updates have none.
    if "\\ud" in payload:
        whole = json.dumps(raw, ensure_ascii=False, allow_nan=False)
        mended = mend_surrogates(whole)
        if mended != whole:
            return json.dumps(json.loads(mended), separators=(",", ":"), allow_nan=False)
    return payload


def sender_of(kind: str, content: Mapping[str, Any]) -> int | None:
    """Return the user id of the sender of an update with this content; None if it is unknown."""
    # A stopped draft has no sender, but drafts exist only in private chats, whose id is the user's.
    sender = content.get("chat") if kind == "stopped_message_generation" else content.get("from")
    return as_id(as_mapping(sender).get("id"))


def _kind_and_place(raw: Mapping[str, Any]) -> tuple[str, Place]:
    """Return the kind and the place of an update; with several kinds it would be unclear which of them is handled."""
    kinds = [key for key in raw if key in UPDATE]
    unknown = next((key for key in raw if key != "update_id" and key not in UPDATE), "unknown")
    if not kinds:
        return unknown, Place(NOWHERE, "kind")
    kind = kinds[0]
    field = unknown_restriction("Update", raw)
    if len(kinds) > 1 or field is not None:
        return kind, Place(NOWHERE, "unknown_field", field or kinds[1])
    place = place_of(kind, raw[kind])
    # Only here: a message that may be the admin password is stored without its content, and is no service message.
    is_silent = not place.closed and kind in MESSAGE_KINDS and is_service(as_mapping(raw[kind]))
    return kind, Place(NOWHERE, "service") if is_silent else place


def content_of(update: InboxRow | NewUpdate) -> Mapping[str, Any]:
    """Return the content of a stored update, such as its message, with rich messages as text; empty if no object."""
    return as_mapping(_read(update.payload).get(update.kind))


def message_of(payload: str) -> Mapping[str, Any]:
    """Return the message of a stored update's payload in the same way; empty for an update of another kind."""
    return as_mapping(_read(payload).get("message"))


def _read(payload: str) -> Mapping[str, Any]:
    raw = as_mapping(json.loads(payload))
    return without_rich_messages({**raw}) if '"rich_message"' in payload else raw


def lane_of(kind: str, content: object) -> Lane:
    """Return the lane of an update: of its chat, else of its sender, else lane 0."""
    return place_of(kind, content).lane


def _is_control(kind: str, content: object) -> bool:
    """Return whether the update must not wait for the running turn of its lane."""
    if kind in CONTROL_KINDS:
        return _first_word(as_mapping(content).get("data")) not in LANE_PRESSES
    message = as_mapping(content)
    if kind != "message" or not is_raw_own(message):
        return False
    command = named_command(written_in(message))
    return command is not None and command.name in _CONTROL_COMMANDS


def is_raw_own(message: Mapping[str, Any]) -> bool:
    """Return whether the sender wrote a message: forwarded messages and those sent via a bot are no commands."""
    return not any(is_set(message.get(name)) for name in _NOT_OWN)


def _first_word(data: object) -> str:
    return data.partition(":")[0] if isinstance(data, str) else ""
