"""``tgllm run``: runs the bot."""

import sys
from typing import Annotated

import typer

from tgllm.cli.options import options_of
from tgllm.config.load import LoadedConfig, require_token

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
    if options.plugins and sys.stdin.isatty() and sys.stderr.isatty():
        _ask_about_deadly_plugins(loaded)
    from tgllm.program import run_bot  # noqa: PLC0415  a missing token is reported before aiogram is imported

    code = run_bot(loaded, plugins=options.plugins)
    from tgllm.cli.output import flush_or_drop  # noqa: PLC0415  only here

    # What it prints is its log: a bot that was stopped has not failed because nothing reads that.
    flush_or_drop(sys.stdout)
    raise typer.Exit(code)


def _ask_about_deadly_plugins(loaded: LoadedConfig) -> None:
    """Ask about each plugin that has ended an earlier start whether to leave it out.

    Without a terminal it does not ask: such a plugin is left out after the second time.
    """
    from tgllm.cli.output import agree  # noqa: PLC0415  only in a terminal
    from tgllm.i18n import Catalogue  # noqa: PLC0415  only in a terminal
    from tgllm.plugins.discovery import discover  # noqa: PLC0415  only in a terminal
    from tgllm.plugins.loading.breadcrumbs import Breadcrumbs  # noqa: PLC0415  only in a terminal

    breadcrumbs = Breadcrumbs(loaded.config.data_dir)
    deaths, texts = breadcrumbs.deaths(), Catalogue(loaded.config.language)
    for found in discover() if deaths else ():
        death = deaths.get(found.id)
        if death is None or not death.is_of(found) or found.id in loaded.config.disable_plugins:
            continue
        if agree(texts("shell.plugin_leave_out", plugin=found.id, package=found.package)):
            breadcrumbs.leave_out(death)
        else:
            breadcrumbs.forget(found.id)
