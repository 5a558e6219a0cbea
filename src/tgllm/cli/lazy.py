"""Lazily imported commands: the built-in ones from the table, and those of plugins."""

import importlib
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import typer
from typer._click import ClickException  # Typer has no public name for the base class of usage errors
from typer.core import TyperCommand, TyperGroup

from tgllm.cli.options import Options
from tgllm.cli.table import COMMANDS
from tgllm.observe.visible import visible, visible_line

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from importlib.metadata import EntryPoint

    # Typer has no public name for the classes of its commands and contexts.
    from typer._click import Command, Context

__all__ = ["LazyGroup"]

_PLUGIN_GROUP = "tgllm.cli"


class _LazyCommand(TyperCommand):
    """Placeholder for a command that is not imported yet; it has the help line for ``--help``."""

    def __init__(self, name: str, help_line: str, load: "Callable[[], object]", *, foreign: bool = False) -> None:
        panel = "Plugins" if foreign else None
        super().__init__(name, help=help_line, rich_help_panel=panel, rich_markup_mode=None)
        self._load = load
        self._foreign = foreign

    def make_context(
        self,
        info_name: str | None,
        args: list[str],
        parent: "Context | None" = None,
        **extra: Any,  # noqa: ANN401  passed through
    ) -> "Context":
        app = self._load()
        if parent is not None and self.name != "run":
            parent.ensure_object(Options).loaded()
        if parent is not None and self._foreign:
            extra["obj"] = _shell(parent.ensure_object(Options))
        if not isinstance(app, typer.Typer):
            raise TypeError(f"the command {self.name} is no Typer app")
        # The returned context has the imported command, so Typer runs that one instead of this placeholder.
        return typer.main.get_command(app).make_context(info_name, args, parent=parent, **extra)


class LazyGroup(TyperGroup):
    """The top-level group of all commands."""

    def __init__(self, **settings: Any) -> None:  # noqa: ANN401  Typer's arguments, passed through
        super().__init__(**settings)
        for name, entry in COMMANDS.items():
            self.add_command(_LazyCommand(name, entry.help, _own(entry.module)))

    def make_context(
        self,
        info_name: str | None,
        args: list[str],
        parent: "Context | None" = None,
        **extra: Any,  # noqa: ANN401  passed through
    ) -> "Context":
        """Parse the options in front of the command."""
        with _visible_errors():
            return super().make_context(info_name, args, parent=parent, **extra)

    def invoke(self, ctx: "Context") -> Any:  # noqa: ANN401  Typer's
        """Run the command."""
        with _visible_errors():
            return super().invoke(ctx)

    def list_commands(self, ctx: "Context") -> list[str]:
        """Return the names of the built-in commands, then those of plugins."""
        own = super().list_commands(ctx)
        return [*own, *sorted(_plugin_commands().keys() - set(own))]

    def get_command(self, ctx: "Context", cmd_name: str) -> "Command | None":
        """Return the placeholder of a command, or None if unknown; a plugin can't replace a built-in command."""
        return super().get_command(ctx, cmd_name) or _plugin_commands().get(cmd_name)


@contextmanager
def _visible_errors() -> "Generator[None]":
    """Escape unsafe characters in the messages of usage errors, which repeat the arguments."""
    try:
        yield
    except ClickException as error:
        error.message = visible(error.message)
        raise


def _own(module: str) -> "Callable[[], object]":
    return lambda: importlib.import_module(module).app


def _plugin_commands() -> dict[str, _LazyCommand]:
    from importlib.metadata import entry_points  # noqa: PLC0415  only for --help and for names that are not built in

    from tgllm.plugins.discovery import package_of  # noqa: PLC0415  only for commands of plugins, too

    # Of several packages with one name, the first has it, as ``tgllm plugins list`` says.
    found = sorted(entry_points(group=_PLUGIN_GROUP), key=package_of, reverse=True)
    # The names and help lines of other packages may contain anything.
    points = {visible_line(point.name): point for point in found}
    return {
        name: _LazyCommand(name, _help_line(point), _foreign(point), foreign=True) for name, point in points.items()
    }


def _shell(options: Options) -> object:
    from tgllm.cli.plugin_shell import PluginShell  # noqa: PLC0415  only for commands of plugins

    return PluginShell(options)


def _help_line(point: "EntryPoint") -> str:
    if point.dist is None or "Summary" not in point.dist.metadata:
        return ""
    return visible_line(str(point.dist.metadata["Summary"]))


def _foreign(point: "EntryPoint") -> "Callable[[], object]":
    def load() -> object:
        from tgllm.cli.foreign import load_app  # noqa: PLC0415  only for commands of plugins

        return load_app(point)

    return load
