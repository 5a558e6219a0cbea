"""``tgllm groups``: the groups of the bot, and their approval."""

from typing import Annotated, Literal

import typer

from tgllm.cli.options import options_of
from tgllm.cli.output import JsonOption, say

# Imports are inside functions: `groups list` needs few of them, and has to be fast.

__all__ = ["app"]

app = typer.Typer(
    help="List groups, and manage their access.",
    rich_markup_mode=None,
    add_completion=False,
    no_args_is_help=True,
)

# Ids of groups begin with a minus and would be parsed as options.
_NEGATIVE_IDS = {"ignore_unknown_options": True}

Group = Annotated[str, typer.Argument(help="The group: its Telegram id or its title.")]


@app.command("list")
def list_groups(
    ctx: typer.Context,
    *,
    status: Annotated[
        Literal["pending", "active", "denied"] | None, typer.Option(help="Only groups with this status.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """List approved, denied and pending groups.

    Pending groups come first.
    """
    from tgllm.cli.commands.groups.list import run_list  # noqa: PLC0415  only a run of this command needs it

    run_list(options_of(ctx), status, as_json=as_json)


@app.command(context_settings=_NEGATIVE_IDS)
def approve(ctx: typer.Context, group: Group) -> None:
    """Approve a group.

    All members can use the bot there, unless they are denied or blocked. The bot informs the group.
    """
    from tgllm.cli.commands.groups.decide import run_decide  # noqa: PLC0415  only a run of this command needs it

    say(run_decide(options_of(ctx), group, "approve"))


@app.command(context_settings=_NEGATIVE_IDS)
def deny(ctx: typer.Context, group: Group) -> None:
    """Deny a group, until it is approved.

    The bot answers only admins there, and the group can't be requested again. Answers in progress are stopped.
    """
    from tgllm.cli.commands.groups.decide import run_decide  # noqa: PLC0415  only a run of this command needs it

    say(run_decide(options_of(ctx), group, "deny"))
