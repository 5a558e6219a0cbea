"""Services of shell commands and of the bot."""

from collections.abc import AsyncGenerator
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass

from tgllm.api.clock import Clock
from tgllm.config.model import Config
from tgllm.db.database import Database
from tgllm.i18n import Catalogue
from tgllm.plugins.host import PluginHost
from tgllm.services.messaging.admins import AdminNotifier
from tgllm.services.models.registry import ProviderRegistry
from tgllm.services.models.service import ModelService, ModelSettings

__all__ = ["Core", "open_services"]


@dataclass(frozen=True, slots=True)
class Core:
    """Settings, database, plugins and the services of shell commands; ``BotCore`` adds those of the bot."""

    config: Config
    clock: Clock
    texts: Catalogue
    database: Database
    host: PluginHost
    registry: ProviderRegistry
    notifier: AdminNotifier
    models: ModelService


@asynccontextmanager
async def open_services(
    config: Config, clock: Clock, texts: Catalogue, database: Database, host: PluginHost
) -> AsyncGenerator[Core]:
    """Open the services of ``Core`` on an open database and host."""
    notifier = AdminNotifier(database, clock, config.admin_chat_id)
    lists = ModelSettings(config.default_model, config.models.list_timeout)
    async with aclosing(ProviderRegistry(host)) as registry:
        yield Core(
            config=config,
            clock=clock,
            texts=texts,
            database=database,
            host=host,
            registry=registry,
            notifier=notifier,
            models=ModelService(database, registry, notifier, clock, texts, lists),
        )
