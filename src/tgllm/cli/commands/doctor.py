"""``tgllm doctor``: diagnosis of everything that a bot needs."""

import asyncio
from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated

import typer

from tgllm.api import Check
from tgllm.api.clock import SystemClock
from tgllm.api.errors import ConfigError, TgllmError
from tgllm.app import open_core
from tgllm.cli.core import config_problems
from tgllm.cli.failure import tell
from tgllm.cli.options import Options, options_of
from tgllm.cli.output import JsonOption, print_json, print_table
from tgllm.config.exposure import exposed_files, exposure_text
from tgllm.config.load import LoadedConfig
from tgllm.database_place import database_place
from tgllm.db.looking import is_running
from tgllm.i18n import Catalogue
from tgllm.services.common.own_webhook import own_url
from tgllm.services.core import Core
from tgllm.services.diagnosis.examine import core_probes, machine_probes
from tgllm.services.diagnosis.machine import check_machine
from tgllm.services.diagnosis.probes import Probe, run_probes

__all__ = ["app"]

app = typer.Typer(rich_markup_mode=None, add_completion=False)


@app.command()
def doctor(
    ctx: typer.Context,
    *,
    offline: Annotated[bool, typer.Option("--offline", help="Send no requests to Telegram and providers.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Diagnose everything that the bot needs.

    These are settings, database, disk, network, clock, Telegram, plugins and providers. Telegram is asked for the bot's
    account, and each provider with a key for its models and, if supported, for the account's balance; this costs
    nothing and changes nothing. The bot may be running. Each problem says how to mend it.

    Exits with 1 if a check fails, and with 2 if the settings can't be loaded; warnings don't count.
    """
    options = options_of(ctx)
    options.quiet_log()
    checks, code = _checks(options, online=not offline)
    if as_json:
        print_json([asdict(check) for check in checks])
    else:
        print_table(("Check", "State", "Detail"), ((check.name, check.state, check.detail) for check in checks))
    if code or any(check.state == "failed" for check in checks):
        raise typer.Exit(code or 1)


def _checks(options: Options, *, online: bool) -> tuple[Sequence[Check], int]:
    try:
        loaded = options.load()
    except ConfigError as error:
        tell(str(error))
        return [Check("Config", "failed", str(error)), *check_machine(Catalogue())], 2
    return asyncio.run(_examine(options, loaded, online=online)), 0


async def _examine(options: Options, loaded: LoadedConfig, *, online: bool) -> Sequence[Check]:
    texts = Catalogue(loaded.config.language)
    outside = [
        *machine_probes(loaded.config, SystemClock(), texts, online=online),
        Probe("Permissions", lambda: _permissions(loaded, texts)),
    ]
    try:
        async with open_core(loaded, plugins=options.plugins) as core:
            telegram = await _telegram(loaded, texts, await core.database.read(own_url), online=online)
            return await _with_core(core, [*outside, *telegram], online=online)
    except TgllmError as error:
        telegram = await _telegram(loaded, texts, "", online=online)
        # The rest may say why, such as a disk that is full.
        tell(str(error))
        return [Check("Database", "failed", str(error)), *await run_probes([*outside, *telegram], texts)]


async def _with_core(core: Core, outside: Sequence[Probe], *, online: bool) -> Sequence[Check]:
    return await run_probes([*core_probes(core, config_problems(core), online=online), *outside], core.texts)


async def _telegram(loaded: LoadedConfig, texts: Catalogue, own_webhook: str, *, online: bool) -> Sequence[Probe]:
    config = loaded.config
    token = config.bot_token
    if not online or token is None:
        return ()
    from tgllm.bot.telegram.self_check import SelfCheck, check_telegram  # noqa: PLC0415  imports aiogram

    wanted = SelfCheck(
        token.get_secret_value(),
        config.telegram_api,
        config.admin_ids,
        config.admin_chat_id,
        await _bot_runs(loaded),
        config.webhook.url or "",
        own_webhook,
    )
    return (Probe("Telegram", lambda: check_telegram(wanted, texts), 60.0),)


async def _bot_runs(loaded: LoadedConfig) -> bool:
    """Return whether the bot runs; also if that can't be found out, since what runs must not be disturbed."""
    try:
        return await asyncio.to_thread(is_running, database_place(loaded.config))
    except TgllmError:
        return True


async def _permissions(loaded: LoadedConfig, texts: Catalogue) -> Sequence[Check]:
    found = [exposure_text(texts, each) for each in exposed_files(loaded)]
    return (Check("Permissions", "warning" if found else "ok", " ".join(found)),)
