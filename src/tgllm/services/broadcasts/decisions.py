"""Start and stop of a broadcast by an admin, within a transaction."""

from typing import Any, Final, Literal

from tgllm.db.engine.unit import Connection
from tgllm.db.tables import audit, broadcasts, outbox
from tgllm.db.tables.broadcasts import Broadcast
from tgllm.i18n import Catalogue
from tgllm.services.broadcasts.rows import progress_row, progress_text

__all__ = ["PREVIEW_LIFE", "Refusal", "confirm", "stop"]

PREVIEW_LIFE: Final = 10 * 60 * 1000
"""Lifetime of a preview in milliseconds."""

Refusal = Literal["gone", "begun", "expired"]
"""``gone``: the admin has no such broadcast; ``begun``: it was started before."""


def confirm(conn: Connection, texts: Catalogue, broadcast_id: int, admin_id: int, now: int) -> Broadcast | Refusal:
    """Start a broadcast from an admin's own preview, and add its progress message to the outbox."""
    preview = broadcasts.get(conn, broadcast_id)
    if preview is None or preview.admin_id != admin_id:
        return "gone"
    if preview.state != "preview":
        return "begun"
    if now >= preview.expires_at:
        return "expired"
    begun = broadcasts.start(conn, broadcast_id, now)
    (row_id,) = outbox.add(conn, [progress_row(texts, begun, progress_text(texts, begun))], now)
    broadcasts.set_progress_row(conn, broadcast_id, row_id)
    _note(conn, "broadcast.start", begun, admin_id, {"people": begun.people}, now)
    return begun


def stop(conn: Connection, broadcast_id: int, admin_id: int, now: int) -> bool:
    """Stop a broadcast or discard a preview, of any admin; return False if it is stopped or done already."""
    found = broadcasts.get(conn, broadcast_id)
    if found is None or not broadcasts.stop(conn, broadcast_id, now):
        return False
    _note(conn, "broadcast.stop", found, admin_id, {"delivered": found.delivered}, now)
    return True


def _note(
    conn: Connection, action: str, broadcast: Broadcast, admin_id: int, details: dict[str, Any], now: int
) -> None:
    entry = audit.NewEntry(
        actor_id=admin_id, source="telegram", action=action, target=f"broadcast {broadcast.id}", details=details
    )
    audit.add(conn, entry, now)
