"""What commands of plugins get from tgllm."""

from collections.abc import AsyncGenerator, Iterable, Sequence
from contextlib import asynccontextmanager

from tgllm.api.clock import SystemClock
from tgllm.api.context import PluginContext
from tgllm.api.errors import ConfigError, PluginError
from tgllm.cli.options import Options
from tgllm.cli.output import print_json, print_table, say

__all__ = ["PluginShell"]


class PluginShell:
    """``tgllm.api.Shell`` for one command line."""

    def __init__(self, options: Options) -> None:
        """Create it from the options in front of the command."""
        self._options = options

    @asynccontextmanager
    async def plugin(self, plugin_id: str) -> AsyncGenerator[PluginContext]:
        """Load a plugin; see ``Shell.plugin``."""
        from tgllm.app import open_host  # noqa: PLC0415  so that --help is fast
        from tgllm.i18n import Catalogue  # noqa: PLC0415  so that --help is fast
        from tgllm.plugins.discovery import discover  # noqa: PLC0415  so that --help is fast

        options = self._options
        options.quiet_log()
        loaded = options.load()
        texts = Catalogue(loaded.config.language)
        found = [plugin for plugin in discover() if plugin.id == plugin_id]
        async with open_host(loaded, SystemClock(), texts, plugins=options.plugins, found=found) as (_, host):
            record = next((record for record in host.records if record.id == plugin_id), None)
            if record is not None and record.state == "misconfigured":
                raise ConfigError(record.reason)
            context = host.context_of(plugin_id)
            if context is None:
                reason = "it is not installed" if record is None else record.reason or f"it is {record.state}"
                raise PluginError(texts("shell.plugin_warning", plugin=plugin_id, reason=reason))
            yield context

    def say(self, text: str) -> None:
        """Print a line."""
        say(text)

    def table(self, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
        """Print a table; see ``Shell.table``."""
        print_table(columns, rows)

    def json(self, data: object) -> None:
        """Print JSON."""
        print_json(data)
