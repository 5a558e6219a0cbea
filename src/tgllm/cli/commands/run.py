"""``tgllm run``: runs the bot."""

from typing import Annotated

import typer

from tgllm.cli.options import options_of
from tgllm.config.load import require_token

__all__ = ["app"]

app = typer.Typer(rich_markup_mode=None, add_completion=False)


@app.command()
def run(
    ctx: typer.Context,
    *,
    webhook: Annotated[
        str | None,
        typer.Option(
            help="Public https address to which Telegram sends updates; off: ask Telegram for them. "
            "Default: webhook.url of the settings.",
            metavar="URL",
        ),
    ] = None,
) -> None:
    """Run the bot until it is stopped.

    Ctrl-C, SIGTERM or closing the terminal stops it; a second Ctrl-C or SIGTERM ends it immediately. Exits with 0 if it
    was stopped, with 2 for invalid settings, and with 1 for other failures.
    """
    options = options_of(ctx)
    options.flags["webhook.url"] = webhook
    loaded = options.load()
    require_token(loaded)
    from tgllm.app import run_bot  # noqa: PLC0415  a missing token is reported before aiogram is imported

    raise typer.Exit(run_bot(loaded, plugins=options.plugins))
