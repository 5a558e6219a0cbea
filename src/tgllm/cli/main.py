"""The command ``tgllm``: top-level options, error handling and exit codes."""

import gc
import io
import os
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, TextIO

import typer

import tgllm
from tgllm.cli.lazy import LazyGroup
from tgllm.cli.options import Options, command_of, hoist, options_of, path_given
from tgllm.cli.output import flush_streams, say
from tgllm.cli.table import COMMANDS

__all__ = ["app", "main", "run", "top"]

COLLECT_AFTER = 50_000
"""New objects after which the garbage collector runs (gc.set_threshold).

Imports make many objects and next to no garbage: with Python's default, a short command spends a tenth of its time on
looking for it. ``tgllm run`` sets its own threshold.
"""

app = typer.Typer(
    name="tgllm",
    cls=LazyGroup,
    epilog="Options above may come before or after a command. Start with: tgllm demo",
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback(invoke_without_command=True)
def top(
    ctx: typer.Context,
    *,
    config: Annotated[
        Path | None, typer.Option(help="Path of the config file.", metavar="PATH", parser=path_given)
    ] = None,
    data_dir: Annotated[Path | None, typer.Option(help="The data folder.", metavar="PATH", parser=path_given)] = None,
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
        say(f"tgllm {tgllm.__version__}")
    elif ping:
        from tgllm.cli.commands.ping import ping as check  # noqa: PLC0415  imported when called, like all commands

        check(ctx)
    elif ctx.invoked_subcommand is None:
        say(ctx.get_help())
    else:
        return
    raise typer.Exit


def main(args: Sequence[str], loaded: Callable[[], None] = lambda: None) -> int:
    """Run a command line.

    Args:
        args: the command line.
        loaded: see ``Options.loaded``.

    Returns:
        The exit code: 0, 1 for a failure, 2 for invalid settings or usage, 130 for Ctrl-C.
    """
    options = Options(debug=os.environ.get("TGLLM_DEBUG", "") not in {"", "0"}, loaded=loaded)
    try:
        command = typer.main.get_command(app)
        command.main(args=_shared_first(args), prog_name="tgllm", obj=options)
    except SystemExit as end:
        return _code(end)
    except KeyboardInterrupt:
        return 130
    except Exception as error:  # noqa: BLE001  any error is shown as a sentence, without a traceback
        from tgllm.cli.failure import report  # noqa: PLC0415  only for errors

        return report(error, debug=options.debug)
    return 0


def _code(end: SystemExit) -> int:
    if isinstance(end.code, int):
        return 130 if end.code == 1 and _came_of_ctrl_c(end) else end.code
    if end.code is not None:
        from tgllm.cli.failure import tell_raw  # noqa: PLC0415  only for a plugin's command that exits with a message

        tell_raw(f"{end.code}\n")
    return int(end.code is not None)


def _came_of_ctrl_c(error: BaseException | None) -> bool:
    """Return whether Ctrl-C ended a prompt: Typer then exits with 1, as it does at the end of the input."""
    while error is not None and not isinstance(error, KeyboardInterrupt):
        error = error.__context__
    return error is not None


def _shared_first(args: Sequence[str]) -> list[str]:
    # The command of a plugin may have options with the same names.
    return hoist(args) if command_of(args) in COMMANDS else list(args)


def run(loaded: Callable[[], None] = lambda: None) -> None:
    """Run the command line of this process; ``loaded`` is called when its command is imported."""
    gc.set_threshold(COLLECT_AFTER)
    if os.getpid() == 1:
        from tgllm.shutdown import end_on_sigterm  # noqa: PLC0415  imports asyncio, which short commands do without

        end_on_sigterm()
    _fill_streams()
    _escape_unknown_letters(sys.stdout)
    code = flush_streams(main(sys.argv[1:], loaded))
    if threading.active_count() > 1:
        from tgllm.api.clock import SystemClock  # noqa: PLC0415  most commands have no thread left
        from tgllm.shutdown import leave  # noqa: PLC0415  most commands have no thread left

        leave(code, SystemClock())
    sys.exit(code)


def _fill_streams() -> None:
    """Open the null device in place of missing standard streams, before another file gets their descriptors."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open(mode, encoding="utf-8"))  # noqa: SIM115  stays open until the process exits


def _escape_unknown_letters(stream: TextIO) -> None:
    """Write characters outside of the terminal's encoding as escapes, as Python does on standard error."""
    if isinstance(stream, io.TextIOWrapper):
        stream.reconfigure(errors="backslashreplace")
