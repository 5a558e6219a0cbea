"""What every command that opens the program works with, whether or not there is a bot."""

from dataclasses import dataclass
from typing import Final

from tgllm.api.clock import Clock
from tgllm.config.model import Config
from tgllm.db.database import Database
from tgllm.i18n import Catalogue
from tgllm.plugins.host import PluginHost
from tgllm.services.messaging.admins import AdminNotifier
from tgllm.services.models.registry import ProviderRegistry
from tgllm.services.models.service import ModelService

__all__ = ["CORE_COMMANDS", "Core"]

CORE_COMMANDS: Final = frozenset(
    {
        "start",
        "stop",
        "cancel",
        "model",
        "models",
        "system",
        "persona",
        "settings",
        "remember",
        "facts",
        "clear",
        "new",
        "history",
        "retry",
        "undo",
        "fork",
        "continue",
        "usage",
        "export",
        "groupmode",
        "forget",
        "admin",
    }
)
"""Names of the bot's own chat commands, which no plugin can have; the commands themselves stand in ``bot``."""


@dataclass(frozen=True, slots=True)
class Core:
    """Opened and closed by ``tgllm.app.open_core``; the bot's services are put on top of it, see ``BotCore``."""

    config: Config
    clock: Clock
    texts: Catalogue
    database: Database
    host: PluginHost
    registry: ProviderRegistry
    notifier: AdminNotifier
    models: ModelService
