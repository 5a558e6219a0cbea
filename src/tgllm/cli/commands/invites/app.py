"""``tgllm invites``: links that let people in."""

from typing import Annotated

import typer

from tgllm.cli.options import options_of
from tgllm.cli.output import JsonOption

# Imports inside functions: `invites list` needs few of them, and is to answer at once.

__all__ = ["app"]

app = typer.Typer(
    help="Make links that let people in, and take them back.",
    rich_markup_mode=None,
    add_completion=False,
    no_args_is_help=True,
)


@app.command("list")
def list_invites(ctx: typer.Context, *, as_json: JsonOption = False) -> None:
    """List the links that work; the latest first.

    The links themselves are not stored: they are shown once, when they are made.
    """
    from tgllm.cli.commands.invites.list import run_list  # noqa: PLC0415

    run_list(options_of(ctx), as_json=as_json)


@app.command()
def new(
    ctx: typer.Context,
    *,
    people: Annotated[int, typer.Option(help="How many people it lets in.")] = 1,
    hours: Annotated[int, typer.Option(help="For how long it works.")] = 24,
    as_json: JsonOption = False,
) -> None:
    """Make a link that lets people in, and print it.

    Whoever opens it is let in without a decision, until as many have come or the time is over. The bot must have run
    once, so that its username is known.
    """
    from tgllm.cli.commands.invites.change import run_new  # noqa: PLC0415

    run_new(options_of(ctx), people, hours, as_json=as_json)


@app.command()
def revoke(ctx: typer.Context, number: Annotated[int, typer.Argument(help="The number of the link.")]) -> None:
    """Take a link back: it lets nobody in any more.

    Whom it has let in stays in.
    """
    from tgllm.cli.commands.invites.change import run_revoke  # noqa: PLC0415

    typer.echo(run_revoke(options_of(ctx), number))
