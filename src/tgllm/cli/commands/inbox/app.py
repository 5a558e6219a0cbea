"""``tgllm inbox``: received updates and their state."""

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from tgllm.cli.options import options_of
from tgllm.cli.output import JsonOption

if TYPE_CHECKING:
    from tgllm.cli.commands.inbox.change import Change

# Imports are inside functions: `--help` needs none of them.

__all__ = ["app"]

MOST_UPDATES = 100_000

app = typer.Typer(
    help="List received updates, and retry or drop them.",
    rich_markup_mode=None,
    add_completion=False,
    no_args_is_help=True,
)


class UpdateState(StrEnum):
    """State of an update; Typer has no lists of literals."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    QUARANTINED = "quarantined"
    MERGED = "merged"
    EXPIRED = "expired"


Updates = Annotated[list[int] | None, typer.Argument(help="Ids of updates, as in the list.", show_default=False)]
AllOption = Annotated[bool, typer.Option("--all", help="All that failed, expired or were quarantined.")]


@app.command("list")
def list_updates(
    ctx: typer.Context,
    *,
    state: Annotated[
        list[UpdateState] | None,
        typer.Option(help="Only updates in this state; can be given several times.", show_default=False),
    ] = None,
    limit: Annotated[int, typer.Option(help="Maximum number of updates.", min=1, max=MOST_UPDATES)] = 50,
    as_json: JsonOption = False,
) -> None:
    """List updates that wait or were not answered; those that wait first.

    With --state, also those that are done or part of another one.
    """
    from tgllm.cli.commands.inbox.show import run_list  # noqa: PLC0415  loaded only where it runs

    run_list(options_of(ctx), [each.value for each in state or ()], limit, as_json=as_json)


@app.command()
def show(
    ctx: typer.Context,
    update: Annotated[int, typer.Argument(help="Id of the update, as in the list.")],
    *,
    as_json: JsonOption = False,
) -> None:
    """Show an update with its content, and the messages that it has led to."""
    from tgllm.cli.commands.inbox.show import run_show  # noqa: PLC0415  loaded only where it runs

    run_show(options_of(ctx), update, as_json=as_json)


@app.command()
def retry(
    ctx: typer.Context,
    updates: Updates = None,
    *,
    all_: AllOption = False,
    as_json: JsonOption = False,
) -> None:
    """Have updates handled again that failed, expired or were quarantined.

    The bot may be running. Exits with 1 if one of them can't be handled again.
    """
    _change(ctx, "retry", updates, all_=all_, as_json=as_json)


@app.command()
def drop(
    ctx: typer.Context,
    updates: Updates = None,
    *,
    all_: AllOption = False,
    as_json: JsonOption = False,
) -> None:
    """Drop updates: they are not handled, and no longer listed.

    The chat gets no message. Exits with 1 if one of the updates can't be dropped.
    """
    _change(ctx, "drop", updates, all_=all_, as_json=as_json)


def _change(ctx: typer.Context, change: "Change", updates: list[int] | None, *, all_: bool, as_json: bool) -> None:
    from tgllm.cli.commands.inbox.change import run_change  # noqa: PLC0415  loaded only where it runs

    run_change(options_of(ctx), change, updates or [], all_=all_, as_json=as_json)
