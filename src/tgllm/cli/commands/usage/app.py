"""``tgllm usage``: usage by person, model or day."""

from typing import Annotated, Literal

import typer

from tgllm.cli.options import options_of
from tgllm.cli.output import JsonOption

__all__ = ["app"]

MOST_DAYS = 3660

app = typer.Typer(rich_markup_mode=None, add_completion=False)


@app.command()
def usage(
    ctx: typer.Context,
    *,
    by: Annotated[Literal["user", "model", "day"], typer.Option(help="Group the usage by this.")] = "user",
    days: Annotated[int, typer.Option(help="Number of days, including today.", min=1, max=MOST_DAYS)] = 30,
    as_json: JsonOption = False,
) -> None:
    """Show usage: requests, tokens, cost.

    Days are in the setting time_zone. Requests with an unknown price are counted separately, without a cost.
    """
    from tgllm.cli.commands.usage.show import run_usage  # noqa: PLC0415  imported when called, so that --help is fast

    run_usage(options_of(ctx), by, days, as_json=as_json)
