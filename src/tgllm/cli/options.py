"""Options shared by all commands."""

import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

import typer

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tgllm.config.load import LoadedConfig

__all__ = ["GLOBAL_OPTIONS", "Options", "command_of", "hoist", "options_of", "path_given"]

GLOBAL_OPTIONS: Final = {"--config": True, "--data-dir": True, "--no-plugins": False, "--debug": False}
"""Whether a value follows, by option name."""


@dataclass(slots=True)
class Options:
    """Values of the shared options; filled in while the command line is parsed."""

    config: Path | None = None
    flags: dict[str, object] = field(default_factory=dict[str, object])
    """Settings by dotted key; None for an option that is not given."""
    plugins: bool = True
    debug: bool = False
    loaded: "Callable[[], None]" = lambda: None
    """Called when the command is imported, before it begins; not for ``run``, which handles its signals itself."""

    def load(self) -> "LoadedConfig":
        """Load the settings.

        Raises:
            ConfigError: a setting is invalid.
        """
        from tgllm.config.load import load_config  # noqa: PLC0415  pydantic is slow to import, and --help does not need it

        return load_config(self.flags, config_path=self.config)

    def quiet_log(self) -> None:
        """Silence the log, to keep it out of a command's output; with ``--debug`` it goes to standard error."""
        from tgllm.observe.logs import configure_logging, quiet_logging  # noqa: PLC0415  lists have no log

        if self.debug:
            configure_logging("console", "debug", sys.stderr)
        else:
            quiet_logging(sys.stderr)


def options_of(ctx: typer.Context) -> Options:
    """Return the shared options of the running command."""
    return ctx.ensure_object(Options)


def command_of(args: "Sequence[str]") -> str | None:
    """Return the name of the command in a command line, or None."""
    left = list(args)
    while left:
        arg = left.pop(0)
        if not arg.startswith("-"):
            return arg
        if GLOBAL_OPTIONS.get(arg, False) and left:
            left.pop(0)
    return None


def hoist(args: "Sequence[str]") -> list[str]:
    """Move the shared options to the front, which allows them before and after the command's name."""
    front: list[str] = []
    rest: list[str] = []
    left = list(args)
    while left:
        arg = left.pop(0)
        if arg == "--":
            return [*front, *rest, arg, *left]
        name, equals, _ = arg.partition("=")
        wants_value = GLOBAL_OPTIONS.get(name, False) and not equals
        if name not in GLOBAL_OPTIONS or (wants_value and not left):
            rest.append(arg)
            continue
        front.append(arg)
        if wants_value:
            front.append(left.pop(0))
    return [*front, *rest]


def path_given(text: str) -> Path:
    """Return the path of an option.

    Raises:
        typer.BadParameter: it is empty.
    """
    if not text.strip():
        # An empty path is usually an unset variable in a script, and would mean the current folder.
        raise typer.BadParameter("a path can't be empty")
    return Path(text)
