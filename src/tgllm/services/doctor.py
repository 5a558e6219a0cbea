"""Checks of configuration, plugins and providers for ``tgllm doctor``."""

import asyncio
import difflib
from collections.abc import Sequence
from contextlib import aclosing
from typing import cast

from tgllm.api import Check, ModelInfo, ModelNotFound
from tgllm.i18n import languages, speaks
from tgllm.plugins.calls.outcome import Outcome, Raised, Returned, TimedOut, contract_error, explain
from tgllm.plugins.calls.runner import HookRunner
from tgllm.plugins.checks.doctor import check_doctor
from tgllm.providers.proxies import find_http_proxy
from tgllm.services.core import Core
from tgllm.services.maintenance.storage_check import check_storage
from tgllm.services.models.readiness import effective_default, look_at_models
from tgllm.services.models.registry import ProviderStatus
from tgllm.services.reading.missing import missing_commands

__all__ = ["examine"]

ASK_SECONDS = 20.0
"""Timeout of the checks of one provider."""
GRACE_SECONDS = 1.0
"""Time for the clean-up of a check that was cancelled by its timeout."""


async def examine(core: Core, problems: Sequence[str] = (), *, online: bool = True) -> Sequence[Check]:
    """Run all checks, and return them in the order of display.

    Args:
        core: the opened core; opening it has checked the database and most of the config.
        problems: errors in the rest of the config; the bot does not start with any.
        online: also query the providers, which needs the network and the API keys; it uses no tokens.
    """
    config = Check("Config", "failed", " ".join(problems)) if problems else Check("Config", "ok")
    checks = [
        config,
        *await check_storage(core.database, core.clock),
        _token(core),
        _telegram_proxy(core),
        _owners(core),
        await _default_model(core),
        _language(core),
        _files(core),
    ]
    checks += [
        Check(f"Plugin {record.id}", "warning" if record.note or record.state != "active" else "ok", record.note)
        for record in core.host.records
    ]
    checks += [check for _, check in await core.host.doctor()]
    if online:
        found = await asyncio.gather(*(_ask(core, status) for status in await core.registry.statuses()))
        checks += [check for several in found for check in several]
    return checks


def _token(core: Core) -> Check:
    if core.config.bot_token is None:
        return Check("Bot token", "not configured", "run tgllm init, or set TGLLM_BOT_TOKEN")
    return Check("Bot token", "ok", "set")


def _telegram_proxy(core: Core) -> Check:
    proxy, problem = find_http_proxy(core.config.telegram_api)
    if problem:
        return Check("Telegram: proxy", "warning", f"none: {problem}; the connection to Telegram does not use it")
    return Check("Telegram: proxy", "ok", str(proxy) if proxy else "none")


def _owners(core: Core) -> Check:
    if not core.config.admin_ids:
        return Check("Admins", "warning", "no admin is named: set admin_ids to your Telegram user id")
    return Check("Admins", "ok", f"{len(core.config.admin_ids)} named in the config")


async def _default_model(core: Core) -> Check:
    found = await look_at_models(core.registry, core.database, core.config.default_model)
    if found.problem:
        return Check("Default model", "failed", f"{found.model}: {found.problem}")
    if found.is_echo:
        return Check("Default model", "warning", found.sentences(core.texts)[0])
    return Check("Default model", "ok", found.model)


def _language(core: Core) -> Check:
    """Only a warning: plugins may bring texts in other languages."""
    spoken, chosen = ", ".join(sorted(languages())), core.config.language
    if speaks(chosen):
        return Check("Language", "ok", chosen)
    return Check("Language", "warning", f"the bot does not speak {chosen}, and uses en; it speaks {spoken}")


def _files(core: Core) -> Check:
    missing = missing_commands(owned.handler for owned in core.host.file_handlers)
    if not missing:
        return Check("Files", "ok", "what their readers need is installed")
    parts = [f"{', '.join(modules)} (install: {command})" for command, modules in missing.items()]
    return Check("Files", "warning", f"some are not read, because of missing modules: {'; '.join(parts)}")


async def _ask(core: Core, status: ProviderStatus) -> Sequence[Check]:
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
