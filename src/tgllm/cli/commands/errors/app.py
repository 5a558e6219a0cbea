"""``tgllm errors``: unexpected errors by their codes."""

from typing import Annotated

import typer

from tgllm.cli.options import options_of
from tgllm.cli.output import JsonOption

# Imports are inside functions: `--help` needs none of them.

__all__ = ["app"]

MOST_ERRORS = 100_000

app = typer.Typer(
    help="List unexpected errors, and show one by its code.",
    rich_markup_mode=None,
    add_completion=False,
    no_args_is_help=True,
)


@app.command("list")
def list_errors(
    ctx: typer.Context,
    *,
    limit: Annotated[int, typer.Option(help="Maximum number of errors.", min=1, max=MOST_ERRORS)] = 50,
    as_json: JsonOption = False,
) -> None:
    """List the kinds of unexpected errors; the latest first."""
    from tgllm.cli.commands.errors.show import run_list  # noqa: PLC0415  only a run of this command needs it

    run_list(options_of(ctx), limit, as_json=as_json)


@app.command()
def show(
    ctx: typer.Context,
    code: Annotated[str, typer.Argument(help="The code that the person has read, such as E7K2-9QXM.")],
    *,
    as_json: JsonOption = False,
) -> None:
    """Show a kind of error: its place, its trace, how often it occurred, and where to find it in the log."""
    from tgllm.cli.commands.errors.show import run_show  # noqa: PLC0415  only a run of this command needs it

    run_show(options_of(ctx), code, as_json=as_json)
