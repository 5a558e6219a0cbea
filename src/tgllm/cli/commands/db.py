"""``tgllm db``: creation, check, backup, restoring, copying and upkeep of the database."""

import asyncio
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from tgllm.api.clock import SystemClock, milliseconds
from tgllm.cli.commands.db_server import check_server, server_object
from tgllm.cli.failure import tell, tell_text
from tgllm.cli.options import options_of
from tgllm.cli.output import JsonOption, print_json, print_table, say
from tgllm.cli.stored import database_file, existing_database, existing_file
from tgllm.cli.words import moment
from tgllm.database_place import database_place
from tgllm.db.database import Database
from tgllm.db.engine.place import Place, Server, words_for
from tgllm.db.engine.sqlite import in_words
from tgllm.db.file.check import Report
from tgllm.db.file.check import check as look_over
from tgllm.db.file.known import forget_known
from tgllm.db.file.probe import mib
from tgllm.i18n import Catalogue
from tgllm.services.backups.folder import Listed, list_backups, stamped_name
from tgllm.services.backups.making import Order, make_backup
from tgllm.services.backups.restoring import Restore, Restored
from tgllm.services.backups.restoring import restore as restore_backup

__all__ = ["app"]

app = typer.Typer(
    help="Create, check, back up, restore and tidy the database.",
    rich_markup_mode=None,
    add_completion=False,
    no_args_is_help=True,
)


@app.command()
def init(
    ctx: typer.Context,
    *,
    new: Annotated[
        bool, typer.Option("--new", help="Start anew where the bot's database is missing or empty.")
    ] = False,
) -> None:
    """Create the database, or migrate it to this version.

    Does nothing if the database is up to date. Where the bot has run before, a missing or empty database is an error;
    --new starts anew all the same. A database that is there is never removed.
    """
    config = options_of(ctx).load().config
    place = database_place(config)
    if new and isinstance(place, Path):
        forget_known(place)
    asyncio.run(_create(place))
    say(Catalogue(config.language)("shell.db_ready", path=words_for(place)))


async def _create(place: Place) -> None:
    async with await Database.open(place):
        pass


@app.command()
def check(ctx: typer.Context, *, as_json: JsonOption = False) -> None:
    """Check the database without changing it.

    Exits with 1 if a check fails.
    """
    config = options_of(ctx).load().config
    place = existing_database(config)
    report = check_server(place) if isinstance(place, Server) else look_over(place)
    if as_json:
        print_json(_object(report) if isinstance(report, Report) else server_object(report))
    else:
        print_table(("Table", "Rows"), ((table, str(count)) for table, count in sorted(report.rows.items())))
        if report.ok:
            say(Catalogue(config.language)("shell.db_healthy"))
    for problem in report.problems:
        tell(problem)
    raise typer.Exit(0 if report.ok else 1)


def _object(report: Report) -> dict[str, object]:
    return {
        "path": str(report.path),
        "ok": report.ok,
        "problems": list(report.problems),
        "size": report.size,
        "version": report.version,
        "journal_mode": report.journal_mode,
        "rows": dict(report.rows),
    }


_NoFiles = Annotated[bool, typer.Option("--no-files", help="Leave out the files of people and plugins.")]


@app.command()
def backup(
    ctx: typer.Context,
    target: Annotated[
        Path | None,
        typer.Argument(help="File to write, or folder for it; by default in the folder of backups."),
    ] = None,
    *,
    no_files: _NoFiles = False,
    as_json: JsonOption = False,
) -> None:
    """Back up the database and the files; the bot may be running. A database on a server is backed up with pg_dump.

    The backup is one file, checked after it is written: a tar file, compressed if its name ends with .gz. With a name
    that ends with .db or .sqlite it is a copy of the database alone. An existing file is never overwritten.
    """
    config = options_of(ctx).load().config
    database, now = existing_file("shell.db_backup_server", config), milliseconds(SystemClock())
    folder = config.backups_folder
    if target is None:
        with in_words(folder):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        target = folder
    file = target / stamped_name(now) if target.is_dir() else target
    bucket = config.s3.bucket
    made = make_backup(
        Order(database, config.data_dir, file, now, with_files=not no_files, are_elsewhere=bucket is not None)
    )
    if as_json:
        print_json({"path": str(made.path), "size": made.size, "files": made.files, "files_left_out": made.left_out})
        return
    texts = Catalogue(config.language)
    say(texts("shell.db_backup", path=made.path))
    if made.files:
        say(texts("shell.db_backup_files", count=made.files))
    if bucket is not None:
        say(texts("shell.db_backup_s3", bucket=bucket))
    elif made.left_out > made.missing and not no_files:
        say(texts("shell.db_backup_left_out", count=made.left_out))


