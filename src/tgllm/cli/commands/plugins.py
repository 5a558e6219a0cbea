"""``tgllm plugins``: installed and missing plugins, with their state."""

import asyncio
from typing import Annotated

import typer

from tgllm.api.clock import SystemClock
from tgllm.api.errors import PluginError
from tgllm.app import open_host
from tgllm.cli.foreign import command_records
from tgllm.cli.options import Options, options_of
from tgllm.cli.output import JsonOption, print_json, print_table, say
from tgllm.cli.table import COMMANDS
from tgllm.i18n import Catalogue
from tgllm.plugins.loading.breadcrumbs import Breadcrumbs
from tgllm.plugins.loading.records import PluginRecord

__all__ = ["app"]

app = typer.Typer(rich_markup_mode=None, add_completion=False, no_args_is_help=True)


@app.callback()
def plugins() -> None:
    """List plugins and their state."""


@app.command("list")
def list_plugins(ctx: typer.Context, *, as_json: JsonOption = False) -> None:
    """List all plugins with their state, and the shell commands that packages add.

    The states are active, quarantined (the note has the reason), disabled, misconfigured, and missing since the last
    run.
    """
    options = options_of(ctx)
    options.quiet_log()
    records = asyncio.run(_records(options))
    if as_json:
        print_json([_object(record) for record in records])
    else:
        print_table(("Plugin", "Package", "Version", "API", "State", "Provides", "Note"), map(_row, records))


@app.command()
def retry(
    ctx: typer.Context,
    plugin: Annotated[str, typer.Argument(metavar="PLUGIN", help="Id of the plugin, as tgllm plugins list shows it.")],
) -> None:
    """Load a plugin again that is left out because earlier starts have ended while it was loaded.

    It is loaded at the next start of the bot and of other commands.
    """
    loaded = options_of(ctx).load()
    texts = Catalogue(loaded.config.language)
    if not Breadcrumbs(loaded.config.data_dir).forget(plugin):
        raise PluginError(texts("shell.plugin_not_left_out", plugin=plugin))
    say(texts("shell.plugin_retried", plugin=plugin))


async def _records(options: Options) -> tuple[PluginRecord, ...]:
    loaded = options.load()
    texts = Catalogue(loaded.config.language)
    async with open_host(loaded, SystemClock(), texts, plugins=options.plugins) as (_, host):
        own = host.records
    if not options.plugins:
        return own
    return (*own, *await command_records(loaded.config.data_dir, COMMANDS))


def _object(record: PluginRecord) -> dict[str, object]:
    return {
        "plugin": record.id,
        "package": record.package,
        "version": record.version,
        "api": record.api,
        "state": record.state,
        "provides": list(record.provides),
        "note": record.note,
    }


def _row(record: PluginRecord) -> tuple[str, ...]:
    provides = ", ".join(record.provides)
    return (record.id, record.package, record.version, record.api, record.state, provides, record.note)
