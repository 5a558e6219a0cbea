"""``tgllm plugins``: installed and missing plugins, with their state."""

from typing import Annotated

import typer

from tgllm.cli.options import options_of
from tgllm.cli.output import JsonOption

# Imports are inside functions: --help needs none of them, and has to be fast.

__all__ = ["app"]

app = typer.Typer(rich_markup_mode=None, add_completion=False, no_args_is_help=True)


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
