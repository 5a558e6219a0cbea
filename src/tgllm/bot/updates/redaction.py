"""Removal of secrets from updates before they are stored: invite tokens, and secrets of the configuration.

Of updates that the bot does not request, only the id is stored.

Each removed character is replaced by an asterisk, so the offsets of entities stay valid. What the bot needs to know of
a secret is put into the notes of the update.
"""

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, cast

from tgllm.bot.updates.raw import ALLOWED_UPDATES
from tgllm.bot.updates.values import as_mapping
from tgllm.db.tables.inbox import NewUpdate
from tgllm.services.common.update_notes import INVITE, NOTES

__all__ = ["map_strings", "redacted"]

_TOKEN = re.compile(r"inv_[A-Za-z0-9_-]{24}")
_START = re.compile(r"/start(?:@\w+)?\s+(inv_[A-Za-z0-9_-]{24})\s*", re.ASCII)


def redacted(update: NewUpdate, known: Callable[[str], str]) -> NewUpdate:
    """Return the update without invite tokens and known secrets; without content if it is of another kind.

    Args:
        update: as received.
        known: replaces the secrets of the configuration in a text.
    """
    if update.kind not in ALLOWED_UPDATES:
        return replace(update, payload=json.dumps({"update_id": update.update_id}))
    # Without escapes the payload holds the characters of all strings, and most updates contain no secret.
    if "\\" not in update.payload and "inv_" not in update.payload and known(update.payload) == update.payload:
        return update
    try:
        raw = as_mapping(json.loads(update.payload))
        payload = _redacted(raw, as_mapping(raw.get(update.kind)), known)
    except (ValueError, RecursionError):
        # It can't be parsed, or not be written again, and no handler will read it.
        payload = known(_TOKEN.sub(_stars, update.payload))
    return update if payload is None else replace(update, payload=payload)


def _redacted(raw: Mapping[str, Any], content: Mapping[str, Any], known: Callable[[str], str]) -> str | None:
    """Return the new payload; None if the update contains no secret."""
    changed = False

    def change(text: str) -> str:
        nonlocal changed
        # Each string is searched, not the whole payload: there, escapes would change a secret's characters.
        clean = known(_TOKEN.sub(_stars, text))
        changed = changed or clean != text
        return clean

    token = _START.fullmatch(str(content.get("text", "")))
    notes = {} if token is None else {NOTES: {INVITE: hashlib.sha256(token[1].encode()).hexdigest()}}
    clean = cast("dict[str, Any]", map_strings(raw, change))
    return json.dumps(clean | notes, separators=(",", ":")) if changed else None


def map_strings(value: object, change: Callable[[str], str]) -> object:
    """Return a JSON value with all strings changed, apart from keys. Deep values need no recursion."""
    root: list[object] = [value]
    waiting: list[tuple[Any, Any]] = [(root, 0)]
    while waiting:
        holder, place = waiting.pop()
        found = holder[place]
        if isinstance(found, str):
            holder[place] = change(found)
        elif isinstance(found, dict):
            copy = holder[place] = dict(cast("dict[str, object]", found))
            waiting += [(copy, key) for key in copy]
        elif isinstance(found, list):
            items = holder[place] = list(cast("list[object]", found))
            waiting += [(items, number) for number in range(len(items))]
    return root[0]


def _stars(found: re.Match[str]) -> str:
    return f"inv_{'*' * (len(found[0]) - 4)}"
