"""Implementation of ``tgllm plugins list`` and ``retry``."""

import asyncio

from tgllm.api.clock import SystemClock
from tgllm.api.errors import PluginError
from tgllm.app import open_host
from tgllm.cli.foreign import command_records
from tgllm.cli.options import Options
from tgllm.cli.output import print_json, print_table, say
from tgllm.cli.table import COMMANDS
from tgllm.i18n import Catalogue
from tgllm.plugins.loading.breadcrumbs import Breadcrumbs
from tgllm.plugins.loading.records import PluginRecord

__all__ = ["run_list", "run_retry"]


def run_list(options: Options, *, as_json: bool) -> None:
    """Print all plugins with their state.

    Raises:
        ConfigError: a setting is invalid.
        DatabaseError: the database can't be opened.
    """
    options.quiet_log()
    records = asyncio.run(_records(options))
    if as_json:
        print_json([_object(record) for record in records])
    else:
        print_table(("Plugin", "Package", "Version", "API", "State", "Provides", "Note"), map(_row, records))


def run_retry(options: Options, plugin: str) -> None:
    """Have a plugin loaded again that earlier starts have left out.

    Raises:
        PluginError: it is not left out.
    """
    loaded = options.load()
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
