"""The options that all commands share."""

import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

import typer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tgllm.config.load import LoadedConfig

__all__ = ["GLOBAL_OPTIONS", "Options", "command_of", "hoist", "options_of"]

GLOBAL_OPTIONS: Final = {"--config": True, "--data-dir": True, "--no-plugins": False, "--debug": False}
"""By name: whether a value follows."""


@dataclass(slots=True)
class Options:
    """What was given on the command line; filled in when it has been read."""

    config: Path | None = None
    flags: dict[str, object] = field(default_factory=dict[str, object])
    """Settings by dotted key; None where an option was not given."""
    plugins: bool = True
    debug: bool = False

    def load(self) -> "LoadedConfig":
        """Read the settings.

        Raises:
            ConfigError: they are wrong.
        """
        from tgllm.config.load import load_config  # noqa: PLC0415  pydantic is slow to import, and --help needs none

        return load_config(self.flags, config_path=self.config)

    def quiet_log(self) -> None:
        """Keep the log out of a command's output; with ``--debug`` it goes to standard error."""
        from tgllm.observe.logs import configure_logging  # noqa: PLC0415  structlog is needed by few commands

        configure_logging("console", "debug" if self.debug else "critical", sys.stderr)


def options_of(ctx: typer.Context) -> Options:
    """The options of the command that is being run."""
    return ctx.ensure_object(Options)


def command_of(args: "Sequence[str]") -> str | None:
    """The name of the command in a command line; None if there is none."""
    left = list(args)
    while left:
        arg = left.pop(0)
        if not arg.startswith("-"):
            return arg
        if GLOBAL_OPTIONS.get(arg, False) and left:
            left.pop(0)
    return None


def hoist(args: "Sequence[str]") -> list[str]:
    """Move the shared options to the front, so that they may stand before or after a command's name."""
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
