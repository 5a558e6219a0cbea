"""Deletion of old data by the retention settings, in small transactions."""

import asyncio
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from tgllm.api.clock import Clock, milliseconds
from tgllm.config.sections.access import AccessSection
from tgllm.config.sections.retention import RetentionSection
from tgllm.db.checkpoint import empty_log
from tgllm.db.database import Database
from tgllm.db.engine.unit import Connection
from tgllm.db.queries import pending_access, traces
from tgllm.db.queries.retention import Forgotten, conversations_after, forget_messages, forget_taken_back
from tgllm.db.tables import audit, broadcasts, errors, files, inbox, invites, outbox, requests, usage
from tgllm.db.tables.memory import proposals
from tgllm.db.tables.plugins import messages as plugin_messages
from tgllm.db.tables.plugins import unreachable
from tgllm.db.tables.shared import question_times
from tgllm.db.tables.tools import calls as tool_calls
from tgllm.db.tables.tools import grants as tool_grants
from tgllm.observe.logs import get_logger
from tgllm.services.access.cards import CARD
from tgllm.services.files.passage_store import PassageStore
from tgllm.services.files.storage.store import FileStorage
from tgllm.services.files.sweep import sweep_blobs, sweep_remote_exports
from tgllm.services.maintenance.unconfirmed import Unconfirmed
from tgllm.services.personal_data.export_files import sweep_exports
from tgllm.services.search.index import SearchIndex
from tgllm.services.search.latest import drop_old

__all__ = ["PIECE", "Retention"]

log = get_logger(__name__)

PIECE: Final = 500
"""Maximum number of rows deleted in one unit of work, which bounds how long other writes wait."""
CARD_DAYS: Final = 60
"""Minimum age in days of deleted card rows: cards are edited when their request is decided."""
LINK_DAYS: Final = 30
"""Days after which used, revoked and expired invite links are deleted."""
REPORTED_DAYS: Final = 31
"""Minimum age in days of deleted failed calls and broadcasts: statistics cover a month."""
USAGE_DAYS: Final = 62
"""Minimum age in days of deleted daily totals: budgets count the calendar month, in any time zone."""
UNLINKED_DAYS: Final = 1
"""Age in days of deleted attachments whose question was never stored."""
PROPOSAL_DAYS: Final = 90
"""Age in days of deleted proposals of facts: what a person has declined is not proposed again before."""
SEARCH_DAYS: Final = 1
"""Age in days of searches whose further pages can no longer be shown."""
_HOUR: Final = 60 * 60 * 1000
_DAY: Final = 24 * _HOUR

Delete = Callable[[Connection, int, int], int]
"""Function that deletes up to a number of rows from before a time, and returns how many it deleted."""


