"""``tgllm doctor``: diagnosis of settings, database, plugins and providers."""

import asyncio
from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated

import typer

from tgllm.api import Check
from tgllm.app import open_core
from tgllm.cli.core import config_problems
from tgllm.cli.options import Options, options_of
from tgllm.cli.output import JsonOption, print_json, print_table
from tgllm.config.exposure import exposed_files, exposure_text
from tgllm.config.load import LoadedConfig
from tgllm.services.core import Core
from tgllm.services.doctor import examine

__all__ = ["app"]

app = typer.Typer(rich_markup_mode=None, add_completion=False)


@app.command()
def doctor(
    ctx: typer.Context,
    *,
    offline: Annotated[bool, typer.Option("--offline", help="Send no requests to Telegram and providers.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Diagnose settings, database, Telegram, plugins and providers.

    Telegram is asked for the bot's account. Each provider with a key is asked for its models and, if supported, for the
    account's balance; this costs nothing. Exits with 1 if a check fails.
    """
    options = options_of(ctx)
    options.quiet_log()
    checks = asyncio.run(_examine(options, online=not offline))
    if as_json:
        print_json([asdict(check) for check in checks])
    else:
        print_table(("Check", "State", "Detail"), ((check.name, check.state, check.detail) for check in checks))
    if any(check.state == "failed" for check in checks):
        raise typer.Exit(1)


async def _examine(options: Options, *, online: bool) -> Sequence[Check]:
    loaded = options.load()
    async with open_core(loaded, plugins=options.plugins) as core:
        telegram, found = await asyncio.gather(
            _telegram(core, online=online), examine(core, config_problems(core), online=online)
        )
        return [*found, *telegram, _permissions(core, loaded)]


async def _telegram(core: Core, *, online: bool) -> Sequence[Check]:
    token = core.config.bot_token
    if not online or token is None:
        return ()
    from tgllm.bot.telegram.self_check import check_telegram  # noqa: PLC0415  imports aiogram

    return (await check_telegram(token.get_secret_value(), core.config.telegram_api),)


def _permissions(core: Core, loaded: LoadedConfig) -> Check:
    found = [exposure_text(core.texts, each) for each in exposed_files(loaded)]
    return Check("Permissions", "warning" if found else "ok", " ".join(found))
