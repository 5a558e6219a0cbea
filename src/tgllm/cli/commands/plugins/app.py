"""``tgllm plugins``: installed and missing plugins, with their state."""

from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from tgllm.cli.options import options_of
from tgllm.cli.output import JsonOption

# Imports are inside functions: --help needs none of them, and has to be fast.

__all__ = ["app"]

app = typer.Typer(rich_markup_mode=None, add_completion=False, no_args_is_help=True)


class Kind(Enum):
    """Kinds of a new plugin."""

    PROVIDER = "provider"
    OPENAI_COMPATIBLE = "openai-compatible"
    COMMAND = "command"
    JOB = "job"
    FILE_HANDLER = "file-handler"


@app.callback()
def plugins() -> None:
    """List plugins and their state."""


@app.command("list")
def list_plugins(ctx: typer.Context, *, as_json: JsonOption = False) -> None:
    """List all plugins with their state, and the shell commands that packages add.

    The states are active, quarantined (the note has the reason), disabled, misconfigured, and missing since the last
    run.
    """
    from tgllm.cli.commands.plugins.list import run_list  # noqa: PLC0415  imported when called, so that --help is fast

    run_list(options_of(ctx), as_json=as_json)


@app.command()
def retry(
    ctx: typer.Context,
    plugin: Annotated[str, typer.Argument(metavar="PLUGIN", help="Id of the plugin, as tgllm plugins list shows it.")],
) -> None:
    """Load a plugin again that is left out because earlier starts have ended while it was loaded.

    It is loaded at the next start of the bot and of other commands.
    """
    from tgllm.cli.commands.plugins.list import run_retry  # noqa: PLC0415  imported when called, so that --help is fast

    run_retry(options_of(ctx), plugin)


@app.command()
def new(
    *,
    name: Annotated[str, typer.Argument(metavar="NAME", help="Such as weather or tgllm-weather.")],
    kind: Annotated[Kind, typer.Option(help="What the plugin is.")],
    path: Annotated[Path | None, typer.Option(help="The folder to make; default: NAME, in the current folder.")] = None,
    author: Annotated[
        str | None, typer.Option(metavar="AUTHOR", help='Such as "Ann <ann@example.org>"; default: that of git.')
    ] = None,
    licence: Annotated[
        str, typer.Option("--license", metavar="LICENSE", help="MIT, Apache-2.0, BSD-3-Clause or none.")
    ] = "MIT",
) -> None:
    """Write the package of a new plugin, which works and has tests.

    It has settings, types, tests with the test kit and a whole bot, a README, a licence, and a workflow for CI. Try it
    with tgllm demo --plugin, which loads it again when a file changes.
    """
    from tgllm.cli.commands.plugins.new.create import Wanted, run_new  # noqa: PLC0415  imported when called, so that --help is fast

    run_new(Wanted(name, kind.value, path, author, licence))