@app.command()
def backups(ctx: typer.Context, *, as_json: JsonOption = False) -> None:
    """List the backups in the folder of backups, newest first."""
    config = options_of(ctx).load().config
    database_file("shell.db_backup_server", config)
    found = list_backups(config.backups_folder)
    if as_json:
        print_json([asdict(each) | {"path": str(each.path)} for each in found])
    elif not found:
        tell_text("shell.db_backup_empty", config.language, path=config.backups_folder)
    else:
        print_table(("Backup", "Made", "MiB", "Files", "Version", "Note"), map(_backup_row, found))


def _backup_row(listed: Listed) -> tuple[str, ...]:
    files = "-" if listed.files is None else str(listed.files)
    at, size = moment(listed.made_at), mib(listed.size)
    return str(listed.path), at, size, files, listed.program or "-", listed.problem or ""


@app.command()
def restore(
    ctx: typer.Context,
    source: Annotated[Path, typer.Argument(help="The backup: a file, or a folder with tgllm.db and files.")],
    *,
    other_bot: Annotated[bool, typer.Option("--other-bot", help="Allow the backup of another bot.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Put a backup in the place of the database and the files; the bot must be stopped.

    The backup is checked first, and the present data are kept in a folder of their own.
    """
    config = options_of(ctx).load().config
    order = Restore(
        source.absolute(),
        database_file("shell.db_restore_server", config),
        milliseconds(SystemClock()),
        config.bot_id,
        other_bot,
    )
    restored = restore_backup(order)
    if as_json:
        print_json(_restored_object(order, restored))
        return
    texts = Catalogue(config.language)
    say(texts("shell.db_restored", source=source))
    if restored.is_older:
        say(texts("shell.db_restored_older"))
    if restored.missing and config.s3.bucket is None:
        say(texts("shell.db_restore_missing", count=restored.missing))
    if restored.aside is not None:
        say(texts("shell.db_restore_aside", path=restored.aside))


def _restored_object(order: Restore, restored: Restored) -> dict[str, object]:
    return {
        "source": str(order.source),
        "database": str(order.database),
        "version": restored.facts.version,
        "files": restored.files,
        "files_missing": restored.missing,
        "kept_in": None if restored.aside is None else str(restored.aside),
    }


@app.command()
def copy(
    ctx: typer.Context,
    source: Annotated[
        str, typer.Argument(metavar="FROM", help="Data folder or SQLite file, or the URL of a PostgreSQL database.")
    ],
    target: Annotated[str, typer.Argument(metavar="TO", help="The same; a missing file is created.")],
    *,
    as_json: JsonOption = False,
) -> None:
    """Copy the database, also from SQLite to PostgreSQL and back; the bot must be stopped.

    TO must be empty. Everything is copied in one transaction and compared: each table has the same rows and the same
    checksum in both. FROM stays as it is. The files of people are not part of the database.
    """
    from tgllm.cli.commands.db_copy import run_copy  # noqa: PLC0415  loaded only where it runs

    run_copy(source, target, options_of(ctx).load().config.language, as_json=as_json)


@app.command()
def stats(ctx: typer.Context, *, as_json: JsonOption = False) -> None:
    """Show how much space the tables, the files and the backups take; the bot may be running."""
    from tgllm.cli.commands.db_space import run_stats  # noqa: PLC0415  loaded only where it runs

    run_stats(options_of(ctx).load().config, as_json=as_json)


@app.command()
def prune(ctx: typer.Context, *, as_json: JsonOption = False) -> None:
    """Delete now what is older than the settings of [retention] allow; the bot may be running.

    The bot does the same every hour. The file stays as large, since the space is used again: see tgllm db vacuum.
    """
    from tgllm.cli.commands.db_space import run_prune  # noqa: PLC0415  loaded only where it runs

    options = options_of(ctx)
    options.quiet_log()
    run_prune(options.load().config, as_json=as_json)


@app.command()
def vacuum(ctx: typer.Context, *, as_json: JsonOption = False) -> None:
    """Return the space of deleted data to the disk; the bot must be stopped.

    The database is written anew, for which the disk needs as much free space as it takes.
    """
    from tgllm.cli.commands.db_space import run_vacuum  # noqa: PLC0415  loaded only where it runs

    run_vacuum(options_of(ctx).load().config, as_json=as_json)
