"""What a shell command of a plugin gets from tgllm. Since 1.2."""

from collections.abc import Iterable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from tgllm.api.context import PluginContext

__all__ = ["Shell"]


class Shell(Protocol):
    """The object of Typer's context (``ctx.obj``) in a command of the entry-point group ``tgllm.cli``.

    Texts are printed with unsafe characters escaped and secrets left as they are, so print none.
    """

    def plugin(self, plugin_id: str) -> AbstractAsyncContextManager[PluginContext]:
        """Load a plugin as the bot does, with its settings and its store, but do not start it.

        A bot may run on the same data folder meanwhile.

        Args:
            plugin_id: ``PluginInfo.id``.

        Raises:
            ConfigError: a setting is invalid.
            DatabaseError: the database can't be opened.
            PluginError: the plugin is not installed, is switched off, or can't be loaded.
        """
        ...

    def say(self, text: str) -> None:
        """Print a line."""
        ...

    def table(self, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
        """Print a table in a terminal, and lines of cells with tabs between them in a pipe."""
        ...

    def json(self, data: object) -> None:
        """Print JSON."""
        ...
