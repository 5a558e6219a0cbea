"""Commands that are imported when they are called: our own from the table, and those that plugins bring."""

import importlib
from typing import TYPE_CHECKING, Any

import typer
from typer.core import TyperCommand, TyperGroup

from tgllm.cli.table import COMMANDS

if TYPE_CHECKING:
    from collections.abc import Callable
    from importlib.metadata import EntryPoint

    # Typer has no public name for the classes that its own commands and contexts are made of.
    from typer._click import Command, Context

__all__ = ["LazyGroup"]

_PLUGIN_GROUP = "tgllm.cli"


class _LazyCommand(TyperCommand):
    """Stands in ``--help`` for a command that is not imported yet."""

    def __init__(self, name: str, help_line: str, load: "Callable[[], object]", panel: str | None = None) -> None:
        super().__init__(name, help=help_line, rich_help_panel=panel, rich_markup_mode=None)
        self._load = load

    def make_context(
        self,
        info_name: str | None,
        args: list[str],
        parent: "Context | None" = None,
        **extra: Any,  # noqa: ANN401  handed on as it is
    ) -> "Context":
        app = self._load()
        if not isinstance(app, typer.Typer):
            raise TypeError(f"the command {self.name} is no Typer app")
        # The context names the imported command, so that is what is run.
        return typer.main.get_command(app).make_context(info_name, args, parent=parent, **extra)


class LazyGroup(TyperGroup):
    """The top of all commands."""

    def __init__(self, **settings: Any) -> None:  # noqa: ANN401  Typer's own, handed on as they are
        super().__init__(**settings)
        for name, entry in COMMANDS.items():
            self.add_command(_LazyCommand(name, entry.help, _own(entry.module)))

    def list_commands(self, ctx: "Context") -> list[str]:
        """Our own commands, then those of plugins."""
        own = super().list_commands(ctx)
        return [*own, *sorted(_plugin_commands().keys() - set(own))]

    def get_command(self, ctx: "Context", cmd_name: str) -> "Command | None":
        """The stand-in for a command, or None for an unknown name; a plugin can't take the name of one of ours."""
        return super().get_command(ctx, cmd_name) or _plugin_commands().get(cmd_name)


def _own(module: str) -> "Callable[[], object]":
    return lambda: importlib.import_module(module).app


def _plugin_commands() -> dict[str, _LazyCommand]:
    from importlib.metadata import entry_points  # noqa: PLC0415  asked for --help and for names that are not ours only

    found = entry_points(group=_PLUGIN_GROUP)
    return {point.name: _LazyCommand(point.name, _help_line(point), _foreign(point), "Plugins") for point in found}


def _help_line(point: "EntryPoint") -> str:
    if point.dist is None or "Summary" not in point.dist.metadata:
        return ""
    return str(point.dist.metadata["Summary"])


def _foreign(point: "EntryPoint") -> "Callable[[], object]":
    def load() -> object:
        from tgllm.cli.foreign import load_app  # noqa: PLC0415  only for a plugin's command

        return load_app(point)

    return load
