"""``tgllm ping``: whether the bot can start."""

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

import typer

from tgllm.api.clock import milliseconds
from tgllm.api.errors import TgllmError
from tgllm.app import open_core
from tgllm.cli.core import model_warnings, raise_config_errors, warnings
from tgllm.cli.failure import report, tell
from tgllm.cli.options import Options, options_of
from tgllm.cli.output import say
from tgllm.database_place import database_place
from tgllm.db.engine.unit import Connection
from tgllm.db.file.probe import probe_folder, write_probe
from tgllm.db.looking import is_running
from tgllm.services.common.reception import failing

if TYPE_CHECKING:
    from tgllm.services.core import Core

__all__ = ["app", "ping"]

app = typer.Typer(rich_markup_mode=None, add_completion=False)


@app.command()
def ping(ctx: typer.Context) -> None:
    """Check settings, database and plugins, and print "Bot ready".

    Exits with 1 if a check fails, if nothing can be stored, or if the bot runs and can't receive messages.
    A broken plugin is only a warning.
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
        for warning in (*await model_warnings(core), *warnings(core, loaded)):
            tell(warning)
        await _check_writes(core)
        await _check_files(core)
        await _check_reception(core)
        return core.texts("shell.ready" if loaded.config.bot_token else "shell.ready_no_token")


class _RolledBack(Exception):
    """End of a transaction that is not to be committed."""


async def _check_writes(core: "Core") -> None:
    """Write into the data folder and the database, which a running bot waits for as well.

    Raises:
        DatabaseError: the disk is full or read-only, or another program locks the database.
    """
    now = milliseconds(core.clock)

    def unit(conn: Connection) -> None:
        write_probe(conn, "ping", now)
        # Another write would be a change from outside for a running bot.
        raise _RolledBack

    await asyncio.to_thread(probe_folder, core.config.data_dir)
    with suppress(_RolledBack):
        await core.database.write(unit)


async def _check_files(core: "Core") -> None:
    """Store and remove a file in the storage of files, if it is not the data folder.

    Raises:
        TgllmError: it can't be used; the message says what to do.
    """
    if core.config.s3.bucket is None:
        return
    from tgllm.services.files.storage.opening import try_storage  # noqa: PLC0415  most bots have none

    try:
        await try_storage(core.config)
    except OSError as error:
        raise TgllmError(str(error), code="file_storage") from error


async def _check_reception(core: "Core") -> None:
    """Raise an error if the bot runs on this database, but can't receive updates.

    Raises:
        TgllmError: it can't.
    """
    now = milliseconds(core.clock)
    found = await core.database.read(lambda conn: failing(conn, now))
    if found is not None and await asyncio.to_thread(is_running, database_place(core.config)):
        minutes = max(1, (now - found.since) // 60_000)
        raise TgllmError(core.texts("shell.not_receiving", count=minutes, reason=found.reason), code="not_receiving")
