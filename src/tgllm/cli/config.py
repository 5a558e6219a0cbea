"""``tgllm config``: the settings, and where they come from."""

import asyncio
import json
from dataclasses import asdict

import typer

from tgllm.cli.failure import tell
from tgllm.cli.options import Options, options_of
from tgllm.cli.output import JsonOption, print_json, print_table
from tgllm.config.load import LoadedConfig, find_config
from tgllm.config.show import Setting, settings
from tgllm.i18n import Catalogue

__all__ = ["app"]

app = typer.Typer(
    help="See the settings and where they come from.", rich_markup_mode=None, add_completion=False, no_args_is_help=True
)


@app.command()
def path(ctx: typer.Context) -> None:
    """Show where the config file is, or would be."""
    found = find_config(options_of(ctx).config)
    typer.echo(found)
    if not found.is_file():
        tell(Catalogue()("shell.config_none"))


@app.command()
def show(ctx: typer.Context, *, as_json: JsonOption = False) -> None:
    """Show every setting with its source; secrets stay hidden."""
    found = settings(options_of(ctx).load())
    if as_json:
        print_json([asdict(setting) for setting in found])
    else:
        print_table(("Setting", "Value", "Source"), ((item.key, _text(item), item.source) for item in found))


def _text(setting: Setting) -> str:
    if setting.value is None:
        return "-"
    return setting.value if isinstance(setting.value, str) else json.dumps(setting.value)


@app.command()
def check(ctx: typer.Context) -> None:
    """Check all settings, those of plugins too."""
    options = options_of(ctx)
    options.quiet_log()
    loaded = options.load()
    asyncio.run(_check_plugins(loaded, options))
    typer.echo(Catalogue(loaded.config.language)("shell.config_ok"))


async def _check_plugins(loaded: LoadedConfig, options: Options) -> None:
    from tgllm.app import open_core  # noqa: PLC0415  the other commands here do without plugins
    from tgllm.cli.core import raise_config_errors, warnings  # noqa: PLC0415

    async with open_core(loaded, plugins=options.plugins) as core:
        raise_config_errors(core)
        for warning in warnings(core, loaded):
            tell(warning)
