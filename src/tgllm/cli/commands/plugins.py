"""``tgllm plugins``: installed and missing plugins, with their state."""

import asyncio

import typer

from tgllm.api.clock import SystemClock
from tgllm.app import open_host
from tgllm.cli.options import Options, options_of
from tgllm.cli.output import JsonOption, print_json, print_table
from tgllm.i18n import Catalogue
from tgllm.plugins.loading.records import PluginRecord

__all__ = ["app"]

app = typer.Typer(rich_markup_mode=None, add_completion=False, no_args_is_help=True)


@app.callback()
def plugins() -> None:
    """List plugins and their state."""


@app.command("list")
def list_plugins(ctx: typer.Context, *, as_json: JsonOption = False) -> None:
    """List all plugins with their state.

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


async def _records(options: Options) -> tuple[PluginRecord, ...]:
    loaded = options.load()
    texts = Catalogue(loaded.config.language)
    async with open_host(loaded, SystemClock(), texts, plugins=options.plugins) as (_, host):
        return host.records


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
