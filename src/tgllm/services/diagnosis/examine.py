"""All checks of ``tgllm doctor``, in the order of display."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence

from tgllm.api import Check
from tgllm.api.clock import Clock, milliseconds
from tgllm.config.model import Config
from tgllm.database_place import database_place
from tgllm.db.looking import is_running
from tgllm.i18n import Catalogue, languages, speaks
from tgllm.plugins.loading.records import PluginRecord
from tgllm.providers.proxies import find_http_proxy
from tgllm.services.common.reception import failing
from tgllm.services.core import Core
from tgllm.services.diagnosis.disk import check_backups, check_database_file, check_disk, check_running
from tgllm.services.diagnosis.machine import check_clock, check_machine
from tgllm.services.diagnosis.network import Target, reach
from tgllm.services.diagnosis.probes import SECONDS, Probe, in_thread
from tgllm.services.diagnosis.providers import ask_provider, targets
from tgllm.services.diagnosis.server import check_server
from tgllm.services.diagnosis.webhook import check_webhook
from tgllm.services.errors.sentry import check_sentry
from tgllm.services.files.storage.opening import try_storage
from tgllm.services.files.storage.remote import StorageUnavailable
from tgllm.services.maintenance.storage_check import check_storage
from tgllm.services.models.readiness import look_at_fallbacks, look_at_models
from tgllm.services.reading.missing import missing_commands

__all__ = ["core_probes", "machine_probes"]

INTEGRITY_SECONDS = 60.0
PROVIDERS_SECONDS = 90.0
"""Time limit of all providers together: their creation may import SDKs, and each has time limits of its own."""

Look = Callable[[], Sequence[Check]]


def machine_probes(config: Config, clock: Clock, texts: Catalogue, *, online: bool) -> Sequence[Probe]:
    """Return the checks that need neither database nor plugins.

    Args:
        config: the settings.
        clock: the clock, which is compared with Telegram's.
        texts: the catalogue.
        online: whether the way to Telegram is tried too.
    """
    plain: Mapping[str, Look] = {
        "Disk": lambda: check_disk(config, texts),
        "Database integrity": lambda: check_database_file(config, texts),
        "Database server": lambda: check_server(config, clock, texts),
        "Backups": lambda: check_backups(config, clock.now(), texts),
        "Bot": lambda: check_running(config, texts),
        "Python": lambda: check_machine(texts),
        "Sentry": lambda: _sentry(config),
    }
    probes = [_threaded(name, look, texts) for name, look in plain.items()]
    if online:
        probes.append(Probe("Network: Telegram", lambda: _way_to_telegram(config, clock, texts), 60.0))
        probes.append(Probe("Webhook", lambda: check_webhook(config, texts), 60.0))
    return probes


def core_probes(core: Core, problems: Sequence[str] = (), *, online: bool = True) -> Sequence[Probe]:
    """Return the checks of settings, database, plugins and providers.

    Args:
        core: the opened core; opening it has checked the database and most of the config.
        problems: errors in the rest of the config; the bot does not start with any.
        online: also query the providers, which needs the network and the API keys; it uses no tokens.
    """
    config = Check("Config", "failed", " ".join(problems)) if problems else Check("Config", "ok")
    probes = [
        Probe("Config", _of(lambda: config)),
        Probe("Database", lambda: check_storage(core.database, core.config.data_dir, core.clock)),
        Probe("Bot token", _of(lambda: _token(core))),
        Probe("Telegram: proxy", _of(lambda: _telegram_proxy(core))),
        Probe("Admins", _of(lambda: _owners(core))),
        Probe("Default model", lambda: _default_model(core)),
        Probe("Fallback models", lambda: _fallbacks(core)),
        Probe("Language", _of(lambda: _language(core))),
        Probe("Files", _of(lambda: _files(core))),
        Probe("Reception", lambda: _reception(core)),
        *map(_plugin, core.host.records),
        Probe("Plugins", lambda: _plugins(core), 60.0),
    ]
    if online:
        probes.append(Probe("Providers", lambda: _providers(core), PROVIDERS_SECONDS))
        if core.config.s3.bucket is not None:
            probes.append(Probe("File storage", lambda: _storage(core), 120.0))
    return probes


def _of(look: Callable[[], Check]) -> Callable[[], Awaitable[Sequence[Check]]]:
    async def found() -> Sequence[Check]:
        return (look(),)

    return found


def _threaded(name: str, look: Look, texts: Catalogue) -> Probe:
    seconds = INTEGRITY_SECONDS if name == "Database integrity" else SECONDS
    # The thread has the time limit; the probe's own one is never reached first.
    return Probe(name, lambda: in_thread(name, look, texts, seconds), 2 * seconds)


def _sentry(config: Config) -> Sequence[Check]:
    found = check_sentry(config.errors)
    return () if found is None else (found,)


async def _way_to_telegram(config: Config, clock: Clock, texts: Catalogue) -> Sequence[Check]:
    found = await reach(Target("Telegram", config.telegram_api, is_telegram=True), clock, texts)
    return (found.check, check_clock(found.skew, config.telegram_api, texts))


def _plugin(record: PluginRecord) -> Probe:
    name, note = f"Plugin {record.id}", record.note
    return Probe(name, _of(lambda: Check(name, "warning" if note or record.state != "active" else "ok", note)))


async def _plugins(core: Core) -> Sequence[Check]:
    return [check for _, check in await core.host.doctor()]


async def _providers(core: Core) -> Sequence[Check]:
    """Ask all providers for their models, and go the way to their servers, all at the same time."""
    statuses = await core.registry.statuses()
    ready = [status for status in statuses if status.state == "ready"]
    asked, ways = await asyncio.gather(
        asyncio.gather(*(ask_provider(core, status) for status in statuses)),
        asyncio.gather(*(reach(target, core.clock, core.texts) for target in targets(core, ready))),
    )
    return [*(check for several in asked for check in several), *(way.check for way in ways)]


async def _storage(core: Core) -> Sequence[Check]:
    try:
        await try_storage(core.config)
    except StorageUnavailable as error:
        return (Check("File storage", "failed", str(error)),)
    return (Check("File storage", "ok", f"{core.config.s3.bucket}/{core.config.s3.prefix}"),)


async def _reception(core: Core) -> Sequence[Check]:
    """Return a failed check if the bot runs and receives nothing."""
    now = milliseconds(core.clock)
    found = await core.database.read(lambda conn: failing(conn, now))
    if found is None or not await asyncio.to_thread(is_running, database_place(core.config)):
        return ()
    minutes = max(1, (now - found.since) // 60_000)
    return (Check("Reception", "failed", core.texts("shell.not_receiving", count=minutes, reason=found.reason)),)


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


async def _default_model(core: Core) -> Sequence[Check]:
    found = await look_at_models(core.registry, core.database, core.config.default_model)
    if found.problem:
        return (Check("Default model", "failed", f"{found.model}: {found.problem}"),)
    if found.is_echo:
        return (Check("Default model", "warning", found.sentences(core.texts)[0]),)
    return (Check("Default model", "ok", found.model),)


async def _fallbacks(core: Core) -> Sequence[Check]:
    """Return a check for each fallback that can't answer; none without fallbacks."""
    config = core.config
    if problems := await look_at_fallbacks(core.registry, core.database, config):
        return [Check("Fallback models", "warning", f"{model}: {reason}") for model, reason in problems.items()]
    return (Check("Fallback models", "ok", ", ".join(config.fallbacks)),) if config.fallbacks else ()


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
