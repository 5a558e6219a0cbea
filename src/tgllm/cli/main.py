"""The command ``tgllm``: what it can do, and how it ends."""

import io
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, TextIO

import typer

import tgllm
from tgllm.cli.lazy import LazyGroup
from tgllm.cli.options import Options, command_of, hoist, options_of
from tgllm.cli.table import COMMANDS

__all__ = ["app", "main", "run", "top"]

app = typer.Typer(
    name="tgllm",
    cls=LazyGroup,
    epilog="Options above may come before or after a command. Start with: tgllm demo",
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _path(text: str) -> Path:
    if not text.strip():
        # What comes of an unset variable of a script would be the current folder.
        raise typer.BadParameter("a path can't be empty")
    return Path(text)


@app.callback(invoke_without_command=True)
def top(
    ctx: typer.Context,
    *,
    config: Annotated[Path | None, typer.Option(help="Path of the config file.", metavar="PATH", parser=_path)] = None,
    data_dir: Annotated[Path | None, typer.Option(help="The data folder.", metavar="PATH", parser=_path)] = None,
    no_plugins: Annotated[bool, typer.Option("--no-plugins", help="Load built-in plugins only.")] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks of errors.")] = False,
    ping: Annotated[bool, typer.Option("--ping", help="Same as: tgllm ping")] = False,
    version: Annotated[bool, typer.Option("--version", help="Show the version.")] = False,
) -> None:
    """Private LLM bots on Telegram."""
    options = options_of(ctx)
    options.config = config
    options.flags["data_dir"] = data_dir
    options.plugins = not no_plugins
    options.debug = options.debug or debug
    if version:
        typer.echo(f"tgllm {tgllm.__version__}")
    elif ping:
        from tgllm.cli.commands.ping import ping as check  # noqa: PLC0415  imported when it is called, as all commands are

        check(ctx)
    elif ctx.invoked_subcommand is None:
        typer.echo(ctx.get_help())
    else:
        return
    raise typer.Exit


def main(args: Sequence[str]) -> int:
    """Run one command line.

    Returns:
        The exit code: 0, 1 for a failure, 2 for wrong settings or a wrong command line, 130 for Ctrl-C.
    """
    options = Options(debug=os.environ.get("TGLLM_DEBUG", "") not in {"", "0"})
    try:
        command = typer.main.get_command(app)
        command.main(args=_shared_first(args), prog_name="tgllm", obj=options)
    except SystemExit as end:
        return _code(end)
    except KeyboardInterrupt:
        return 130
    except Exception as error:  # noqa: BLE001  whatever it is, a person reads a sentence, not a traceback
        from tgllm.cli.failure import report  # noqa: PLC0415  needed when something failed

        return report(error, debug=options.debug)
    return 0


def _code(end: SystemExit) -> int:
    if isinstance(end.code, int):
        return 130 if end.code == 1 and _came_of_ctrl_c(end) else end.code
    if end.code is not None:
        from tgllm.observe.redaction import redact  # noqa: PLC0415  a plugin's command ended with a sentence

        sys.stderr.write(redact(f"{end.code}\n"))
    return int(end.code is not None)


def _came_of_ctrl_c(error: BaseException | None) -> bool:
    """Whether it was Ctrl-C that ended a question; Typer ends it as where nothing is left to be read."""
    while error is not None and not isinstance(error, KeyboardInterrupt):
        error = error.__context__
    return error is not None


def _shared_first(args: Sequence[str]) -> list[str]:
    # A plugin's command may have options of the same names.
    return hoist(args) if command_of(args) in COMMANDS else list(args)


def run() -> None:
    """The console script."""
    _fill_streams()
    _escape_unknown_letters(sys.stdout)
    sys.exit(main(sys.argv[1:]))


def _fill_streams() -> None:
    """Give a program that was started without streams empty ones, before something else gets their numbers."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open(mode, encoding="utf-8"))  # noqa: SIM115  open as long as the program


def _escape_unknown_letters(stream: TextIO) -> None:
    """Have letters that the terminal's encoding lacks written as escapes, as on standard error."""
    if isinstance(stream, io.TextIOWrapper):
        stream.reconfigure(errors="backslashreplace")
