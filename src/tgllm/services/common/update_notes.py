"""Notes of the bot in a stored update, beside the content, where Telegram has no key and people can't write."""

import json
from typing import Any, Final, cast

__all__ = ["HIDDEN", "INVITE", "NOTES", "WAITS", "notes_of", "with_note"]

NOTES: Final = "tgllm"
"""Key of the notes in the update."""
INVITE: Final = "invite"
"""Note: SHA-256 of the token of an invite link, in hex; the token itself is not stored."""
HIDDEN: Final = "hidden"
"""Note: 1 if the content is only in memory, since it may be the admin password."""
WAITS: Final = "waits"
"""Note: 1 if the message has the reaction of those that wait; only where there are several replicas."""


def notes_of(payload: str) -> dict[str, Any]:
    """Return the notes in the payload of a stored update; empty if there are none."""
    if f'"{NOTES}":' not in payload:
        return {}
    notes: object = cast("dict[str, object]", json.loads(payload)).get(NOTES)
    return cast("dict[str, Any]", notes) if isinstance(notes, dict) else {}


def with_note(payload: str, note: str) -> str:
    """Return the payload of an update with a further note."""
    update = cast("dict[str, object]", json.loads(payload))
    return json.dumps(update | {NOTES: {**notes_of(payload), note: 1}}, separators=(",", ":"))
