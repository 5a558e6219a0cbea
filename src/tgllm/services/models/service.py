"""Keeps the lists of models: asks all providers, stores what they say, and tells the admins what is different."""

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
"""How long a provider has at most to list its models while somebody waits for them in a chat."""

Progress = Callable[[str, ProviderReport | int], None]
"""Called with a provider's id and how many models it lists, or why it lists none; nothing is stored yet."""


@dataclass(frozen=True, slots=True)
class ModelSettings:
    """What the operator sets for the lists."""

    default_model: str
    """Answers where no other default was chosen."""
    list_seconds: float
    """How long a provider has to list its models."""


class ModelService:
    """The lists of models."""

    def __init__(
        self,
        database: Database,
        registry: ProviderRegistry,
        notifier: AdminNotifier,
        clock: Clock,
        texts: Catalogue,
        settings: ModelSettings,
    ) -> None:
        """Put the parts together."""
        self._database = database
        self._registry = registry
        self._notifier = notifier
        self._clock = clock
        self._texts = texts
        self._settings = settings

    async def pull_and_sync_models(
        self, *, announce: bool = False, progress: Progress = lambda _provider, _result: None
    ) -> SyncReport:
        """Ask all providers for their models, side by side, and store what they say in one transaction.

        A provider that fails, is too slow or lists nothing where it had models keeps its old list.

        Args:
            announce: whether the admins are told what is different; the message is in the same transaction.
            progress: told of each provider when it has answered.

        Raises:
            DatabaseError: nothing could be stored.
        """
        pulled = await self._pull_all(self._registry.ids, self._settings.list_seconds, progress)
        now = milliseconds(self._clock)
        report = await self._database.write(lambda conn: self._store(conn, pulled, now, announce=announce))
        for failed in report.failed:
            log.warning("models.failed", provider=failed.provider, reason=failed.reason)
        log.info("models.synced", providers={entry.provider: entry.listed for entry in report.providers})
        return report

    async def fill_missing(self) -> None:
        """Ask the providers of which no model is stored yet, and store what they say.

        Where the lists are never refreshed, or a plugin was installed since, people can choose its models all the same.

        Raises:
            DatabaseError: nothing could be stored.
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
        """The stored model that answers by default; None where the list does not have it."""
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
