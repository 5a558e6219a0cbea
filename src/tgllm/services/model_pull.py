"""Asks one provider for its models; whatever goes wrong is told in the result."""

from collections.abc import Sequence
from dataclasses import dataclass

from tgllm.api import NotConfigured, TgllmError
from tgllm.db.tables.models import NewModel
from tgllm.plugins.calls.outcome import Breach, Raised, value_of
from tgllm.plugins.calls.runner import HookRunner
from tgllm.services.common.text import sentence
from tgllm.services.models.diff import ProviderReport
from tgllm.services.models.listing import checked_models
from tgllm.services.models.registry import ProviderRegistry

__all__ = ["Listed", "pull_models"]

GRACE_SECONDS = 2.0
"""How long a call that was cancelled has for its clean-up."""


@dataclass(frozen=True, slots=True)
class Listed:
    """What a provider lists."""

    provider: str
    models: Sequence[NewModel]


async def pull_models(registry: ProviderRegistry, provider: str, seconds: float) -> ProviderReport | Listed:
    """The models that a provider lists, or why it lists none.

    Args:
        registry: where the provider is found.
        provider: its id.
        seconds: how long it has to answer.
    """
    runner = HookRunner(seconds, GRACE_SECONDS)
    try:
        source = await registry.provider(provider)
        outcome = await runner.call(source.list_models)
        if isinstance(outcome, Raised) and isinstance(outcome.error, TgllmError):
            raise outcome.error
        return Listed(provider, checked_models(provider, value_of(outcome, "list_models")))
    except NotConfigured as error:
        return ProviderReport(provider, "not configured", sentence(error))
    except (TgllmError, Breach) as error:
        return ProviderReport(provider, "failed", sentence(error))
    finally:
        await runner.aclose()
