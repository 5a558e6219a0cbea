"""``tgllm ping``: whether the bot can start."""

import asyncio

import typer

from tgllm.api.errors import TgllmError
from tgllm.app import open_core
from tgllm.cli.core import raise_config_errors, warnings
from tgllm.cli.failure import report, tell
from tgllm.cli.options import Options, options_of
from tgllm.cli.output import say

__all__ = ["app", "ping"]

app = typer.Typer(rich_markup_mode=None, add_completion=False)


@app.command()
def ping(ctx: typer.Context) -> None:
    """Check settings, database and plugins, and print "Bot ready".

    Exits with 1 if a check fails. A broken plugin is only a warning.
    """
    options = options_of(ctx)
    options.quiet_log()
    try:
        say(asyncio.run(_check(options)))
    except TgllmError as error:
        report(error, debug=options.debug)
        raise typer.Exit(1) from None


async def _check(options: Options) -> str:
    loaded = options.load()
    async with open_core(loaded, plugins=options.plugins) as core:
        raise_config_errors(core)
        for warning in warnings(core, loaded):
            tell(warning)
        return core.texts("shell.ready" if loaded.config.bot_token else "shell.ready_no_token")
