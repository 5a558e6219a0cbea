"""``tgllm db``: creation, check and backup of the database."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from tgllm.api.clock import SystemClock
from tgllm.api.errors import DatabaseError
from tgllm.cli.failure import tell
from tgllm.cli.options import options_of
from tgllm.cli.output import JsonOption, print_json, print_table, say
from tgllm.config.model import Config
from tgllm.config.paths import database_path
from tgllm.db.connection import init_db
from tgllm.db.file.backup import backup as copy
from tgllm.db.file.check import Report
from tgllm.db.file.check import check as look_over
from tgllm.db.file.known import forget_known
from tgllm.db.file.look import is_there
from tgllm.i18n import Catalogue

__all__ = ["app"]

app = typer.Typer(
    help="Create, check and back up the database.", rich_markup_mode=None, add_completion=False, no_args_is_help=True
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
    if new:
        forget_known(database_path(config.data_dir))
    asyncio.run(init_db(database_path(config.data_dir)))
    say(Catalogue(config.language)("shell.db_ready", path=database_path(config.data_dir)))


@app.command()
def check(ctx: typer.Context, *, as_json: JsonOption = False) -> None:
    """Check the database without changing it.

    Exits with 1 if a check fails.
    """
    config = options_of(ctx).load().config
    report = look_over(_existing(config))
    if as_json:
        print_json(_object(report))
    else:
        print_table(("Table", "Rows"), ((table, str(count)) for table, count in sorted(report.rows.items())))
        if report.ok:
            say(Catalogue(config.language)("shell.db_healthy"))
    for problem in report.problems:
        tell(problem)
    raise typer.Exit(0 if report.ok else 1)


def _existing(config: Config) -> Path:
    path = database_path(config.data_dir)
    if not is_there(path):
        raise DatabaseError(f"there is no database {path} yet; make it with: tgllm db init")
    return path


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


@app.command()
def backup(
    ctx: typer.Context,
    target: Annotated[Path | None, typer.Argument(help="The file to write; by default in the data folder.")] = None,
) -> None:
    """Copy the database; the bot may be running.

    The copy is checked. An existing file is never overwritten.
    """
    config = options_of(ctx).load().config
    stamp = datetime.fromtimestamp(SystemClock().now(), UTC).strftime("%Y%m%dT%H%M%SZ")
    file = target or config.data_dir / f"tgllm.db.backup-{stamp}"
    copy(_existing(config), file)
    say(Catalogue(config.language)("shell.db_backup", path=file))
