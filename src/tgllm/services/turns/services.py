"""Services that turns use."""

from dataclasses import dataclass, field

from tgllm.api.clock import Clock
from tgllm.db.database import Database
from tgllm.plugins.host import PluginHost
from tgllm.services.budgets.service import BudgetService
from tgllm.services.errors.reports import LoggedOnly, Reporter
from tgllm.services.files.file_service import FileService
from tgllm.services.models.registry import ProviderRegistry
from tgllm.services.turns.account_alerts import AccountAlerts
from tgllm.services.turns.running import RunningTurns

__all__ = ["TurnServices"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnServices:
    """Services that turns use; the same for all turns."""

    database: Database
    clock: Clock
    registry: ProviderRegistry
    """Providers by id."""
    host: PluginHost
    """For the hooks around a turn."""
    running: RunningTurns
    budgets: BudgetService
    """Reserves and settles the usage of a turn."""
    account_alerts: AccountAlerts
    """Notifies the admins of errors with a provider account."""
    files: FileService | None = None
    """Receives and reads the files of questions; None: they have none."""
    errors: Reporter = field(default_factory=LoggedOnly)
    """Where unexpected errors are reported."""
