"""Quarantine of updates that can't be decoded or stored, and the bundled notice about them to the admins."""

from collections.abc import Sequence
from typing import Final

from tgllm.api.clock import milliseconds
from tgllm.bot.intake.reading import Unreadable
from tgllm.db.engine.unit import Connection
from tgllm.db.tables import inbox, kv
from tgllm.observe.logs import get_logger
from tgllm.services.common.lane import Lane
from tgllm.services.core import Core

__all__ = ["Quarantine"]

log = get_logger(__name__)

TELL_EVERY: Final = 10 * 60 * 1000
"""Shortest time in ms between two notices; what is found meanwhile is in the next one."""

_NO_LANE: Final = Lane(0).key
_SCOPE: Final = "intake"
_KEY: Final = "unreadable"


class Quarantine:
    """Stores unreadable updates as quarantined, without their content, and tells the admins."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._due: int | None = None
        """When the notice about the rest is due, UTC in milliseconds; None if there is none."""

    async def put(self, updates: Sequence[Unreadable], *, without_id: int = 0) -> bool:
        """Store the updates that are new, and tell the admins, at most once in a while.

        Args:
            updates: the unreadable updates.
            without_id: number of further entries, which can't be stored.

        Returns:
            Whether any of the updates was new.

        Raises:
            DatabaseError: they can't be stored.
        """
        core, now = self._core, milliseconds(self._core.clock)

        def unit(conn: Connection) -> tuple[Sequence[int], int | None]:
            new = [
                each.update_id
                for each in updates
                if inbox.add_quarantined(conn, each.update_id, _NO_LANE, each.reason, now)
            ]
            return new, self._tell(conn, len(new) + without_id, now)

        if not updates and not without_id and not (self._due is not None and now >= self._due):
            return False
        new, self._due = await core.database.write(unit)
        reasons = {each.update_id: each.reason for each in updates}
        for update_id in new:
            log.warning("update.unreadable", update_id=update_id, reason=reasons[update_id])
        if without_id:
            log.warning("update.without_id", count=without_id)
        return bool(new)

    def _tell(self, conn: Connection, count: int, now: int) -> int | None:
        """Add a notice to the outbox unless there was one recently; return when the next one is due, if any."""
        match kv.get(conn, _SCOPE, _KEY):
            case {"told_at": int(told_at), "untold": int(untold)}:
                count += untold
            case _:
                told_at = now - TELL_EVERY
        if not count:
            return None
        # A clock that was set back must not silence the notices.
        is_due = not 0 <= now - told_at < TELL_EVERY
        if is_due:
            self._core.notifier.add(conn, self._core.texts("admin.unreadable", count=count))
            told_at, count = now, 0
        kv.set_value(conn, _SCOPE, _KEY, {"told_at": told_at, "untold": count}, now)
        return told_at + TELL_EVERY if count else None
