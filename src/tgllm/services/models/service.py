"""Sync of the model lists: fetches them from all providers, stores them, and notifies the admins of changes."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from tgllm.api import ModelRef
from tgllm.api.clock import Clock, milliseconds
from tgllm.db.database import Database
from tgllm.db.engine.unit import Connection
from tgllm.db.tables import models
from tgllm.i18n import Catalogue
from tgllm.observe.logs import get_logger
from tgllm.services.messaging.admins import AdminNotifier
from tgllm.services.models.diff import ProviderReport, SyncReport, store_models
from tgllm.services.models.listing import Listed, pull_models
from tgllm.services.models.news import news_of
from tgllm.services.models.registry import ProviderRegistry

__all__ = ["ModelService", "ModelSettings", "Progress"]

log = get_logger(__name__)

MISSING_SECONDS = 10.0
"""Maximum timeout of a provider's model list while a person waits for it in a chat."""

Progress = Callable[[str, ProviderReport | int], None]
"""Callback for each provider, with its id and the number of its models or a failure report, before lists are stored."""


@dataclass(frozen=True, slots=True)
class ModelSettings:
    """Operator's settings for the model lists."""

    default_model: str
    """Default model of the config."""
    list_seconds: float
    """Timeout of a provider's model list."""


class ModelService:
    """Service for the model lists."""

    def __init__(
        self,
        database: Database,
        registry: ProviderRegistry,
        notifier: AdminNotifier,
        clock: Clock,
        texts: Catalogue,
        settings: ModelSettings,
    ) -> None:
        self._database = database
        self._registry = registry
        self._notifier = notifier
        self._clock = clock
        self._texts = texts
        self._settings = settings

    async def pull_and_sync_models(
        self, *, announce: bool = False, progress: Progress = lambda _provider, _result: None
    ) -> SyncReport:
        """Fetch the model lists of all providers concurrently, and store them in one transaction.

        The stored list is kept if a provider fails, times out, or returns an empty list.

        Args:
            announce: whether to notify the admins of changes, in the same transaction.
            progress: called for each provider when its list was fetched.

        Raises:
            DatabaseError: the lists can't be stored.
        """
        began = self._clock.monotonic()
        pulled = await self._pull_all(self._registry.ids, self._settings.list_seconds, progress)
        now = milliseconds(self._clock)
        report = await self._database.write(lambda conn: self._store(conn, pulled, now, announce=announce))
        for failed in report.failed:
            log.warning("models.failed", provider=failed.provider, reason=failed.reason)
        log.info(
            "models.synced",
            providers={entry.provider: entry.listed for entry in report.providers},
            duration_ms=round((self._clock.monotonic() - began) * 1000),
        )
        return report

    async def fill_missing(self) -> None:
        """Fetch and store the lists of providers without stored models.

        This makes models available if lists are never refreshed, or if a plugin was installed since the last refresh.

        Raises:
            DatabaseError: the lists can't be stored.
        """
        stored = await self._database.read(models.list_all)
        missing = set(self._registry.ids) - {model.provider for model in stored}
        seconds = min(self._settings.list_seconds, MISSING_SECONDS)
        pulled = [found for found in await self._pull_all(missing, seconds) if isinstance(found, Listed)]
        if pulled:
            now = milliseconds(self._clock)
            await self._database.write(lambda conn: _store_lists(conn, pulled, now))

    async def _pull_all(
        self, providers: Iterable[str], seconds: float, progress: Progress = lambda _provider, _result: None
    ) -> Sequence[ProviderReport | Listed]:
        async def pull(provider: str) -> ProviderReport | Listed:
            result = await pull_models(self._registry, provider, seconds)
            progress(provider, len(result.models) if isinstance(result, Listed) else result)
            return result

        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(pull(provider), name=f"models {provider}") for provider in providers]
        return [task.result() for task in tasks]

    def _store(
        self, conn: Connection, pulled: Sequence[ProviderReport | Listed], now: int, *, announce: bool
    ) -> SyncReport:
        before = self._default(conn)
        reports = [
            store_models(conn, result.provider, result.models, now) if isinstance(result, Listed) else result
            for result in pulled
        ]
        lost = before if before is not None and _is_retired(conn, before) else None
        report = SyncReport(reports, lost)
        if announce and report.is_news:
            self._notifier.add(conn, news_of(report, self._texts, self._settings.default_model))
        return report

    def _default(self, conn: Connection) -> ModelRef | None:
        """Return the stored default model; None if it is not listed."""
        chosen = models.default(conn)
        if chosen is None:
            chosen = models.find(conn, self._registry.canonical(ModelRef.parse(self._settings.default_model)))
        return None if chosen is None or chosen.retired_at is not None else chosen.ref


def _store_lists(conn: Connection, pulled: Iterable[Listed], now: int) -> None:
    for listed in pulled:
        store_models(conn, listed.provider, listed.models, now)


def _is_retired(conn: Connection, ref: ModelRef) -> bool:
    model = models.get(conn, ref)
    return model is not None and model.retired_at is not None
