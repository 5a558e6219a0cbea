"""What is open while the program runs, whether or not there is a bot: config, database, plugins, services."""

from dataclasses import dataclass

from tgllm.api.clock import Clock
from tgllm.config.model import Config
from tgllm.db.database import Database
from tgllm.i18n import Catalogue
from tgllm.plugins.host import PluginHost
from tgllm.services.access import Access
from tgllm.services.admin_password import AdminPassword
from tgllm.services.backups import Backups
from tgllm.services.broadcaster import Broadcaster
from tgllm.services.conversation import ConversationService
from tgllm.services.days import Days
from tgllm.services.message_rate import MessageRate
from tgllm.services.model_service import ModelService
from tgllm.services.notify import AdminNotifier
from tgllm.services.pricing import Prices
from tgllm.services.quota import QuotaService
from tgllm.services.registry import ProviderRegistry
from tgllm.services.running import RunningTurns
from tgllm.services.unconfirmed import Unconfirmed
from tgllm.services.user_service import UserService

__all__ = ["Core"]


@dataclass(frozen=True, slots=True)
class Core:
    """Made and closed by ``tgllm.app.open_core``."""

    config: Config
    clock: Clock
    texts: Catalogue
    database: Database
    host: PluginHost
    registry: ProviderRegistry
    users: UserService
    access: Access
    running: RunningTurns
    unconfirmed: Unconfirmed
    conversations: ConversationService
    prices: Prices
    days: Days
    quota: QuotaService
    message_rate: MessageRate
    notifier: AdminNotifier
    models: ModelService
    password: AdminPassword
    backups: Backups
    broadcaster: Broadcaster
