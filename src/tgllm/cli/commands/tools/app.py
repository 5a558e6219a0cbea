"""``tgllm tools``: tools of plugins, and who may use them."""

import typer

from tgllm.cli.options import options_of
from tgllm.cli.output import JsonOption

# Imports are inside functions: --help needs none of them, and has to be fast.

__all__ = ["app"]

app = typer.Typer(rich_markup_mode=None, add_completion=False, no_args_is_help=True)


@app.callback()
def tools() -> None:
    """List the tools that models may call."""


@app.command("list")
def list_tools(ctx: typer.Context, *, as_json: JsonOption = False) -> None:
    """List the tools of plugins with the rules that hold: roles, limit per day, and approval.

    Tools that a plugin adds only while the bot runs, such as those of servers, are shown by /admin tools in the chat.
    """
    from tgllm.cli.commands.tools.list import run_list  # noqa: PLC0415  imported when called, so that --help is fast

    run_list(options_of(ctx), as_json=as_json)
