"""``tgllm upgrade``: whether plugins, settings and database fit a version of tgllm."""

import asyncio
import shlex
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from tgllm import __version__
from tgllm.api import Check
from tgllm.api.clock import SystemClock
from tgllm.api.errors import ConfigError
from tgllm.cli.options import Options, options_of
from tgllm.cli.output import JsonOption, print_json, print_table, say
from tgllm.config.load import LoadedConfig
from tgllm.database_place import database_place
from tgllm.i18n import Catalogue
from tgllm.observe.installation import clone_folder, place_of
from tgllm.observe.logs import get_logger
from tgllm.plugins.discovery import discover
from tgllm.plugins.host import PluginHost
from tgllm.plugins.loading.assemble import PluginChoice
from tgllm.plugins.loading.clashes import CORE_COMMANDS
from tgllm.plugins.loading.contexts import HostServices
from tgllm.plugins.loading.records import PluginRecord
from tgllm.plugins.requirements import is_version
from tgllm.services.upgrade_check import Target, check_database, check_plugins

__all__ = ["app"]

app = typer.Typer(rich_markup_mode=None, add_completion=False)


def _version(text: str) -> str:
    if not is_version(text):
        raise typer.BadParameter(f"{text} is no version; write one such as 1.2 or 1.2.0")
    return text


@app.command()
def upgrade(
    ctx: typer.Context,
    *,
    check: Annotated[bool, typer.Option("--check", help="Check only, without the hint how to upgrade.")] = False,
    to: Annotated[
        str | None,
        typer.Option(
            "--to", metavar="VERSION", help="The version to check; the installed one by default.", parser=_version
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Check whether plugins, settings and database fit a version of tgllm, before or after an upgrade.

    The check changes nothing. Each plugin's package says which versions of tgllm it allows; --to asks for a version
    that is not installed yet. Exits with 1 if a check fails.
    """
    options = options_of(ctx)
    options.quiet_log()
    target = Target(to or __version__)
    checked = "" if target.is_this else f", {target.version} is checked"
    checks = [Check("tgllm", "ok", f"{__version__} is installed{checked}"), *_examine(options, target)]
    failed = any(each.state == "failed" for each in checks)
    if as_json:
        print_json(
            {"installed": __version__, "checked": target.version, "ok": not failed, "checks": list(map(asdict, checks))}
        )
    else:
        print_table(("Check", "State", "Detail"), ((each.name, each.state, each.detail) for each in checks))
        if not check:
            packages = sorted({found.package for found in discover()})
            places = " ".join(shlex.quote(place_of(package)) for package in ["tgllm", *packages])
            clone = clone_folder()
            if clone is None:
                say(Catalogue()("shell.upgrade_how", packages=places))
            else:
                say(Catalogue()("shell.upgrade_how_clone", packages=places, folder=clone))
    raise typer.Exit(int(failed))


def _examine(options: Options, target: Target) -> Sequence[Check]:
    try:
        loaded = options.load()
    except ConfigError as error:
        # Without the settings, neither the data folder nor the plugins' own settings are known.
        return [Check("Settings", "failed", line) for line in str(error).splitlines()]
    config = loaded.config
    records = asyncio.run(_records(loaded, plugins=options.plugins))
    return [
        Check("Settings", "ok", str(loaded.path or "")),
        *check_database(database_place(config), config.backups_folder, SystemClock().now()),
        *check_plugins(records, target),
    ]


async def _records(loaded: LoadedConfig, *, plugins: bool) -> tuple[PluginRecord, ...]:
    """Load the plugins without the database: opening it would update it."""
    config = loaded.config
    services = HostServices(
        None, Path(config.data_dir), SystemClock(), Catalogue(config.language), get_logger, config.language
    )
    choice = PluginChoice(others=plugins, disabled=frozenset(config.disable_plugins))
    host = await PluginHost.load(
        discover(), services, settings=loaded.plugins, choice=choice, reserved_commands=CORE_COMMANDS
    )
    async with host:
        return host.records
