"""Checks of providers: their models, their own checks, and where they are in the network."""

import difflib
from collections.abc import Iterator, Sequence
from contextlib import aclosing
from typing import cast

from pydantic import SecretStr

from tgllm.api import Check, ModelInfo, ModelNotFound
from tgllm.plugins.calls.outcome import Outcome, Raised, Returned, TimedOut, contract_error, explain
from tgllm.plugins.calls.runner import HookRunner
from tgllm.plugins.checks.doctor import check_doctor
from tgllm.services.core import Core
from tgllm.services.diagnosis.network import Target
from tgllm.services.models.readiness import effective_default
from tgllm.services.models.registry import ProviderStatus

__all__ = ["ask_provider", "targets"]

ASK_SECONDS = 20.0
"""Timeout of the checks of one provider."""
GRACE_SECONDS = 1.0
"""Time for the clean-up of a check that was cancelled by its timeout."""


def targets(core: Core, ready: Sequence[ProviderStatus]) -> Iterator[Target]:
    """Yield the servers of these providers, as far as their settings name an address."""
    settings = {owned.spec.id: owned.context.settings for owned in core.host.providers}
    for status in ready:
        given = settings.get(status.id)
        url = next((getattr(given, name, None) for name in ("address", "base_url") if getattr(given, name, None)), None)
        if isinstance(url, str) and url.startswith(("http://", "https://")):
            yield Target(status.title, url, _text(getattr(given, "proxy", None)))


def _text(value: object) -> str | None:
    """Return a text, which a setting may hide; None for anything else."""
    shown = value.get_secret_value() if isinstance(value, SecretStr) else value
    return shown if isinstance(shown, str) else None


async def ask_provider(core: Core, status: ProviderStatus) -> Sequence[Check]:
    """Return the checks of one provider."""
    name = f"Provider {status.id}"
    if status.state != "ready":
        state = "not configured" if status.state == "not configured" else "failed"
        return (Check(name, state, status.reason),)
    async with aclosing(HookRunner(ASK_SECONDS, GRACE_SECONDS)) as runner:
        outcome = cast("Outcome[Sequence[Check]]", await runner.call(_answers, core, status, name))
    match outcome:
        case Returned(checks):
            return checks
        case TimedOut(seconds):
            return (Check(name, "failed", f"no answer within {seconds:g} s"),)
        case Raised(error):
            sound = contract_error(error)
            return (Check(name, "failed", str(sound) if sound else f"a mistake in its plugin: {explain(error)}"),)


async def _answers(core: Core, status: ProviderStatus, name: str) -> Sequence[Check]:
    provider = await core.registry.provider(status.id)
    models = await provider.list_models()
    listed = await _listed(core, status.id, models)
    found = check_doctor("doctor of the provider", await provider.doctor())
    return (Check(name, "ok", core.texts("admin.models.count", "en", count=len(models))), *listed, *found)


async def _listed(core: Core, provider: str, models: Sequence[ModelInfo]) -> Sequence[Check]:
    """Check that the default model is in the list that its provider has just sent."""
    try:
        default = await effective_default(core.registry, core.database, core.config.default_model)
    except ModelNotFound:
        return ()
    names = {name for model in models for name in (model.id, *model.aliases)}
    if default.provider != provider or default.model in names:
        return ()
    near = difflib.get_close_matches(default.model, names, n=1)
    hint = f"did you mean {provider}/{near[0]}?" if near else "choose another one with: tgllm models default"
    return (Check("Default model listed", "failed", f"{provider} has no model {default.model!r}; {hint}"),)