@dataclass(slots=True)
class Retention:
    """Deletes data that is older than the settings allow."""

    database: Database
    storage: FileStorage
    clock: Clock
    settings: RetentionSection
    access: AccessSection
    unconfirmed: Unconfirmed
    """Updates that Telegram may deliver again; their rows are kept to detect duplicates. While unknown, all stay."""
    _emptied_until: int = field(default=0, init=False)
    """Scrubbed updates that finished before this time (UTC, milliseconds) are deleted."""

    async def clean(self) -> Mapping[str, int]:
        """Delete old data, and return how much of each kind.

        Raises:
            DatabaseError: the database can't be used.
            OSError: a file can't be removed; data without files is deleted before.
        """
        days = self.settings.updates_days
        counts = {
            "unreachable": await self.database.write(unreachable.tidy, durable=False),
            "updates": await self._forget_updates(),
            "sent": await self._delete(days, _sent) + await self._delete(max(days, CARD_DAYS), outbox.prune),
            "failed": await self._delete(max(days, REPORTED_DAYS), requests.prune_failed),
            "requests": await self._delete(self.settings.requests_days, requests.prune),
            "usage": await self._delete(self.settings.usage_days and max(self.settings.usage_days, USAGE_DAYS), _usage),
            "broadcasts": await self._delete(max(days, REPORTED_DAYS), broadcasts.prune),
            "audit": await self._delete(self.settings.audit_days, audit.prune),
            "tool_calls": await self._delete(self._days_of_calls(), tool_calls.prune),
            "errors": await self._delete(self.settings.errors_days, errors.prune),
            "plugin_messages": await self._delete(self.settings.plugin_messages_days, plugin_messages.prune),
            "emptied": await self._forget_emptied(),
            **await self.database.write(self._forget_access),
            "taken_back": await self._forget_taken_back(),
            "messages": await self._forget_messages(),
            "files": await self._forget_unlinked() + await sweep_blobs(self.database, self.storage, self.clock.now()),
            "texts": await PassageStore(self.database).purge(),
            "proposals": await self._delete(PROPOSAL_DAYS, proposals.prune),
            "searches": await self.database.write(lambda conn: drop_old(conn, self._before(SEARCH_DAYS))),
        }
        if await SearchIndex(self.database, self.clock).purge():
            await empty_log(self.database, self.clock)
        if any(counts.values()):
            log.info("retention.cleaned", **counts)
        await asyncio.to_thread(sweep_exports, self.storage.data_dir, self.clock.now())
        await sweep_remote_exports(self.storage, self.clock.now())
        return counts

    async def _delete(self, days: float, delete: Delete) -> int:
        """Delete rows piece by piece, and return their number; 0 days: delete nothing."""
        if not days:
            return 0
        before, gone, last = self._before(days), 0, PIECE
        while last >= PIECE:
            last = await self.database.write(lambda conn: delete(conn, before, PIECE), durable=False)
            gone += last
        return gone

    def _days_of_calls(self) -> float:
        """Return the age of deleted calls: they quote questions and answers, and are kept no longer than these."""
        days = self.settings.tool_calls_days
        return min(days, self.settings.messages_days or days)

    async def _forget_updates(self) -> int:
        spared = self.unconfirmed.ids
        if spared is None:
            return 0
        return await self._delete(
            self.settings.updates_days, lambda conn, before, limit: inbox.prune(conn, before, limit, spared=spared)
        )

    async def _forget_emptied(self) -> int:
        """Delete scrubbed updates, such as those of strangers, an hour after they finished; return their number."""
        spared, before, gone = self.unconfirmed.ids, milliseconds(self.clock) - _HOUR, 0
        if spared is None:
            return 0
        while (since := self._emptied_until) < before:
            dropped, self._emptied_until = await self.database.write(_emptied(since, before, spared), durable=False)
            gone += dropped
        return gone

    def _forget_access(self, conn: Connection) -> dict[str, int]:
        """Delete undecided access requests, old invite links, and approvals of tools that have ended."""
        tool_grants.prune(conn, milliseconds(self.clock))
        question_times.prune(conn, milliseconds(self.clock) - _HOUR, PIECE)
        return {
            "access_requests": pending_access.drop_old(conn, self._before(self.access.request_days)),
            "links": invites.prune(conn, self._before(LINK_DAYS)),
        }

    async def _forget_messages(self) -> int:
        days, gone, last = self.settings.messages_days, 0, PIECE
        if not days:
            return 0
        before = self._before(days)
        while last >= PIECE:
            last = await self._forget(lambda conn: forget_messages(conn, before, PIECE))
            gone += last
        return gone

    async def _forget_taken_back(self) -> int:
        """Delete cleared and undone messages, one conversation at a time, in the order of ids; return their number."""
        days, gone, last = self.settings.cleared_days, 0, 0
        if not days:
            return 0
        before = self._before(days)
        while ids := await self._conversations_after(last):
            for each in ids:
                piece = PIECE
                while piece >= PIECE:
                    piece = await self._forget(_taken_back(each, before))
                    gone += piece
            last = ids[-1]
        return gone

    async def _conversations_after(self, last: int) -> "list[int]":
        return [*await self.database.read(lambda conn: conversations_after(conn, last, PIECE))]

    async def _forget_unlinked(self) -> int:
        """Delete attachments whose question was never stored; return their number."""
        before, gone, last = self._before(UNLINKED_DAYS), 0, PIECE
        while last >= PIECE:
            last, paths = await self.database.write(lambda conn: files.prune_unlinked(conn, before, PIECE))
            await self.storage.remove(paths)
            gone += last
        return gone

    async def _forget(self, piece: Callable[[Connection], Forgotten]) -> int:
        forgotten = await self.database.write(piece)
        await self.storage.remove(forgotten.paths)
        return forgotten.messages

    def _before(self, days: float) -> int:
        return milliseconds(self.clock) - int(days * _DAY)


def _sent(conn: Connection, before: int, limit: int) -> int:
    return outbox.prune(conn, before, limit, spared_turns=f"{CARD}:*")


def _usage(conn: Connection, before: int, limit: int) -> int:
    return usage.prune(conn, f"{datetime.fromtimestamp(before / 1000, UTC):%Y-%m-%d}", limit)


def _emptied(since: int, before: int, spared: Collection[int]) -> Callable[[Connection], tuple[int, int]]:
    return lambda conn: traces.drop_scrubbed(conn, since, before, PIECE, spared=spared)


def _taken_back(conversation_id: int, before: int) -> Callable[[Connection], Forgotten]:
    return lambda conn: forget_taken_back(conn, conversation_id, before, PIECE)
