"""Services that turns use."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tgllm.api.clock import Clock
from tgllm.db.database import Database
from tgllm.db.engine.unit import Connection
from tgllm.plugins.host import PluginHost
from tgllm.services.budgets.service import BudgetService
from tgllm.services.errors.reports import LoggedOnly, Reporter
from tgllm.services.files.file_service import FileService
from tgllm.services.models.registry import ProviderRegistry
from tgllm.services.people.standing import may_talk
from tgllm.services.turns.account_alerts import AccountAlerts
from tgllm.services.turns.running import RunningTurns

if TYPE_CHECKING:
    from tgllm.services.tools.services import ToolServices

__all__ = ["MayTalk", "TurnServices"]

MayTalk = Callable[[Connection, int, int, int], bool]
"""Takes the ids of the person and of the chat, and the time; see ``standing.may_talk``."""


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
    account_alerts: AccountAlerts | None
    """Notifies the admins of errors with a provider account; None: the one who asks is told all."""
    files: FileService | None = None
    """Receives and reads the files of questions; None: they have none."""
    may_talk: MayTalk = may_talk
    """Whether a person may use a chat."""
    errors: Reporter = field(default_factory=LoggedOnly)
    """Where unexpected errors are reported."""
    tools: "ToolServices | None" = None
    """Tools for the models; None: they have none."""
