"""``tgllm groups``: in which groups the bot answers."""

from typing import Annotated, Literal

import typer

from tgllm.cli.options import options_of
from tgllm.cli.output import JsonOption

# Imports inside functions: `groups list` needs few of them, and is to answer at once.

__all__ = ["app"]

app = typer.Typer(
    help="See the groups, and decide where the bot answers.",
    rich_markup_mode=None,
    add_completion=False,
    no_args_is_help=True,
)

# Ids of groups begin with a minus, which is no option.
_NEGATIVE_IDS = {"ignore_unknown_options": True}

Group = Annotated[str, typer.Argument(help="The group: Telegram's id of it, or its title.")]


@app.command("list")
def list_groups(
    ctx: typer.Context,
    *,
    status: Annotated[
        Literal["pending", "active", "denied"] | None, typer.Option(help="Only groups of this status.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """List the groups that the bot is wanted in.

    Those that wait for a decision come first.
    """
    from tgllm.cli.commands.groups.list import run_list  # noqa: PLC0415

    run_list(options_of(ctx), status, as_json=as_json)


@app.command(context_settings=_NEGATIVE_IDS)
def approve(ctx: typer.Context, group: Group) -> None:
    """Let a group in.

    Whoever speaks to the bot there is answered, unless they are declined or blocked. The group is told by the bot.
    """
    from tgllm.cli.commands.groups.decide import run_decide  # noqa: PLC0415

    typer.echo(run_decide(options_of(ctx), group, "approve"))


@app.command(context_settings=_NEGATIVE_IDS)
def deny(ctx: typer.Context, group: Group) -> None:
    """Keep a group out, until it is approved.

    Only admins are answered there, and nobody can ask for it again. Answers that the bot writes there at this moment
    are stopped.
    """
    from tgllm.cli.commands.groups.decide import run_decide  # noqa: PLC0415

    typer.echo(run_decide(options_of(ctx), group, "deny"))
