"""Values that are read when metrics are asked for: queues, the latest backup, plugins."""

import asyncio
import platform
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import tgllm
from tgllm.api import DatabaseError
from tgllm.api.clock import Clock, milliseconds
from tgllm.db.queries.queues import Queues, queues
from tgllm.observe.metrics import table
from tgllm.services.backups.folder import latest_time

if TYPE_CHECKING:
    from tgllm.db.database import Database
    from tgllm.plugins.host import PluginHost

__all__ = ["Sampler"]


class Sampler:
    """Sets the gauges of a bot's state. Those of the queues are left out while the database can't be read."""

    def __init__(self, clock: Clock, backups: Path | None) -> None:
        """Create a sampler; ``backups`` is the folder of the backups, None if the bot makes none."""
        self._clock = clock
        self._backups = backups
        self.database: Database | None = None
        self.host: PluginHost | None = None

    async def sample(self) -> None:
        """Set the gauges."""
        table.BUILD.replace({(tgllm.__version__, platform.python_version()): 1})
        if self.host is not None:
            table.PLUGINS.replace({(each.id, each.version): each.state == "active" for each in self.host.records})
        if self._backups is not None:
            table.BACKUP_TIME.set(await asyncio.to_thread(_latest, self._backups))
        found = None
        if self.database is not None:
            with suppress(DatabaseError):
                found = await self.database.read(queues)
        self._set_queues(found)

    def _set_queues(self, found: Queues | None) -> None:
        if found is None:
            for gauge in (table.INBOX, table.LANES, table.OUTBOX):
                gauge.replace({})
            return
        now = milliseconds(self._clock)
        table.INBOX.replace({("queued",): found.queued, ("running",): found.running})
        table.LANES.replace({("waiting",): found.waiting_lanes, ("running",): found.running})
        outbox = {("ready",): found.ready, ("sending",): found.sending, ("uncertain",): found.uncertain}
        table.OUTBOX.replace(outbox)
        table.OLDEST_UPDATE.set(0 if found.oldest is None else max(0, now - found.oldest) / 1000)


def _latest(folder: Path) -> float:
    """Return when the newest backup was made, in seconds since 1970; 0 if there is none."""
    with suppress(OSError):
        return (latest_time(folder) or 0) / 1000
    return 0
