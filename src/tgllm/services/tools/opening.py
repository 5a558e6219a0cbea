"""Opens the services of tools from the settings."""

from tgllm.api.clock import Clock
from tgllm.config.sections.tools import ToolsSection
from tgllm.i18n import Catalogue
from tgllm.plugins.host import PluginHost
from tgllm.services.errors.reports import Reporter
from tgllm.services.files.storage.store import FileStorage
from tgllm.services.tools.approvals import Approvals
from tgllm.services.tools.call_book import CallBook
from tgllm.services.tools.execution import ToolRunner
from tgllm.services.tools.offering import Offering
from tgllm.services.tools.policy import ToolPolicy
from tgllm.services.tools.services import AskFor, ToolServices, no_one
from tgllm.services.tools.settings import ToolLimits

__all__ = ["open_tools"]


def open_tools(  # noqa: PLR0913  three of them are keyword-only, with defaults
    settings: ToolsSection,
    host: PluginHost,
    clock: Clock,
    texts: Catalogue,
    errors: Reporter,
    policy: ToolPolicy,
    *,
    storage: FileStorage | None = None,
    approvals: Approvals | None = None,
    ask_for: AskFor = no_one,
) -> ToolServices | None:
    """Return the services of tools for turns, which close them; None if models get no tools.

    Args:
        settings: section ``tools`` of the config.
        host: has the tools.
        clock: measures calls.
        texts: words for the models.
        errors: where faults of plugins are reported.
        policy: decides who may use what.
        storage: for files of results; None: they are dropped.
        approvals: asks for approvals; None: calls that need one are refused in words.
        ask_for: returns what asks the person in the middle of a call.
    """
    if not settings.enabled:
        return None
    limits = ToolLimits(settings.max_rounds, settings.max_calls, settings.max_seconds)
    return ToolServices(
        Offering(host, policy, settings.max_schema_tokens),
        CallBook(host, policy, approvals, texts),
        ToolRunner(host, clock, errors, texts, settings.max_result_chars, storage),
        approvals,
        limits,
        ask_for,
    )
