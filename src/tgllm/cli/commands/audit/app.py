"""``tgllm audit``: who changed what."""

from typing import Annotated

import typer

from tgllm.cli.options import options_of
from tgllm.cli.output import JsonOption

__all__ = ["app"]

MOST_CHANGES = 100_000

app = typer.Typer(rich_markup_mode=None, add_completion=False)


@app.command()
def audit(
    ctx: typer.Context,
    *,
    limit: Annotated[int, typer.Option(help="Maximum number of changes.", min=1, max=MOST_CHANGES)] = 50,
    as_json: JsonOption = False,
) -> None:
    """Show who changed what, when and from where; the latest first.

    Includes approvals, roles, budgets, settings of groups, and other actions of admins, in Telegram and the shell.
    """
    from tgllm.cli.commands.audit.list import run_audit  # noqa: PLC0415  imported when called, so that --help is fast

    run_audit(options_of(ctx), limit, as_json=as_json)
