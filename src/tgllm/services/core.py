"""What is open while the program runs, whether or not there is a bot: config, database, plugins, services."""

from dataclasses import dataclass

from tgllm.api.clock import Clock
from tgllm.config.model import Config
from tgllm.db.database import Database
from tgllm.i18n import Catalogue
from tgllm.plugins.host import PluginHost
from tgllm.services.access.service import Access
from tgllm.services.access.user_service import UserService
from tgllm.services.admin_password.service import AdminPassword
from tgllm.services.broadcasts.broadcaster import Broadcaster
from tgllm.services.budgets.message_rate import MessageRate
from tgllm.services.budgets.service import BudgetService
from tgllm.services.common.calendar import Days
from tgllm.services.maintenance.backups import Backups
from tgllm.services.maintenance.unconfirmed import Unconfirmed
from tgllm.services.messaging.admins import AdminNotifier
from tgllm.services.models.pricing import Prices
from tgllm.services.models.registry import ProviderRegistry
from tgllm.services.models.service import ModelService
from tgllm.services.turns.runner import ConversationService
from tgllm.services.turns.running import RunningTurns

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
    budgets: BudgetService
    message_rate: MessageRate
    notifier: AdminNotifier
    models: ModelService
    password: AdminPassword
    backups: Backups
    broadcaster: Broadcaster
