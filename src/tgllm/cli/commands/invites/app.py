"""``tgllm invites``: invite links."""

from typing import Annotated

import typer

from tgllm.cli.options import options_of
from tgllm.cli.output import JsonOption, say

# Imports are inside functions: `invites list` needs few of them, and has to be fast.

__all__ = ["app"]

app = typer.Typer(
    help="Create, list and revoke invite links.",
    rich_markup_mode=None,
    add_completion=False,
    no_args_is_help=True,
)


@app.command("list")
def list_invites(ctx: typer.Context, *, as_json: JsonOption = False) -> None:
    """List valid invite links; the latest first.

    The links themselves are not stored: they are shown once, when they are created.
    """
    from tgllm.cli.commands.invites.list import run_list  # noqa: PLC0415  only a run of this command needs it

    run_list(options_of(ctx), as_json=as_json)


@app.command()
def new(
    ctx: typer.Context,
    *,
    people: Annotated[int, typer.Option(help="How many people can use it.")] = 1,
    hours: Annotated[int, typer.Option(help="Hours until it expires.")] = 24,
    as_json: JsonOption = False,
) -> None:
    """Create an invite link, and print it.

    People who open it are approved without a decision, until it is used up or expires. The bot must have run once, so
    that its username is known.
    """
    from tgllm.cli.commands.invites.change import run_new  # noqa: PLC0415  only a run of this command needs it

    run_new(options_of(ctx), people, hours, as_json=as_json)


@app.command()
def revoke(ctx: typer.Context, number: Annotated[int, typer.Argument(help="The number of the link.")]) -> None:
    """Revoke an invite link.

    People who have used it keep their access.
    """
    from tgllm.cli.commands.invites.change import run_revoke  # noqa: PLC0415  only a run of this command needs it

    say(run_revoke(options_of(ctx), number))
